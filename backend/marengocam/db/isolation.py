"""The resolver's tables, copied for one session: what a replay decides there cannot reach the live ones (I5)."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from marengocam.core.identity import ClaimedTrack, Outcome, Vicinity
from marengocam.core.model import Event, LocalTrack, NewEvent
from marengocam.db.database import Connection, Database
from marengocam.db.faults import our_errors
from marengocam.db.queries import from_json, load, rows
from marengocam.db.resolution import claimed_on
from marengocam.db.tracks import save_rows
from marengocam.db.turn import Turn

HISTORY = timedelta(hours=2)  # as far as the resolver looks back
MOST_OTHERS = 5000
MOST_STRANGERS = 5000
CLAIMED_AT_ONCE = 8
# From here on the server itself refuses to write anything but this session's own tables.
READ_ONLY = "SET default_transaction_read_only = on"
_QUERIES = load("isolation")


@dataclass(frozen=True, slots=True)
class Gallery:
    """What identity rests on besides the tracks; equal digests mean equal galleries."""

    persons: int
    faces: int
    tracks_around: int
    digest: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about a track in the end."""

    local_track_id: UUID
    identity_id: UUID
    person_id: UUID | None
    person_name: str | None
    probability: float
    margin: float
    evidence: dict[str, Any]


class EventsOfARun:
    """Takes the events that live would have numbered, each once."""

    def __init__(self) -> None:
        self.events: list[NewEvent] = []
        self._known: set[UUID] = set()

    async def append_alone(self, events: Sequence[NewEvent], connection: Connection) -> list[Event]:
        """Keep the events that are new; nothing is numbered."""
        del connection
        fresh = [event for event in events if event.event_id not in self._known]
        self._known |= {event.event_id for event in fresh}
        self.events += fresh
        return []


class Isolation:
    """One replay's own hub of identities, as they were at a moment."""

    def __init__(self, connection: Connection, gallery: Gallery) -> None:
        self._connection = connection
        self._collected = EventsOfARun()
        self._turn = Turn(connection, self._collected, ())
        self.gallery = gallery

    @property
    def events(self) -> Sequence[NewEvent]:
        return self._collected.events

    async def reveal(self, until: datetime) -> None:
        """Let live tracks of other cameras that had begun by a moment be seen."""
        with our_errors():
            await _QUERIES.reveal(self._connection, until=until)

    async def save(self, tracks: Sequence[LocalTrack]) -> None:
        """Write the latest state of the run's tracks, as ingest would."""
        with our_errors():
            await save_rows(self._connection, tracks)

    async def claim(self, own: Sequence[UUID]) -> list[ClaimedTrack]:
        """Return the next of the run's own changed tracks; empty when there is none."""
        with our_errors():
            await _QUERIES.settle(self._connection, own=list(own))
            return await claimed_on(self._connection, CLAIMED_AT_ONCE)

    async def vicinity(self, claimed: Sequence[ClaimedTrack], window: timedelta) -> Vicinity:
        """Return all that decisions on these tracks may rest on."""
        with our_errors():
            return await self._turn.vicinity(claimed, window)

    async def write(self, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Write decisions, their events into `events`."""
        with our_errors():
            await self._turn.write(outcomes, at)

    async def decided(self, own: Sequence[UUID]) -> list[Decided]:
        """Return what was decided about the run's tracks in the end."""
        with our_errors():
            found = await rows(_QUERIES.verdicts(self._connection, own=list(own)))
        return [Decided(**(dict(row) | {"evidence": from_json(row["evidence"])})) for row in found]


@contextlib.asynccontextmanager
async def isolated(
    database: Database, camera_id: str, from_at: datetime, to_at: datetime, gallery_at: datetime
) -> AsyncIterator[Isolation]:
    """Copy what the resolver needs into tables of a session of its own; they are gone when the block ends.

    Raises HubUnavailableError, MarengoCamError where the account may make no temporary tables.
    """
    connection = await database.direct()
    try:
        with our_errors():
            gallery = await _copied(connection, camera_id, from_at, to_at, gallery_at)
            await connection.execute(READ_ONLY)
        yield Isolation(connection, gallery)
    finally:
        connection.terminate()


async def _copied(
    connection: Connection, camera_id: str, from_at: datetime, to_at: datetime, gallery_at: datetime
) -> Gallery:
    async with connection.transaction(isolation="repeatable_read"):
        await _QUERIES.shadow(connection)
        await _QUERIES.copy_persons(connection, gallery_at=gallery_at)
        stretch = {"camera_id": camera_id, "from_at": from_at, "to_at": to_at}
        await _QUERIES.copy_others(connection, since=from_at - HISTORY, most=MOST_OTHERS, **stretch)
        await _QUERIES.copy_assignments(connection)
        await _QUERIES.copy_exemplars(connection, gallery_at=gallery_at, strangers=MOST_STRANGERS, **stretch)
        await _QUERIES.copy_identities(connection)
        await _QUERIES.unname(connection)
        await _QUERIES.unname_exemplars(connection)
        await _QUERIES.copy_denials(connection)
        return Gallery(**await _QUERIES.digest(connection))
