"""What is done in peace: classes, retention by age and size, the archive, old rows; it waits while ingest is behind."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from prometheus_client import Counter, Gauge

from marengocam.core.errors import StoreError
from marengocam.core.retention import Policy
from marengocam.janitor.archive import archive_problem, end_cut_short_moves, move
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.janitor.pruning import prune
from marengocam.janitor.quiet import Disks
from marengocam.janitor.retention import as_many_as, class_of, excesses, judge, moves_before, to_sacrifice
from marengocam.janitor.stray_faces import StrayFaces
from marengocam.janitor.survival import FULL_SHARE
from marengocam.media.space import Space, space_of
from marengocam.media.store import Store
from marengocam.runtime.context import ServiceContext

BATCH = 200
SETTLED_AFTER = timedelta(minutes=10)  # by then the tracks of a recording are written and mostly resolved
BEHIND_S = 1.0  # deleting waits while ingest is further behind than this
WAIT_S, WAIT_LIMIT_S = 0.5, 30.0
BATCH_PAUSE_S = 0.2
MOVED_A_ROUND = 200
PRUNE_EVERY_S = 600.0
ARCHIVE_KNOWN = "archive_folder"  # in the hub's settings: the archive that was once used, and so has its marker
_LOG = logging.getLogger(__name__)


class Upkeep:
    """One round after the other; a round that fails is done again."""

    def __init__(self, context: ServiceContext, store: Store, disks: Disks, lag_s: Callable[[], float | None]) -> None:
        self.deleted = 0
        self.moved = 0
        self.archive_problem = ""
        self.deletion_problem = ""
        self._context = context
        self._hub = context.hub
        self._store = store
        self._disks = disks
        self._lag_s = lag_s
        self._prune_due_s = 0.0
        self._stray_faces = StrayFaces(context.hub, store, disks, context.clock)
        registry = context.metrics
        self._deleted_counter = Counter("marengocam_deleted_chunks", "deleted by retention", registry=registry)
        self._moved_counter = Counter("marengocam_archived_chunks", "moved to the archive", registry=registry)
        self._dead_gauge = Gauge("marengocam_table_dead_rows", "wait for a vacuum", ["table"], registry=registry)

    async def round(self, *, ages_are_believed: bool) -> None:
        """Do one round, on a disk that is ours. Raises MarengoCamError."""
        await self._disks.check()
        rules = await self._hub.retention.rules()
        policy = Policy(rules, self._context.settings.retention_days)
        if ages_are_believed:
            await self._retain_by_age(policy)
        for excess in excesses(await self._hub.retention.sizes(), rules, self._context.settings.retention_max_bytes):
            await self._delete_excess(excess.camera_id, excess.kind, excess.over_bytes)
        await self._look_after_archive(ages_are_believed=ages_are_believed)
        if ages_are_believed and self._context.clock.monotonic_s() >= self._prune_due_s:
            await prune(self._context, self._store, self._disks, policy.longest, self._dead_gauge)
            self._prune_due_s = self._context.clock.monotonic_s() + PRUNE_EVERY_S
        await self._stray_faces.remove()

    async def classify(self) -> None:
        """Note what happened during recordings that nobody looked at yet."""
        before = self._context.clock.now() - SETTLED_AFTER
        while ids := await self._hub.retention.unclassed(before, BATCH):
            happened = await self._hub.retention.happenings(ids)
            await self._hub.retention.set_classes({key: class_of(one) for key, one in happened.items()})
            await self._breathe()

    async def _retain_by_age(self, policy: Policy) -> None:
        while True:
            now = self._context.clock.now()
            due = await self._hub.retention.due(now - policy.shortest, now, BATCH)
            happened = await self._hub.retention.happenings([chunk.chunk_id for chunk in due])
            verdict = judge(due, happened, policy, now)
            await self._hub.retention.set_classes(verdict.classes)
            await self._hub.retention.review_later(verdict.reviews)
            await condemn(self._hub, verdict.going, self._context.clock)
            await self._carry_out()
            if len(due) < BATCH or self._context.stopping.is_set():
                return

    async def _delete_excess(self, camera_id: str | None, kind: str | None, over_bytes: float) -> None:
        while over_bytes > 0 and not self._context.stopping.is_set():
            oldest = await self._hub.retention.oldest(BATCH, camera_id=camera_id, kind=kind)
            going = as_many_as(oldest, over_bytes)
            if not going:
                return
            await condemn(self._hub, going, self._context.clock)
            await self._carry_out()
            over_bytes -= sum(chunk.size_bytes for chunk in going)

    async def _carry_out(self) -> None:
        done = await carry_out(self._hub, self._store, self._disks, breath=self._breathe)
        self.deletion_problem = done.problem
        self.deleted += done.count
        self._deleted_counter.inc(done.count)

    async def _look_after_archive(self, *, ages_are_believed: bool) -> None:
        if self._store.archive is None:
            return
        try:
            self.archive_problem = await self._archive_problem()
            if not self.archive_problem:
                await self._use_archive(self._store.archive, ages_are_believed=ages_are_believed)
        except StoreError as error:
            self.archive_problem = str(error)

    async def _use_archive(self, archive: Path, *, ages_are_believed: bool) -> None:
        """Move what is old there, having made room. Raises StoreError."""
        await end_cut_short_moves(self._hub, self._store, self._disks)
        await self._empty_archive(archive)
        early, after = False, timedelta(days=self._context.settings.archive_after_days)
        for _ in range(MOVED_A_ROUND):
            now, space = self._context.clock.now(), await self._disks.space()
            before = moves_before(space, after, now, early=early)
            early = before == now
            if self._context.stopping.is_set() or not (ages_are_believed or early):
                return
            oldest = await self._hub.retention.movable(before, 1)
            if not oldest or (await self._space_of(archive)).used_share > FULL_SHARE:
                return
            moved = await move(self._hub, self._store, oldest[0], self._disks)
            self.moved += moved
            self._moved_counter.inc(moved)
            await self._breathe()

    async def _empty_archive(self, archive: Path) -> None:
        """Delete the oldest of a full archive, favourites last, so that it can take what follows."""
        space = await self._space_of(archive)
        while space.used_share > FULL_SHARE and not self._context.stopping.is_set():
            oldest = await self._hub.retention.oldest(BATCH, folder="archive")
            going = to_sacrifice(oldest, space)
            if not going:
                return
            await condemn(self._hub, going, self._context.clock)
            await self._carry_out()
            space = await self._space_of(archive)

    async def _space_of(self, archive: Path) -> Space:
        return await self._disks.on_ours(self._disks.archive, space_of, archive)

    async def _archive_problem(self) -> str:
        """Return why the archive cannot be used; one whose marker is gone is a mount point without its disk.

        Raises StoreError where the disk itself says so.
        """
        archive, disk = self._store.archive, self._disks.archive
        assert archive is not None
        problem = await disk.run(archive_problem, self._store)
        if problem:
            return problem
        second = Store(archive)
        known = await self._hub.settings_store.get(ARCHIVE_KNOWN)
        if known == str(archive) and not await disk.run(second.marked):
            return f"The archive folder {archive} is empty: mount its disk. Old recordings stay where they are."
        await disk.run(second.prepare, await self._hub.settings_store.installation_id())
        if known != str(archive):
            await self._hub.settings_store.set(ARCHIVE_KNOWN, str(archive))
        return ""

    async def _breathe(self) -> None:
        """Pause between batches; longer while ingest is behind."""
        waited_s = BATCH_PAUSE_S
        await asyncio.sleep(BATCH_PAUSE_S)
        while (self._lag_s() or 0.0) > BEHIND_S and waited_s < WAIT_LIMIT_S:
            await asyncio.sleep(WAIT_S)
            waited_s += WAIT_S
