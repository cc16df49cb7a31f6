"""One resolver's turn on the hub: what surrounds the claimed tracks is read once, all decisions are written at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from marengocam.core.identity import ClaimedTrack, ExemplarWrite, Outcome, Vicinity
from marengocam.core.model import Event, NewEvent
from marengocam.db.database import Connection
from marengocam.db.looks_left import LooksLeft
from marengocam.db.queries import load, to_json
from marengocam.db.vicinity import Beside, read_vicinity

OBSERVED_LIMIT = 5  # passing looks of an identity, of each kind and model
WAKE_REACH = timedelta(seconds=60)
WAKE_FEW = 1_000  # tracks seen since, up to which they are gone through for those of an identity
HUMAN = "human"

_QUERIES = load("resolution")


class Log(Protocol):
    """Where a turn's events go: the hub's log, or a replay's own."""

    async def append_alone(self, events: Sequence[NewEvent], connection: Connection) -> list[Event]:
        """Take events in that nobody else writes now; return those that are new."""


class Turn:
    """The tracks that a turn claimed, what surrounds them, and where its decisions go."""

    def __init__(
        self, connection: Connection, events: Log, claimed: Sequence[ClaimedTrack], beside: Beside | None = None
    ) -> None:
        """Take `beside`, which lends a second connection to read what this one need not; None: there is none."""
        self._connection = connection
        self._beside = beside
        self._events = events
        self._looks = LooksLeft(OBSERVED_LIMIT)
        self.claimed = claimed

    async def vicinity(self, claimed: Sequence[ClaimedTrack], window: timedelta) -> Vicinity:
        """Return all that decisions on these tracks may rest on: sights up to `window` away, galleries, persons."""
        return await read_vicinity(self._connection, claimed, window, self._beside)

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
        filled = self._looks.too_many(placed)
        if filled:
            await _QUERIES.trim_exemplars(self._connection, identity_ids=list(filled), most=OBSERVED_LIMIT)
        unnamed = [one.identity_id for one in placed if one.unnamed]
        if unnamed:
            await _QUERIES.take_names_back(self._connection, identity_ids=unnamed)
        woken = [one for one in placed if one.wake_identity]
        named = [one for one in woken if not one.unnamed]
        if named:
            await _QUERIES.carry_names(
                self._connection,
                identity_ids=[one.identity_id for one in named],
                probabilities=[one.founder for one in named],
                named_ids=[one.claimed.track.local_track_id for one in placed if one.person_id is not None],
            )
        if woken:
            await _QUERIES.wake_identities(
                self._connection,
                identity_ids=[one.identity_id for one in woken],
                local_track_ids=[one.claimed.track.local_track_id for one in woken],
                moments=[one.claimed.track.last_seen_at - WAKE_REACH for one in woken],
                few=WAKE_FEW,
            )


def remembered(outcome: Outcome, one: ExemplarWrite) -> bool:
    """Return whether a look is a stranger's face that is kept to be found again."""
    return one.kind == "face" and outcome.person_id is None and not outcome.claimed.track.open


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
