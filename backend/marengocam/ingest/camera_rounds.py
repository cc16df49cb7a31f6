"""Which cameras this process serves: leases claimed and renewed, workers started and stopped."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any

from marengocam.core.errors import HubUnavailableError, MarengoCamError, StoreError
from marengocam.core.model import Camera
from marengocam.core.preferences import in_force
from marengocam.core.survival import SHED_LEVEL
from marengocam.ingest.changes import reads_anew
from marengocam.ingest.furniture import Furniture
from marengocam.ingest.hub_writer import HubWriter
from marengocam.ingest.known_cameras import KnownCameras
from marengocam.ingest.memories import Memories
from marengocam.ingest.room import settle_given_up
from marengocam.ingest.sharing import Sharing, able
from marengocam.ingest.statuses import Statuses
from marengocam.ingest.taking_over import TakingOver
from marengocam.ingest.worker import CameraWorker, Eyes
from marengocam.media.mounting import MediaFolder
from marengocam.media.store import Store
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.leases import LeaseKeeper
from marengocam.runtime.neighbours import SignOfLife

FLUSH_LIMIT_S, FLUSH_RETRY_S = 1.5, 0.3
END_LIMIT_S = 6.0  # for stopping and flushing; with a slow call before it, it fits into the time to drain
RELEASE_LIMIT_S = 1.0
PREFIX = "camera:"
RENEW_S = 2.0  # a quarter of a lease
_LOG = logging.getLogger(__name__)


class CameraRounds:
    """Looks after the cameras of this process; runs on the event loop only."""

    def __init__(
        self,
        context: ServiceContext,
        store: Store,
        make_worker: Callable[[Camera, Furniture], CameraWorker],
        background: Callable[[Coroutine[Any, Any, None]], None],
        neighbours: SignOfLife,
    ) -> None:
        self.workers: dict[str, CameraWorker] = {}
        self.writer = HubWriter(context.hub, self._fences)
        self._context = context
        self._hub = context.hub
        self._store = store
        self._media = MediaFolder(store, context.settings.data_dir)
        self._make_worker = make_worker
        self._neighbours = neighbours
        self._keeper = LeaseKeeper(context.hub, context.instance, neighbours.is_dead)
        self._sharing = Sharing(context.instance)
        self._memories = Memories(context.hub, context.clock, self._fences)
        self._known = KnownCameras(context.settings.data_dir, context.hub.keyring)
        self._eyes: Eyes | None = None
        self.taking_over = TakingOver(context, store, self.workers, self.writer, background)
        self.statuses = Statuses(context, self.workers, self._fences, self.taking_over.is_done, self._memories)

    def open_eyes(self, eyes: Eyes) -> None:
        """Have every camera analysed from now on."""
        self._eyes = eyes
        for worker in self.workers.values():
            self._open_eyes_of(worker)

    def _open_eyes_of(self, worker: CameraWorker) -> None:
        if self._eyes is None:
            return
        try:
            worker.open_eyes(self._eyes)
        except Exception:  # noqa: BLE001 - it is recorded without being analysed, and the others are analysed
            _LOG.exception("camera %s is not analysed", worker.camera.camera_id)

    async def look_after(self) -> None:
        """Do one round: bring leases and workers in line with the hub's cameras. Raises MarengoCamError."""
        try:
            await self._round()
        except Exception:
            await self._serve_known()  # whatever the hub refuses, recording does not wait for it (I4)
            raise

    async def keep_leases(self) -> None:
        """Renew what is held until cancelled: with a slow hub a round takes longer than leases last."""
        while True:
            await self._keeper.renew()
            await asyncio.sleep(RENEW_S)

    async def _round(self) -> None:
        await self._prepare_store()
        try:
            cameras = in_force(await self._hub.cameras.list(), await self._hub.preferences.get())
        except HubUnavailableError:
            self._sharing.hub_is_away(self._context.clock.monotonic_s())
            await self._serve_known()
            return
        self._known.write(cameras)
        wanted = {camera.camera_id: camera for camera in cameras if camera.enabled}
        others = await self._others()
        surplus = self._sharing.surplus(self._held() & wanted.keys(), len(wanted), others, can_record=self._can_record)
        self._sharing.give_up(surplus, self._context.clock.monotonic_s())
        owed = self._owed(wanted)
        to_hold = await self._to_hold(wanted.keys() | self.workers.keys() | owed, others)
        answered = await self._refresh(to_hold)
        gone = [camera_id for camera_id in self.workers if camera_id not in wanted or camera_id in surplus]
        changed = self._change(wanted)
        lost = [camera_id for camera_id in self.workers if answered and camera_id not in self._held()]
        await self._stop({*gone, *changed, *lost})
        for camera_id in lost:
            self.writer.drop_camera(camera_id)
        if gone:
            # Their last rows need the lease, so it is given back only now, or when the hub has taken them.
            await self._flush()
        if gone or surplus:
            await self._refresh(((self._held() & wanted.keys()) - surplus) | self._owed(wanted))
            for camera_id in surplus - self._held():
                self.writer.drop_camera(camera_id)
        # A hub that can be read and not written gives no leases; what they are for is recorded all the same.
        served = self._held() if answered else self._held() | (set(to_hold) - surplus)
        for camera_id in sorted(served & wanted.keys() - self.workers.keys()):
            await self._memories.load(camera_id)
            self._start(wanted[camera_id])
        for worker in self.workers.values():
            await self._memories.load_late(worker)
        await self._shed()
        await self._settle()
        await self._record_as_wished()
        await self.taking_over.tidy_up(self._fences())
        await self.statuses.tell_disabled({camera.camera_id for camera in cameras if not camera.enabled})

    def _change(self, wanted: Mapping[str, Camera]) -> list[str]:
        """Have cameras go on as they are configured now; return those that have to be connected anew for it."""
        changed = {key for key, worker in self.workers.items() if key in wanted and worker.camera != wanted[key]}
        anew = {key for key in changed if reads_anew(self.workers[key].camera, wanted[key])}
        for camera_id in changed - anew:
            try:
                self.workers[camera_id].change(wanted[camera_id])
            except RuntimeError:  # no thread could be started for its second stream
                _LOG.exception("camera %s is connected anew for what its owner changed", camera_id)
                anew.add(camera_id)
                continue
            _LOG.info("camera %s goes on with what its owner changed", camera_id)
        return sorted(anew)

    async def end(self) -> None:
        """Stop every camera, write what waits, give the leases back."""
        until_s = self._context.clock.monotonic_s() + END_LIMIT_S
        await self._stop(list(self.workers))
        left_s = until_s - self._context.clock.monotonic_s()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(left_s, FLUSH_LIMIT_S)):
                # Files without rows are found again at the next start; tracks are not.
                while not await self.writer.flush():  # noqa: ASYNC110 - the hub does not tell when it is back
                    await asyncio.sleep(FLUSH_RETRY_S)
        if self.writer.waiting_tracks:
            _LOG.error("%d tracks were not written: the hub did not take them", len(self.writer.waiting_tracks))
        with contextlib.suppress(TimeoutError, MarengoCamError):
            async with asyncio.timeout(RELEASE_LIMIT_S):
                await self._keeper.release_all()

    @property
    def store_problem(self) -> str:
        """Why nothing can be recorded, empty while all is well."""
        return self._store.problem

    def _held(self) -> set[str]:
        return {name.removeprefix(PREFIX) for name in self._keeper.held}

    def _fences(self) -> dict[str, int]:
        return {name.removeprefix(PREFIX): lease.fence for name, lease in self._keeper.held.items()}

    def _owed(self, wanted: Collection[str]) -> set[str]:
        """Return the cameras that are served no more, and whose last rows the hub has still to take."""
        return (self.writer.cameras & self._held()) - set(wanted) - self.workers.keys()

    @property
    def _can_record(self) -> bool:
        return not self.store_problem

    async def _others(self) -> set[str]:
        """Return the other processes that could serve cameras."""
        services = await self._hub.health.list()
        living = able(services) - {self._context.instance}
        return {one for one in living if not self._neighbours.is_dead(one)}

    async def _to_hold(self, cameras: Collection[str], others: Collection[str]) -> list[str]:
        leases = await self._hub.leases.list()
        leased = {one.name.removeprefix(PREFIX) for one in leases if not self._neighbours.is_dead(one.holder)}
        held, now_s = self._held(), self._context.clock.monotonic_s()
        return self._sharing.wanted(
            cameras,
            held & set(cameras),
            leased,
            others,
            now_s,
            can_record=self._can_record,
            recorded=self.workers.keys(),
        )

    async def _shed(self) -> None:
        """Have every camera shed what survival mode asks."""
        level = await self._hub.settings_store.get(SHED_LEVEL)
        for worker in self.workers.values():
            worker.shed(level if isinstance(level, int) else 0)

    async def _settle(self) -> None:
        """Have the index follow what went without it; rows that wait come first, or they would come after."""
        if self.writer.waiting_chunks or self.store_problem:
            return  # another's disk has a list of its own
        try:
            await settle_given_up(self._hub, self._store, self._context.clock)
        except StoreError as error:
            _LOG.warning("%s", error)

    async def _record_as_wished(self) -> None:
        """Have cameras recorded for as long as rules ask."""
        wishes = await self._hub.firings.record_wishes(self._context.clock.now())
        for camera_id, worker in self.workers.items():
            worker.record_until(wishes.get(camera_id))

    async def _refresh(self, camera_ids: Iterable[str]) -> bool:
        return await self._keeper.refresh([f"{PREFIX}{camera_id}" for camera_id in sorted(camera_ids)])

    async def _prepare_store(self) -> None:
        try:
            installation_id = await self._hub.settings_store.installation_id()
        except MarengoCamError:
            installation_id = None
        try:
            await asyncio.to_thread(self._media.look, installation_id)
        except StoreError as error:
            if str(error) != self.store_problem:
                _LOG.error("%s", error)

    async def _serve_known(self) -> None:
        """Start the cameras known from last time: recording needs the disk and the camera, nothing else (I4)."""
        if self.workers:
            return
        for camera in await asyncio.to_thread(self._known.read):
            if camera.enabled:
                self._start(camera)

    def _start(self, camera: Camera) -> None:
        if self.store_problem:
            return
        try:
            worker = self._make_worker(camera, self._memories.furniture(camera.camera_id))
            worker.start()
        except Exception:  # noqa: BLE001 - one camera's trouble stays its own; it is tried again in the next round
            _LOG.exception("camera %s could not be started", camera.camera_id)
            return
        _LOG.info("camera %s is served", camera.camera_id)
        self.workers[camera.camera_id] = worker
        self._open_eyes_of(worker)
        self.taking_over.forget(camera.camera_id)

    async def _stop(self, camera_ids: Iterable[str]) -> None:
        workers = [self.workers.pop(camera_id) for camera_id in camera_ids]
        for worker, tracks in zip(workers, await asyncio.gather(*(one.stop() for one in workers)), strict=True):
            self.writer.put_tracks(tracks)
            self.statuses.forget(worker.camera.camera_id)
            _LOG.info("camera %s is served no more", worker.camera.camera_id)
        with contextlib.suppress(TimeoutError):
            keeping = asyncio.gather(*(self._memories.keep(worker) for worker in workers))
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await keeping

    async def _flush(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_LIMIT_S):
                await self.writer.flush()
