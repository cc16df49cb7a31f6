"""Replay runs: asked for, taken, finished."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from marengocam.core.errors import NotFoundError
from marengocam.core.ids import new_id
from marengocam.db.database import Database
from marengocam.db.queries import from_json, load, rows, to_json

CHANNEL = "replay"
RUNNING_LIMIT_S = 5 * 3600.0  # longer than any runner lets a run take: its process died
_QUERIES = load("replays")


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """One run; `source` empty means the camera's own recording between `from_at` and `to_at`."""

    run_id: UUID
    camera_id: str
    source: str
    from_at: datetime | None
    to_at: datetime | None
    debug: bool
    state: str  # requested, running, finished or failed
    reason: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    report: dict[str, Any] = field(default_factory=dict)


class Replays:
    """`hub.replays`: asking notifies the channel `replay`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(
        self,
        camera_id: str,
        at: datetime,
        *,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        source: str = "",
        debug: bool = False,
    ) -> UUID:
        """Ask for a run; return its id."""
        run_id = new_id(at)
        async with self._database.transaction() as connection:
            await _QUERIES.request(
                connection,
                run_id=run_id,
                camera_id=camera_id,
                source=source,
                from_at=from_at,
                to_at=to_at,
                debug=debug,
                at=at,
            )
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(run_id))
        return run_id

    async def claim(self, at: datetime) -> ReplayRun | None:
        """Take the oldest run that waits, or None; a run that has been running for too long is noted as failed."""
        async with self._database.connection() as connection:
            row = await _QUERIES.claim(connection, at=at, limit_s=RUNNING_LIMIT_S)
        return None if row is None else _run(row)

    async def finish(self, run_id: UUID, report: dict[str, Any], at: datetime) -> None:
        """Note a run's report."""
        async with self._database.connection() as connection:
            await _QUERIES.finish(connection, run_id=run_id, report=to_json(report), at=at)

    async def fail(self, run_id: UUID, reason: str, at: datetime) -> None:
        """Note why a run failed."""
        async with self._database.connection() as connection:
            await _QUERIES.fail(connection, run_id=run_id, reason=reason, at=at)

    async def get(self, run_id: UUID) -> ReplayRun:
        """Return one run; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.get_run(connection, run_id=run_id)
        if row is None:
            raise NotFoundError("There is no such replay.")
        return _run(row)

    async def list(self, limit: int) -> list[ReplayRun]:
        """Return runs, newest first."""
        async with self._database.connection() as connection:
            return [_run(row) for row in await rows(_QUERIES.list_runs(connection, most=limit))]


def _run(row: Any) -> ReplayRun:
    return ReplayRun(**(dict(row) | {"report": from_json(row["report"])}))
