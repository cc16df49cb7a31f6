"""Replay runs: asked for, taken, steered, finished, removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.db.database import Connection, Database
from marengocam.db.events import Events
from marengocam.db.queries import from_json, load, rows, to_json

CHANNEL = "replay"
SILENT_LIMIT_S = 60.0  # without a sign of life: its process died
MOST_ATTEMPTS = 3
LIVE_EVENTS_LIMIT = 20_000
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
    state: str  # requested, running, finished, failed or cancelled
    reason: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    overrides: dict[str, str] = field(default_factory=dict)
    gallery_at: datetime | None = None
    pace: str = "fast"
    why_at: datetime | None = None
    case_ids: Sequence[UUID] | None = None  # of own tests
    wish: str = "run"
    steps: int = 0
    attempts: int = 0
    heartbeat_at: datetime | None = None
    progress: dict[str, Any] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.state not in {"requested", "running"}


@dataclass(frozen=True, slots=True)
class Steering:
    """What its owner wants of a run now."""

    wish: str  # run, pause or cancel
    pace: str  # fast, real_time or step
    steps: int  # how many frames it may have looked at, in step pace


class Replays:
    """`hub.replays`: asking and steering notify the channel `replay`; a run's end and its event are one fact."""

    def __init__(self, database: Database, events: Events) -> None:
        self._database = database
        self._events = events

    async def request(
        self,
        camera_id: str,
        at: datetime,
        *,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        source: str = "",
        debug: bool = False,
        overrides: Mapping[str, str] | None = None,
        gallery_at: datetime | None = None,
        pace: str = "fast",
        why_at: datetime | None = None,
        case_ids: Sequence[UUID] | None = None,
    ) -> UUID:
        """Ask for a run; return its id. One of own tests (`case_ids`) has no camera of its own."""
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
                overrides=to_json(dict(overrides or {})),
                gallery_at=gallery_at,
                pace=pace,
                why_at=why_at,
                case_ids=None if case_ids is None else list(case_ids),
                at=at,
            )
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(run_id))
        return run_id

    async def claim(self, at: datetime, silent_s: float = SILENT_LIMIT_S) -> ReplayRun | None:
        """Take the oldest run that waits or whose process died, or None; end those that nobody can carry out."""
        async with self._database.transaction() as connection:
            given_up = await rows(_QUERIES.give_up(connection, at=at, silent_s=silent_s, most_attempts=MOST_ATTEMPTS))
            await self._events.append([_ended(run, at) for run in given_up], connection)
            row = await _QUERIES.claim(connection, at=at, silent_s=silent_s, most_attempts=MOST_ATTEMPTS)
        return None if row is None else _run(row)

    async def give_back(self, run_id: UUID, *, crashed: bool = False) -> None:
        """Let a run wait for another process; a crash counts as an attempt."""
        async with self._database.transaction() as connection:
            await _QUERIES.give_back(connection, run_id=run_id, refund=0 if crashed else 1)
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(run_id))

    async def note_progress(self, run_id: UUID, progress: Mapping[str, Any], at: datetime) -> Steering | None:
        """Give a sign of life; return what the owner wants, None when the run is no longer to be carried out."""
        async with self._database.transaction() as connection:
            row = await _QUERIES.note_progress(connection, run_id=run_id, progress=to_json(dict(progress)), at=at)
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(run_id))
        return None if row is None else Steering(**row)

    async def control(
        self, run_id: UUID, at: datetime, *, wish: str | None = None, pace: str | None = None, steps: int = 0
    ) -> ReplayRun:
        """Say what is wanted of a run; a cancelled one that nobody carries out ends at once.

        Raises NotFoundError, ConflictError when it has ended before.
        """
        async with self._database.transaction() as connection:
            changed = await _QUERIES.control(connection, run_id=run_id, wish=wish, pace=pace, steps=steps)
            if wish == "cancel":
                await self._tell(await _QUERIES.cancel_waiting(connection, run_id=run_id, at=at), at, {}, connection)
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(run_id))
        run = await self.get(run_id)
        if not changed:
            raise ConflictError(f"The replay has ended already: it is {run.state}.")
        return run

    async def finish(self, run_id: UUID, report: dict[str, Any], at: datetime, told: Mapping[str, Any] = {}) -> None:
        """Note a run's report; `told` goes into its event. One that has ended stays as it ended."""
        async with self._database.transaction() as connection:
            ended = await _QUERIES.finish(connection, run_id=run_id, report=to_json(report), at=at)
            await self._tell(ended, at, told, connection)

    async def fail(self, run_id: UUID, reason: str, at: datetime, state: str = "failed") -> None:
        """Note why a run failed, or that it was cancelled. One that has ended stays as it ended."""
        async with self._database.transaction() as connection:
            ended = await _QUERIES.fail(connection, run_id=run_id, reason=reason, state=state, at=at)
            await self._tell(ended, at, {}, connection)

    async def _tell(self, ended: Any, at: datetime, told: Mapping[str, Any], connection: Connection) -> None:
        if ended is not None:
            await self._events.append([_ended(ended, at, told)], connection)

    async def remove(self, run_id: UUID) -> None:
        """Delete a run and its tracks; its files are the caller's. Raises NotFoundError, ConflictError."""
        async with self._database.connection() as connection:
            removed = await _QUERIES.remove(connection, run_id=run_id)
        if not removed:
            await self.get(run_id)
            raise ConflictError("The replay is running: cancel it first.")

    async def prune(self, before: datetime, most: int) -> list[UUID]:
        """Delete runs that ended before a moment, with their tracks; return which: their files are the caller's."""
        async with self._database.connection() as connection:
            return [row["run_id"] for row in await rows(_QUERIES.prune_runs(connection, before=before, most=most))]

    async def get(self, run_id: UUID) -> ReplayRun:
        """Return one run; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.get_run(connection, run_id=run_id)
        if row is None:
            raise NotFoundError("There is no such replay.")
        return _run(row)

    async def list(self, limit: int) -> list[ReplayRun]:
        """Return runs without their reports, newest first."""
        async with self._database.connection() as connection:
            return [_run(row) for row in await rows(_QUERIES.list_runs(connection, most=limit))]

    async def known(self, run_ids: Sequence[UUID]) -> set[UUID]:
        """Return which of these runs there are."""
        async with self._database.connection() as connection:
            return {row["run_id"] for row in await rows(_QUERIES.known_runs(connection, run_ids=list(run_ids)))}

    async def live_events(self, camera_id: str, from_at: datetime, to_at: datetime) -> Sequence[NewEvent]:
        """Return what was written about a camera's tracks in a stretch, in order."""
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.live_events(
                    connection, camera_id=camera_id, from_at=from_at, to_at=to_at, most=LIVE_EVENTS_LIMIT
                )
            )
        return [
            NewEvent(
                event_id=row["event_id"],
                type=EventType(row["type"]),
                occurred_at=row["occurred_at"],
                camera_id=camera_id,
                local_track_id=row["local_track_id"],
                person_id=row["person_id"],
                person_name=row["person_name"],
                probability=row["probability"],
                zones=tuple(row["zones"]),
                data=from_json(row["data"]) or {},
            )
            for row in found
        ]


def _run(row: Any) -> ReplayRun:
    texts = {name: from_json(row[name]) for name in ("report", "overrides", "progress")}
    return ReplayRun(**(dict(row) | texts))


def _ended(run: Mapping[str, Any], at: datetime, told: Mapping[str, Any] = {}) -> NewEvent:
    data = {"run_id": str(run["run_id"]), "state": run["state"], **told}
    if run["reason"]:
        data["reason"] = run["reason"]
    return NewEvent(new_id(at), EventType.REPLAY_FINISHED, at, camera_id=run["camera_id"] or None, data=data)
