"""One resolver's turn on the hub: what surrounds the claimed tracks is read once, all decisions are written at once."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from marengocam.core.geometry import Box
from marengocam.core.identity import (
    ClaimedTrack,
    EngineWord,
    ExemplarWrite,
    KnownLooks,
    KnownPerson,
    Outcome,
    Sight,
    Vicinity,
)
from marengocam.core.model import Event, LocalTrack, NewEvent, PathPoint
from marengocam.db.database import Connection
from marengocam.db.queries import load, rows, to_json, vectors_from
from marengocam.db.tracks import name_evidence_of

SIGHTS_LIMIT = 400  # a decision looks at so many of the newest sights
PATH_REACH_S = 15.0  # paths of the same camera are looked at this far around a track
STRANGERS_LIMIT = 8  # identities a face may be of, of any day
STRANGERS_SEARCHED = 40  # nearest remembered faces: an identity has several
STRANGER_SIZE = 128  # of vectors that are searched: every face model we ship makes these
STRANGER_REACH = timedelta(days=90)
FACES_LIMIT = 500  # of a person's lasting faces by all models together; galleries hold far fewer
OBSERVED_LIMIT = 5  # passing looks of an identity, of each kind and model
WAKE_REACH = timedelta(seconds=60)
HUMAN = "human"

_QUERIES = load("resolution")


class Log(Protocol):
    """Where a turn's events go: the hub's log, or a replay's own."""

    async def append_alone(self, events: Sequence[NewEvent], connection: Connection) -> list[Event]:
        """Take events in that nobody else writes now; return those that are new."""


