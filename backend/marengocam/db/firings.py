"""What became of rules: firings, outcomes, what is waited for; and what decisions need to know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from marengocam.core.geometry import Box, Point
from marengocam.core.model import Event, PathPoint
from marengocam.core.rules.decide import zones_of
from marengocam.core.rules.facts import Fired, Stay, TrackFacts, left_zone_at
from marengocam.core.rules.model import Rule
from marengocam.db.cameras import CHANNEL as CAMERA_CHANNEL
from marengocam.db.database import Database
from marengocam.db.events import event_from
from marengocam.db.queries import from_json, load, rows

PRUNE_BATCH = 2000  # rows a statement: a long absence must not run into the time limit
_QUERIES = load("rules")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one action of a firing."""

    place: int
    action: str
    target: str
    state: str  # done or failed
    reason: str
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One time that a rule fired."""

    firing_id: UUID
    rule_id: UUID
    rule_name: str
    event_number: int
    event_type: str
    occurred_at: datetime
    fired_at: datetime
    camera_id: str | None = None
    person_id: UUID | None = None
    person_name: str | None = None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is to be decided again for a rule."""

    rule_id: UUID
    event: Event
    again_at: datetime


class Firings:
    """`hub.firings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, firing: Firing) -> bool:
        """Note that a rule fires; False when it has fired for that event already."""
        columns = {name: getattr(firing, name) for name in Firing.__slots__ if name != "outcomes"}
        async with self._database.connection() as connection:
            return await _QUERIES.add_firing(connection, **columns) is not None

    async def add_outcomes(self, outcomes: Sequence[tuple[UUID, Outcome]]) -> None:
        """Note what became of actions, each with its firing."""
        async with self._database.connection() as connection:
            await _QUERIES.add_outcomes(
                connection,
                firing_ids=[firing_id for firing_id, _ in outcomes],
                places=[one.place for _, one in outcomes],
                kinds=[one.action for _, one in outcomes],
                targets=[one.target for _, one in outcomes],
                states=[one.state for _, one in outcomes],
                reasons=[one.reason for _, one in outcomes],
                ended=[one.ended_at for _, one in outcomes],
            )

    async def near(self, rule: Rule, event: Event) -> list[Fired]:
        """Return the firings that count for a rule's limit at an event."""
        if rule.limit is None:
            return []
        reach = timedelta(seconds=rule.limit.per_s)
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.fired_near(
                    connection,
                    rule_id=rule.rule_id,
                    from_at=event.occurred_at - reach,
                    to_at=event.occurred_at + reach,
                )
            )
        return [Fired(**dict(row)) for row in found]

    async def prune(self, before: datetime) -> int:
        """Delete firings from before a moment, and what waits for events that are gone; return how many firings."""
        async with self._database.connection() as connection:
            await _QUERIES.prune_waiting(connection, before=before)
        total, batch = 0, PRUNE_BATCH
        while batch == PRUNE_BATCH:
            async with self._database.connection() as connection:
                batch = int(await _QUERIES.prune_firings(connection, before=before, most=PRUNE_BATCH))
            total += batch
        return total

    async def wait(self, rule_id: UUID, event_number: int, again_at: datetime) -> None:
        """Have an event decided again later, over restarts."""
        async with self._database.connection() as connection:
            await _QUERIES.wait(connection, rule_id=rule_id, event_number=event_number, again_at=again_at)

    async def wait_no_more(self, rule_id: UUID, event_number: int) -> None:
        """Note that it is decided."""
        async with self._database.connection() as connection:
            await _QUERIES.wait_no_more(connection, rule_id=rule_id, event_number=event_number)

    async def waiting(self, by_at: datetime, limit: int) -> list[Waiting]:
        """Return what is to be decided by a moment."""
        async with self._database.connection() as connection:
            found = [dict(row) for row in await rows(_QUERIES.waiting(connection, by_at=by_at, most=limit))]
        return [Waiting(row.pop("rule_id"), again_at=row.pop("again_at"), event=event_from(row)) for row in found]

    async def next_wait(self) -> datetime | None:
        """Return when something is to be decided next."""
        async with self._database.connection() as connection:
            at: datetime | None = await _QUERIES.next_wait(connection)
        return at

    async def past_events(
        self, event_types: Sequence[str], from_at: datetime, to_at: datetime, limit: int
    ) -> list[Event]:
        """Return events of some types in a stretch of time, in their order; the newest when there are more."""
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.past_events(
                    connection, event_types=list(event_types), from_at=from_at, to_at=to_at, most=limit
                )
            )
        return [event_from(dict(row)) for row in found]

    async def stays(self, from_at: datetime, to_at: datetime) -> list[Stay]:
        """Return when cameras saw persons."""
        async with self._database.connection() as connection:
            return [Stay(**dict(row)) for row in await rows(_QUERIES.stays(connection, from_at=from_at, to_at=to_at))]

    async def track_facts(self, events: Sequence[Event]) -> Mapping[int, TrackFacts]:
        """Return how long what events are about stayed, by event number; what has no track any more lacks."""
        about = [event for event in events if event.local_track_id is not None]
        if not about:
            return {}
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.sights_of(
                    connection,
                    track_ids=[event.local_track_id for event in about],
                    zones=[_entered(event) for event in about],
                )
            )
        by_sight = {(row["local_track_id"], row["zone"]): row for row in found}
        return {
            event.number: _facts(by_sight[sight], event)
            for event in about
            if (sight := (event.local_track_id, _entered(event))) in by_sight
        }

    async def record_until(self, camera_ids: Sequence[str], until_at: datetime) -> list[str]:
        """Have cameras recorded until a moment whatever is seen; return those that will be."""
        async with self._database.transaction() as connection:
            found = await rows(_QUERIES.record_until(connection, camera_ids=list(camera_ids), until_at=until_at))
            for row in found:
                await _QUERIES.notify(connection, channel=CAMERA_CHANNEL, payload=row["camera_id"])
        return [row["camera_id"] for row in found]

    async def record_wishes(self, now: datetime) -> dict[str, datetime]:
        """Return until when cameras are to be recorded, by camera id."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.record_wishes(connection, now_at=now))
        return {row["camera_id"]: row["until_at"] for row in found}

    async def list(
        self, limit: int, rule_id: UUID | None = None, before: datetime | None = None, *, failed_only: bool = False
    ) -> list[Firing]:
        """Return firings, newest first."""
        async with self._database.connection() as connection:
            query = _QUERIES.firings(connection, rule_id=rule_id, before=before, failed_only=failed_only, most=limit)
            found = await rows(query)
        return [
            Firing(**(dict(row) | {"outcomes": msgspec.json.decode(row["outcomes"], type=tuple[Outcome, ...])}))
            for row in found
        ]


def _entered(event: Event) -> str:
    return zones_of(event)[0] if event.type == "zone_entered" else ""


def _facts(row: Any, event: Event) -> TrackFacts:
    left_at = None
    if row["polygon"] is not None and event.type == "zone_entered":
        polygon: list[Point] = [(x, y) for x, y in from_json(row["polygon"])]
        path = [
            PathPoint(datetime.fromisoformat(one["at"]), Box(*one["box"]), one["score"])
            for one in from_json(row["path"])
        ]
        left_at = left_zone_at(path, polygon, event.occurred_at)
    return TrackFacts(row["last_seen_at"], row["open"], left_at)
