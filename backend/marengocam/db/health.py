"""Heartbeats of processes and the log of what went wrong or right again."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marengocam.db.database import Database
from marengocam.db.queries import load, rows, to_json

CHANNEL = "health"
PRUNE_BATCH = 2000  # rows a statement: a long absence must not run into the time limit
_QUERIES = load("health")


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """The last heartbeat of one process."""

    service: str
    instance: str
    status: str  # ok, degraded, failing or gone
    reason: str
    started_at: datetime
    heartbeat_at: datetime
    detail: dict[str, Any]
    silent_s: float = 0.0  # since the heartbeat, by the database's clock: those of hosts differ


@dataclass(frozen=True, slots=True)
class HealthEntry:
    """One entry of the log, for an owner to read."""

    at: datetime
    service: str
    subject: str
    level: str  # info, warning or error
    message: str
    detail: dict[str, Any]


class Health:
    """`hub.health`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def beat(
        self, service: str, instance: str, status: str, reason: str, started_at: datetime, detail: dict[str, Any]
    ) -> None:
        """Give a sign of life."""
        async with self._database.connection() as connection:
            await _QUERIES.beat(
                connection,
                service=service,
                instance=instance,
                status=status,
                reason=reason,
                started_at=started_at,
                detail=to_json(detail),
            )

    async def leave(self, service: str, instance: str) -> None:
        """Take a process off the list that ends as it was told."""
        async with self._database.connection() as connection:
            await _QUERIES.leave(connection, service=service, instance=instance)

    async def mark_gone(self, older_than_s: float) -> list[tuple[str, str]]:
        """Mark processes without a heartbeat for so long as gone; return (service, instance) of each."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.mark_gone(connection, older_than_s=older_than_s))
        return [(row["service"], row["instance"]) for row in found]

    async def drop_gone(self, older_than_s: float) -> None:
        """Forget processes that are gone for long or replaced."""
        async with self._database.connection() as connection:
            await _QUERIES.drop_gone(connection, older_than_s=older_than_s)

    async def log(
        self, service: str, subject: str, level: str, message: str, detail: dict[str, Any] | None = None
    ) -> None:
        """Note something for an owner to read."""
        async with self._database.transaction() as connection:
            await _QUERIES.log(
                connection,
                service=service,
                subject=subject,
                level=level,
                message=message,
                detail=to_json(detail or {}),
            )
            await _QUERIES.notify(connection, channel=CHANNEL, payload=subject)

    async def recent(self, limit: int) -> list[HealthEntry]:
        """Return the latest entries, newest first."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.recent(connection, most=limit))
        return [HealthEntry(**(dict(row) | {"detail": json.loads(row["detail"])})) for row in found]

    async def prune(self, before: datetime) -> int:
        """Delete entries from before a moment; return how many."""
        total, batch = 0, PRUNE_BATCH
        while batch == PRUNE_BATCH:
            async with self._database.connection() as connection:
                batch = int(await _QUERIES.prune(connection, before=before, most=PRUNE_BATCH))
            total += batch
        return total

    async def database_bytes(self) -> int:
        """Return how large the database is on its disk."""
        async with self._database.connection() as connection:
            return int(await _QUERIES.database_bytes(connection))

    async def list(self) -> list[ServiceHealth]:
        """Return the last heartbeat of every process."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.list_services(connection))
        return [ServiceHealth(**(dict(row) | {"detail": json.loads(row["detail"])})) for row in found]
