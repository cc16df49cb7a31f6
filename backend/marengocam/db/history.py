"""How the whole was doing over time, and where recordings are missing."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marengocam.core.gaps import Gap, Stretch, uncovered
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

GROWING_SLACK_S = 15.0  # beyond the length of a file, until its row is there
STARTING_S = 30.0  # a camera that was just added, or switched on, begins to be recorded within this
_QUERIES = load("history")


@dataclass(frozen=True, slots=True)
class HealthSample:
    """How the whole was doing at one moment."""

    at: datetime
    disk_used_share: float | None
    ingest_lag_s: float | None
    survival_level: int
    cameras: int
    cameras_online: int
    recorded_bytes: int = 0
    database_bytes: int = 0


@dataclass(frozen=True, slots=True)
class MeantCamera:
    """A camera without its addresses and passwords: whether it is switched on, and meant to be recorded always."""

    camera_id: str
    name: str
    enabled: bool
    always: bool


@dataclass(frozen=True, slots=True)
class RecordingDay:
    """What of one day (UTC) a camera was not recorded."""

    camera_id: str
    day: date
    lost_s: float
    gaps: int
    longest_s: float


class History:
    """`hub.history`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_sample(self, sample: HealthSample) -> None:
        """Note how the whole is doing; what recordings and database take is measured here."""
        async with self._database.connection() as connection:
            await _QUERIES.add_sample(
                connection,
                at=sample.at,
                disk_used_share=sample.disk_used_share,
                ingest_lag_s=sample.ingest_lag_s,
                survival_level=sample.survival_level,
                cameras=sample.cameras,
                cameras_online=sample.cameras_online,
            )

    async def samples(self, from_at: datetime, to_at: datetime, limit: int) -> list[HealthSample]:
        """Return how the whole was doing, in order of time."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.samples(connection, from_at=from_at, to_at=to_at, most=limit))
        return [HealthSample(**dict(row)) for row in found]

    async def prune(self, before: datetime) -> None:
        """Forget samples and pauses that ended before a moment."""
        async with self._database.connection() as connection:
            await _QUERIES.prune_samples(connection, before=before)
            await _QUERIES.prune_pauses(connection, before=before)

    async def cameras(self) -> list[MeantCamera]:
        """Return which cameras there are; who only watches them needs no more."""
        async with self._database.connection() as connection:
            return [MeantCamera(**dict(row)) for row in await rows(_QUERIES.meant(connection))]

    async def begin_pause(self, camera_id: str, at: datetime) -> None:
        """Note that a camera is not meant to be recorded always from now on; noting it again is no harm."""
        async with self._database.connection() as connection:
            await _QUERIES.begin_pause(connection, camera_id=camera_id, at=at)

    async def end_pause(self, camera_id: str, at: datetime) -> None:
        """Note that it is meant to be again."""
        async with self._database.connection() as connection:
            await _QUERIES.end_pause(connection, camera_id=camera_id, at=at)

    async def gaps(
        self, camera_id: str | None, from_at: datetime, to_at: datetime, *, chunk_s: float, over: bool = False
    ) -> list[Gap]:
        """Return the stretches without a recording that was meant to be, newest first.

        A file that is still growing has no row yet: what follows the last file is a gap when it is longer than a file,
        unless the stretch is `over` for so long that every row is there.
        """
        covered: dict[str, list[Stretch]] = defaultdict(list)
        async with self._database.connection() as connection:
            begun = await rows(_QUERIES.begun(connection, camera_id=camera_id))
            asked = {"camera_id": camera_id, "from_at": from_at, "to_at": to_at}
            for row in await rows(_QUERIES.recorded(connection, **asked)):
                covered[row["camera_id"]].append((row["started_at"], row["ended_at"]))
            for row in await rows(_QUERIES.pauses(connection, **asked)):
                covered[row["camera_id"]].append((row["from_at"], row["to_at"] + timedelta(seconds=STARTING_S)))
            reach = await _QUERIES.reach(connection)
        growing = timedelta(seconds=chunk_s + GROWING_SLACK_S)
        found = []
        for row in begun:
            known = covered[row["camera_id"]]
            begins = min([row["created_at"] + timedelta(seconds=STARTING_S), *(begin for begin, _ in known[:1])])
            first = max(from_at, begins, reach or from_at)
            missing = uncovered((first, to_at), known) if first < to_at else []
            if not over and missing and missing[-1][1] == to_at and missing[-1][1] - missing[-1][0] <= growing:
                missing.pop()
            found += [Gap(row["camera_id"], begin, end) for begin, end in missing]
        return sorted(found, key=lambda gap: (gap.from_at, gap.camera_id), reverse=True)

    async def add_day(self, day: RecordingDay) -> bool:
        """Note what of a day was lost; False when it was counted before."""
        async with self._database.connection() as connection:
            added = await _QUERIES.add_day(
                connection,
                camera_id=day.camera_id,
                day=day.day,
                lost_s=day.lost_s,
                gaps=day.gaps,
                longest_s=day.longest_s,
            )
        return added is not None

    async def days(self, camera_id: str | None, first: date) -> list[RecordingDay]:
        """Return what of each day since then was lost, latest first."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.days(connection, camera_id=camera_id, first=first))
        return [RecordingDay(**dict(row)) for row in found]