class Turn:
    """The tracks that a turn claimed, what surrounds them, and where its decisions go."""

    def __init__(self, connection: Connection, events: Log, claimed: Sequence[ClaimedTrack]) -> None:
        self._connection = connection
        self._events = events
        self.claimed = claimed

    async def vicinity(self, claimed: Sequence[ClaimedTrack], window: timedelta) -> Vicinity:
        """Return all that decisions on these tracks may rest on: sights up to `window` away, galleries, persons."""
        tracks = [one.track for one in claimed]
        sights = await self._sights(tracks, window)
        strangers = await self._strangers(tracks)
        identity_ids = {sight.identity_id for sight in sights}.union(*strangers.values())
        persons: list[KnownPerson] = []
        denied, ignored, spoken_about = set(), set(), set()
        words: dict[UUID, EngineWord] = {}
        own = {one.assignment.identity_id for one in claimed if one.assignment is not None}
        for row in await rows(_QUERIES.facts(self._connection, identity_ids=sorted(identity_ids | own))):
            if row["kind"] == "person":
                persons.append(KnownPerson(row["subject_id"], row["name"]))
            elif row["kind"] == "denial":
                denied.add((row["subject_id"], row["other_id"]))
            elif row["kind"] == "ignored":
                ignored.add(row["subject_id"])
            elif row["kind"] == "spoken":
                spoken_about.add(row["subject_id"])
            elif (said := name_evidence_of(row["name"])) is not None:
                words[row["subject_id"]] = EngineWord(row["other_id"], said)
        named = {one.identity_id: one.person_id for one in sights if one.person_id is not None}
        called = {track.name_evidence.name.strip().casefold() for track in tracks if track.name_evidence is not None}
        weighed = identity_ids if called else named.keys()
        held = {one.person_id for one in persons if one.name.strip().casefold() in called} | set(named.values())
        looks = await self._looks(tracks, identity_ids, weighed, held)
        return Vicinity(
            sights=sights,
            looks=looks,
            persons=tuple(sorted(persons, key=lambda one: one.person_id)),
            person_of=dict.fromkeys(identity_ids) | {sight.identity_id: sight.person_id for sight in sights},
            strangers=strangers,
            denied=frozenset(denied),
            ignored=frozenset(ignored),
            spoken_about=frozenset(spoken_about),
            words=words,
        )

    async def write(self, outcomes: Sequence[Outcome], at: datetime) -> list[Event]:
        """Write all decisions of the turn with their events; return the events that were new."""
        placed = [one for one in outcomes if one.identity_id is not None]
        await _QUERIES.write_decisions(
            self._connection,
            at=at,
            decided_ids=[one.claimed.track.local_track_id for one in outcomes],
            revisions=[one.claimed.revision for one in outcomes],
            **_identity_columns(placed),
            **_decision_columns(placed),
            **_exemplar_columns(placed),
        )
        await self._follow_up(placed)
        return await self._events.append_alone([event for one in outcomes for event in one.events], self._connection)

    async def _follow_up(self, placed: Sequence[Outcome]) -> None:
        """Do what some decisions bring about: identities are left, filled beyond their room, or found to be persons."""
        left = {one.left_identity_id: one.identity_id for one in placed if one.left_identity_id is not None}
        if left:
            await _QUERIES.leave_identities(self._connection, left_ids=list(left), identity_ids=list(left.values()))
        for one in placed:
            if one.joined_identity_id is not None:
                await _QUERIES.join_identities(
                    self._connection, identity_id=one.joined_identity_id, into_id=one.identity_id
                )
        joined = {one.identity_id for one in placed if moved(one) or one.joined_identity_id is not None}
        if joined:
            await _QUERIES.trim_exemplars(self._connection, identity_ids=list(joined), most=OBSERVED_LIMIT)
        unnamed = [one.identity_id for one in placed if one.unnamed]
        if unnamed:
            await _QUERIES.take_names_back(self._connection, identity_ids=unnamed)
        woken = [one for one in placed if one.wake_identity]
        named = [one for one in woken if not one.unnamed]
        if named:
            await _QUERIES.carry_names(
                self._connection,
                identity_ids=[one.identity_id for one in named],
                probabilities=[one.probability for one in named],
                named_ids=[one.claimed.track.local_track_id for one in placed if one.person_id is not None],
            )
        if woken:
            await _QUERIES.wake_identities(
                self._connection,
                identity_ids=[one.identity_id for one in woken],
                local_track_ids=[one.claimed.track.local_track_id for one in woken],
                moments=[one.claimed.track.last_seen_at - WAKE_REACH for one in woken],
            )

    async def _sights(self, tracks: Sequence[LocalTrack], window: timedelta) -> tuple[Sight, ...]:
        reach = timedelta(seconds=PATH_REACH_S)
        found = await _QUERIES.sights(
            self._connection,
            camera_ids=sorted({track.camera_id for track in tracks}),
            from_at=min(track.first_seen_at for track in tracks) - window,
            common_to=min(track.last_seen_at for track in tracks) + window,
            to_at=max(track.last_seen_at for track in tracks) + window,
            path_from=min(track.first_seen_at for track in tracks) - reach,
            path_to=max(track.last_seen_at for track in tracks) + reach,
            most=SIGHTS_LIMIT + len(tracks),
        )
        if found["local_track_ids"] is None:
            return ()
        *columns, paths = found.values()
        return tuple(map(Sight, *columns, map(_path, paths)))

    async def _strangers(self, tracks: Sequence[LocalTrack]) -> dict[UUID, frozenset[UUID]]:
        """Return, for each track with a face, which unknown identities it may be of: the nearest few."""
        by_model: dict[str, list[LocalTrack]] = defaultdict(list)
        for track in tracks:
            if track.face is not None and len(track.face.vector) == STRANGER_SIZE:
                by_model[track.face.model].append(track)
        near: dict[UUID, dict[UUID, None]] = defaultdict(dict)
        for model, alike in by_model.items():
            found = await rows(
                _QUERIES.strangers(
                    self._connection,
                    local_track_ids=[track.local_track_id for track in alike],
                    model=model,
                    from_at=min(track.last_seen_at for track in alike) - STRANGER_REACH,
                    searched=STRANGERS_SEARCHED,
                )
            )
            for row in found:
                if len(near[row["local_track_id"]]) < STRANGERS_LIMIT:
                    near[row["local_track_id"]][row["identity_id"]] = None
        return {track_id: frozenset(identities) for track_id, identities in near.items()}

    async def _looks(
        self, tracks: Sequence[LocalTrack], identity_ids: set[UUID], weighed: Collection[UUID], persons: set[UUID]
    ) -> tuple[KnownLooks, ...]:
        """Return all looks that count: faces also where no track shows one of `weighed` identities and these persons.

        Those have a name, or may get it from an engine's word about a track: it has to hold against their faces.
        """
        found = await rows(
            _QUERIES.looks(
                self._connection,
                identity_ids=sorted(identity_ids),
                named_ids=sorted(weighed),
                person_ids=sorted(persons),
                most_faces=FACES_LIMIT,
                face_models=sorted({track.face.model for track in tracks if track.face}),
                appearance_models=sorted({track.appearance.model for track in tracks if track.appearance}),
            )
        )
        return tuple([_looks(row) for row in found])


