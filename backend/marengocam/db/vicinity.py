"""Reading what surrounds the tracks of a turn: sights, looks, strangers of before, and what humans said."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import numpy as np

from marengocam.core.errors import HubUnavailableError
from marengocam.core.geometry import Box
from marengocam.core.identity import ClaimedTrack, EngineWord, KnownLooks, KnownPerson, Sight, Vicinity
from marengocam.core.model import LocalTrack, PathPoint
from marengocam.db.database import Connection
from marengocam.db.queries import load, rows, vectors_from
from marengocam.db.tracks import name_evidence_of

SIGHTS_LIMIT = 400  # a decision looks at so many of the newest sights
PATH_REACH_S = 15.0  # paths of the same camera are looked at this far around a track
STRANGERS_LIMIT = 8  # identities a face may be of, of any day
STRANGERS_SEARCHED = 40  # nearest remembered faces: an identity has several
STRANGER_SIZE = 128  # of vectors that are searched: every face model we ship makes these
STRANGER_REACH = timedelta(days=90)
BESIDE_FACES = 6  # for fewer the search is over sooner than a second connection is begun with
WORDS_FEW = 100  # of all that engines without embeddings said: up to so many are gone through
FACES_LIMIT = 500  # of a person's lasting faces by all models together; galleries hold far fewer

Beside = Callable[[], AbstractAsyncContextManager[Connection]]
Strangers = dict[UUID, frozenset[UUID]]
One = TypeVar("One")
Other = TypeVar("Other")
_QUERIES = load("resolution")


async def read_vicinity(
    connection: Connection, claimed: Sequence[ClaimedTrack], window: timedelta, beside: Beside | None
) -> Vicinity:
    """Return all that decisions on these tracks may rest on: sights up to `window` away, galleries, persons.

    With a second connection `beside`, strangers of many faces are searched while sights and looks are read: the server
    takes as long for the ones as for the others.
    """
    tracks = [one.track for one in claimed]
    own = {one.assignment.identity_id for one in claimed if one.assignment is not None}
    probes = _probes(tracks)
    if beside is not None and sum(map(len, probes.values())) >= BESIDE_FACES:
        read, found = await _both(_around(connection, tracks, window, own, {}), _strangers_beside(beside, probes))
        strangers = await _strangers(connection, probes) if found is None else found
        more = set[UUID]().union(*strangers.values()) - read.identity_ids
        if more:
            facts = await _facts(connection, more)
            looks = await _looks(connection, tracks, more, more if _called(tracks) else (), set(), lasting=False)
            read = _Around(
                read.sights,
                _put_together([*read.looks, *looks]),
                read.facts.with_those_of(facts),
                read.identity_ids | more,
            )
    else:
        strangers = await _strangers(connection, probes)
        read = await _around(connection, tracks, window, own, strangers)
    facts = read.facts
    return Vicinity(
        sights=read.sights,
        looks=read.looks,
        persons=facts.persons,
        person_of=dict.fromkeys(read.identity_ids) | {sight.identity_id: sight.person_id for sight in read.sights},
        strangers=strangers,
        denied=facts.denied,
        ignored=facts.ignored,
        spoken_about=facts.spoken_about,
        words=facts.words,
    )


class _Facts(NamedTuple):
    """What humans and engines said, of persons and of some identities."""

    persons: tuple[KnownPerson, ...]
    denied: frozenset[tuple[UUID, UUID]]
    ignored: frozenset[UUID]
    spoken_about: frozenset[UUID]
    words: dict[UUID, EngineWord]

    def with_those_of(self, others: "_Facts") -> "_Facts":
        """Return these with what was said of other identities."""
        return self._replace(spoken_about=self.spoken_about | others.spoken_about, words=self.words | others.words)


class _Around(NamedTuple):
    """What surrounds tracks but for strangers of before, who are among the identities where they are known already."""

    sights: tuple[Sight, ...]
    looks: tuple[KnownLooks, ...]
    facts: _Facts
    identity_ids: set[UUID]


async def _around(
    connection: Connection, tracks: Sequence[LocalTrack], window: timedelta, own: set[UUID], strangers: Strangers
) -> _Around:
    """Return what surrounds tracks, whose `own` identities may be elsewhere."""
    sights = await _sights(connection, tracks, window)
    identity_ids = {sight.identity_id for sight in sights}.union(*strangers.values())
    facts = await _facts(connection, identity_ids | own)
    named = {one.identity_id: one.person_id for one in sights if one.person_id is not None}
    called = _called(tracks)
    held = {one.person_id for one in facts.persons if one.name.strip().casefold() in called} | set(named.values())
    looks = await _looks(connection, tracks, identity_ids, identity_ids if called else named.keys(), held)
    return _Around(sights, looks, facts, identity_ids)


def _called(tracks: Iterable[LocalTrack]) -> set[str]:
    """Return the names that engines called tracks."""
    return {track.name_evidence.name.strip().casefold() for track in tracks if track.name_evidence is not None}


async def _facts(connection: Connection, identity_ids: set[UUID]) -> _Facts:
    persons: list[KnownPerson] = []
    denied, ignored, spoken_about = set(), set(), set()
    words: dict[UUID, EngineWord] = {}
    for row in await rows(_QUERIES.facts(connection, identity_ids=sorted(identity_ids), few=WORDS_FEW)):
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
    ordered = tuple(sorted(persons, key=lambda one: one.person_id))
    return _Facts(ordered, frozenset(denied), frozenset(ignored), frozenset(spoken_about), words)


async def _both(one: Coroutine[Any, Any, One], other: Coroutine[Any, Any, Other]) -> tuple[One, Other]:
    """Return what two readings give that run at once; when the first fails the other is ended, too."""
    beside = asyncio.create_task(other)
    try:
        found = await one
    except BaseException:
        beside.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await beside
        raise
    return found, await beside


async def _sights(connection: Connection, tracks: Sequence[LocalTrack], window: timedelta) -> tuple[Sight, ...]:
    reach = timedelta(seconds=PATH_REACH_S)
    found = await _QUERIES.sights(
        connection,
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


def _probes(tracks: Iterable[LocalTrack]) -> dict[str, list[LocalTrack]]:
    """Return the tracks whose face can be searched, by model."""
    by_model: dict[str, list[LocalTrack]] = defaultdict(list)
    for track in tracks:
        if track.face is not None and len(track.face.vector) == STRANGER_SIZE:
            by_model[track.face.model].append(track)
    return by_model


async def _strangers_beside(beside: Beside, probes: Mapping[str, Sequence[LocalTrack]]) -> Strangers | None:
    """Return the strangers; None: there was no second connection to be had, as where others use all of them."""
    try:
        async with beside() as connection:
            return await _strangers(connection, probes)
    except HubUnavailableError:
        return None


async def _strangers(connection: Connection, probes: Mapping[str, Sequence[LocalTrack]]) -> Strangers:
    """Return, for each track with a face, which unknown identities it may be of: the nearest few."""
    near: dict[UUID, dict[UUID, None]] = defaultdict(dict)
    for model, alike in probes.items():
        found = await rows(
            _QUERIES.strangers(
                connection,
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
    connection: Connection,
    tracks: Sequence[LocalTrack],
    identity_ids: set[UUID],
    weighed: Collection[UUID],
    persons: set[UUID],
    *,
    lasting: bool = True,
) -> tuple[KnownLooks, ...]:
    """Return all looks that count: faces also where no track shows one of `weighed` identities and these persons.

    Those have a name, or may get it from an engine's word about a track: it has to hold against their faces. `lasting`
    ones of all persons are among them.
    """
    found = await rows(
        _QUERIES.looks(
            connection,
            identity_ids=sorted(identity_ids),
            named_ids=sorted(weighed),
            person_ids=sorted(persons),
            most_faces=FACES_LIMIT if lasting else 0,
            face_models=sorted({track.face.model for track in tracks if track.face}),
            appearance_models=sorted({track.appearance.model for track in tracks if track.appearance}),
        )
    )
    return tuple([_known(row) for row in found])


def _known(row: Any) -> KnownLooks:
    return KnownLooks(**(dict(row) | {"vectors": vectors_from(row["vectors"], len(row["exemplar_ids"]))}))


def _put_together(looks: Iterable[KnownLooks]) -> tuple[KnownLooks, ...]:
    """Return looks with those of one kind, model and size in one."""
    alike: dict[tuple[str, str, int], KnownLooks] = {}
    for one in looks:
        key = (one.kind, one.model, one.vectors.shape[1])
        alike[key] = _added(alike[key], one) if key in alike else one
    return tuple(alike.values())


def _added(one: KnownLooks, other: KnownLooks) -> KnownLooks:
    lists = [field.name for field in fields(KnownLooks) if field.name not in {"kind", "model", "vectors"}]
    columns: dict[str, Any] = {name: [*getattr(one, name), *getattr(other, name)] for name in lists}
    return replace(one, vectors=np.concatenate((one.vectors, other.vectors)), **columns)


def _path(text: str | None) -> tuple[PathPoint, ...]:
    if text is None:
        return ()
    return tuple(
        PathPoint(datetime.fromisoformat(point["at"]), Box(*point["box"]), float(point["score"]))
        for point in json.loads(text)
    )
