"""The log of numbered facts: gap-free, in order of commit, written once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from marengocam.core.model import Event, EventType, NewEvent
from marengocam.db.database import Connection, Database
from marengocam.db.queries import load, rows, to_json

CHANNEL = "event"
HIGHEST_NUMBER = 2**62
PRUNE_BATCH = 2000  # rows a statement: a long absence must not run into the time limit
_QUERIES = load("events")


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events are wanted; None takes all."""

    type: EventType | None = None
    camera_id: str | None = None
    person_id: UUID | None = None


EVERYTHING = EventFilter()


class Events:
    """`hub.events`: appending notifies the channel `event` with the newest number."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, events: Sequence[NewEvent], connection: Connection | None = None) -> list[Event]:
        """Write events with their numbers, in the caller's transaction when its connection is given.

        Returns those that are new: an event_id written before is skipped.
        """
        if not events:
            return []
        if connection is not None:
            return await self._append(events, connection)
        async with self._database.transaction() as own:
            return await self._append(events, own)

    async def append_alone(self, events: Sequence[NewEvent], connection: Connection) -> list[Event]:
        """Do the same in one round trip, where a lock that the caller holds keeps others from writing these ids.

        The counter stays free when all of them were written before.
        """
        return await self._add(events, connection) if events else []

    async def after(self, number: int, limit: int, wanted: EventFilter = EVERYTHING) -> list[Event]:
        """Return events with higher numbers, in order."""
        return await self._read(_QUERIES.events_after, number, limit, wanted)

    async def before(self, number: int | None, limit: int, wanted: EventFilter = EVERYTHING) -> list[Event]:
        """Return events with lower numbers (None: the newest), newest first."""
        return await self._read(_QUERIES.events_before, HIGHEST_NUMBER if number is None else number, limit, wanted)

    async def last_number(self) -> int:
        """Return the highest number given out, 0 before the first event."""
        async with self._database.connection() as connection:
            return int(await _QUERIES.last_number(connection))

    async def position(self, consumer: str) -> int | None:
        """Return the last number a reader has dealt with, None when it never read."""
        async with self._database.connection() as connection:
            number = await _QUERIES.position(connection, consumer=consumer)
        return None if number is None else int(number)

    async def move(self, consumer: str, number: int) -> None:
        """Note that a reader has dealt with everything up to a number."""
        async with self._database.connection() as connection:
            await _QUERIES.move(connection, consumer=consumer, number=number)

    async def prune(self, before: datetime) -> int:
        """Delete events that occurred before a moment; return how many."""
        total, batch = 0, PRUNE_BATCH
        while batch == PRUNE_BATCH:
            async with self._database.connection() as connection:
                batch = int(await _QUERIES.prune(connection, before=before, most=PRUNE_BATCH))
            total += batch
        return total

    async def _append(self, events: Sequence[NewEvent], connection: Connection) -> list[Event]:
        await _QUERIES.lock_counter(connection)
        return await self._add(events, connection)

    async def _add(self, events: Sequence[NewEvent], connection: Connection) -> list[Event]:
        by_id = {event.event_id: event for event in events}
        added = await rows(_QUERIES.add_events(connection, channel=CHANNEL, **_columns(list(by_id.values()))))
        return [_numbered(by_id[row["event_id"]], row["number"], row["recorded_at"]) for row in added]

    async def _read(self, query: Any, number: int, limit: int, wanted: EventFilter) -> list[Event]:
        async with self._database.connection() as connection:
            found = await rows(
                query(
                    connection,
                    number=number,
                    event_type=str(wanted.type) if wanted.type else None,
                    camera_id=wanted.camera_id,
                    person_id=wanted.person_id,
                    most=limit,
                )
            )
        return [event_from(dict(row)) for row in found]


def _columns(events: Sequence[NewEvent]) -> dict[str, list[Any]]:
    return {
        "event_ids": [event.event_id for event in events],
        "event_types": [str(event.type) for event in events],
        "occurred": [event.occurred_at for event in events],
        "camera_ids": [event.camera_id for event in events],
        "local_track_ids": [event.local_track_id for event in events],
        "identity_ids": [event.identity_id for event in events],
        "person_ids": [event.person_id for event in events],
        "person_names": [event.person_name for event in events],
        "probabilities": [event.probability for event in events],
        "zones": [to_json(event.zones) for event in events],
        "datas": [to_json(event.data) for event in events],
    }


def _numbered(event: NewEvent, number: int, recorded_at: datetime) -> Event:
    return Event(
        number=number,
        event_id=event.event_id,
        type=event.type,
        occurred_at=event.occurred_at,
        recorded_at=recorded_at,
        camera_id=event.camera_id,
        local_track_id=event.local_track_id,
        identity_id=event.identity_id,
        person_id=event.person_id,
        person_name=event.person_name,
        probability=event.probability,
        zones=event.zones,
        data=event.data,
    )


def event_from(columns: dict[str, Any]) -> Event:
    """Return an event from its columns, data as text."""
    columns["type"] = EventType(columns["type"])
    columns["zones"] = tuple(columns["zones"])
    columns["data"] = json.loads(columns["data"])
    return Event(**columns)