def moved(outcome: Outcome) -> bool:
    """Return whether the track is new to its identity."""
    before = outcome.claimed.assignment
    return before is None or before.identity_id != outcome.identity_id


def remembered(outcome: Outcome, one: ExemplarWrite) -> bool:
    """Return whether a look is a stranger's face that is kept to be found again."""
    return one.kind == "face" and outcome.person_id is None and not outcome.claimed.track.open


def _looks(row: Any) -> KnownLooks:
    return KnownLooks(**(dict(row) | {"vectors": vectors_from(row["vectors"], len(row["exemplar_ids"]))}))


def _identity_columns(placed: Iterable[Outcome]) -> Mapping[str, list[Any]]:
    """Return each identity once: whom the first decision names it, from its tracks' first sight to their last."""
    merged: dict[UUID, tuple[UUID | None, datetime, datetime]] = {}
    for one in placed:
        track = one.claimed.track
        assert one.identity_id is not None
        person, first, last = merged.get(one.identity_id, (None, track.first_seen_at, track.last_seen_at))
        merged[one.identity_id] = (
            person or one.person_id,
            min(first, track.first_seen_at),
            max(last, track.last_seen_at),
        )
    return {
        "kept_ids": list(merged),
        "person_ids": [one[0] for one in merged.values()],
        "first": [one[1] for one in merged.values()],
        "last": [one[2] for one in merged.values()],
    }


def _decision_columns(placed: Sequence[Outcome]) -> Mapping[str, list[Any]]:
    return {
        "local_track_ids": [one.claimed.track.local_track_id for one in placed],
        "identity_ids": [one.identity_id for one in placed],
        "probabilities": [one.probability for one in placed],
        "margins": [one.margin for one in placed],
        "evidences": [to_json(one.evidence) for one in placed],
        "announced_persons": [one.announced_person_id for one in placed],
        "announced_unknowns": [one.announced_unknown for one in placed],
    }


def _exemplar_columns(placed: Sequence[Outcome]) -> Mapping[str, list[Any]]:
    pairs = [(outcome, one) for outcome in placed for one in outcome.exemplars]
    exemplars = [one for _, one in pairs]
    return {
        "exemplar_ids": [one.exemplar_id for one in exemplars],
        "exemplar_persons": [one.person_id for one in exemplars],
        "exemplar_identities": [one.identity_id for one in exemplars],
        "exemplar_tracks": [one.local_track_id for one in exemplars],
        "kinds": [one.kind for one in exemplars],
        "models": [one.embedding.model for one in exemplars],
        "qualities": [one.embedding.quality for one in exemplars],
        "sources": [one.source for one in exemplars],
        "picture_paths": [str(one.picture_path) if one.picture_path else None for one in exemplars],
        "seen": [one.created_at for one in exemplars],
        "remembered": [remembered(outcome, one) for outcome, one in pairs],
    }


def _path(text: str | None) -> tuple[PathPoint, ...]:
    if text is None:
        return ()
    return tuple(
        PathPoint(datetime.fromisoformat(point["at"]), Box(*point["box"]), float(point["score"]))
        for point in json.loads(text)
    )
