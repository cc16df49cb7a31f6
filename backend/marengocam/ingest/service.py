"""The ingest process: claims cameras, serves each by a worker, tells the hub; recording waits for nobody."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import aiohttp
import cv2
import numpy as np

from marengocam.core.errors import FaceEngineError, HubUnavailableError, MarengoCamError, StoreError
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState, Chunk, EventType, LocalTrack, NewEvent
from marengocam.ingest.catching_up import index_leftovers
from marengocam.ingest.face_client import FaceAnswer, FaceClient
from marengocam.ingest.frame_analysis import FaceWish, FrameResult
from marengocam.ingest.hub_writer import HubWriter
from marengocam.ingest.known_cameras import KnownCameras
from marengocam.ingest.metrics import CameraFigures
from marengocam.ingest.worker import CameraWorker, Eyes
from marengocam.media.store import Store
from marengocam.replay.runner import ReplayRunner
from marengocam.runtime.breaker import BreakerState
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport
from marengocam.runtime.leases import RENEW_S, LeaseKeeper
from marengocam.vision.appearance import load_appearance_encoder
from marengocam.vision.detectors import load_detector
from marengocam.vision.models import Models

ROUND_S = 2.0
STATUS_EVERY_S = 3.0
FLUSH_LIMIT_S = 2.0
LEFTOVERS_REACH = timedelta(days=2)
FACE_LOOKS_AT_ONCE = 3
OPENCV_THREADS = 1  # analysis has a thread per camera already
_LOG = logging.getLogger(__name__)


class IngestService:
    """Records and analyses the cameras whose leases this process holds."""

    def __init__(self) -> None:
        self._workers: dict[str, CameraWorker] = {}
        self._eyes: Eyes | None = None
        self._eyes_problem = "the detector is being loaded"
        self._face: FaceClient | None = None
        self._store_problem = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, context: ServiceContext) -> None:
        """Serve cameras until told to end."""
        cv2.setNumThreads(OPENCV_THREADS)
        self._context = context
        self._store = Store(context.settings.media_dir)
        self._keeper = LeaseKeeper(context.hub, context.clock, context.instance)
        self._known = KnownCameras(context.settings.data_dir, context.hub.keyring)
        self._writer = HubWriter(context.hub, self._fences)
        self._loop = asyncio.get_running_loop()
        self._looks = asyncio.Semaphore(FACE_LOOKS_AT_ONCE)
        self._figures = CameraFigures(context.metrics)
        async with self._surroundings(context):
            rounds = asyncio.create_task(self._rounds())
            try:
                while await context.pause(STATUS_EVERY_S):
                    await self._tell_statuses()
            finally:
                rounds.cancel()
                await asyncio.gather(rounds, return_exceptions=True)
                await self._drain()

    def health(self) -> HealthReport:
        """Return how ingest is doing; a camera that is away is the camera's trouble, not ingest's."""
        detail = {
            "detector": self._eyes.detector.name if self._eyes else None,
            "appearance": self._eyes.appearance.model if self._eyes else None,
            "face_engine": str(self._face.breaker.state) if self._face else "off",
            "cameras": {name: str(worker.status().state) for name, worker in self._workers.items()},
            "rows_waiting": self._writer.waiting if hasattr(self, "_writer") else 0,
        }
        if self._store_problem:
            return HealthReport("degraded", self._store_problem, detail)
        if self._eyes is None:
            return HealthReport("degraded", f"Cameras are recorded but not analysed: {self._eyes_problem}.", detail)
        return HealthReport("ok", "", detail)

    @contextlib.asynccontextmanager
    async def _surroundings(self, context: ServiceContext) -> AsyncIterator[None]:
        """Keep the background tasks running around the rounds."""
        async with aiohttp.ClientSession() as session:
            url = context.settings.face_engine_url
            if url is not None:
                self._face = FaceClient(url, session, context.clock, self._face_engine_changed)
            replays = ReplayRunner(context)
            tasks = [
                asyncio.create_task(self._writer.run()),
                asyncio.create_task(self._load_eyes()),
                asyncio.create_task(replays.run()),
            ]
            try:
                yield
            finally:
                for task in [*tasks, *self._tasks]:
                    task.cancel()
                await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)

    async def _rounds(self) -> None:
        """Look after cameras: now, at each wake-up, and every ROUND_S behind."""
        while True:
            try:
                await self._round()
            except MarengoCamError as error:
                _LOG.warning("%s", error)
            await self._context.bus.wait("camera", min(ROUND_S, RENEW_S))

    async def _round(self) -> None:
        await self._prepare_store()
        try:
            cameras = await self._context.hub.cameras.list()
        except HubUnavailableError:
            if not self._workers:
                # I4: recording needs the disk and the camera, nothing else.
                for camera in await asyncio.to_thread(self._known.read):
                    if camera.enabled:
                        self._start(camera)
            return
        self._known.write(cameras)
        wanted = {camera.camera_id: camera for camera in cameras if camera.enabled}
        before = set(self._keeper.held)
        await self._keeper.refresh([f"camera:{camera_id}" for camera_id in wanted])
        ours = {name.removeprefix("camera:") for name in self._keeper.held}
        for camera_id in list(self._workers):
            if camera_id not in ours or self._workers[camera_id].camera != wanted.get(camera_id):
                await self._stop(camera_id)
        for camera_id in sorted(ours & wanted.keys() - self._workers.keys()):
            self._start(wanted[camera_id])
        for name in sorted(set(self._keeper.held) - before):
            await self._take_over(name.removeprefix("camera:"))

    async def _prepare_store(self) -> None:
        try:
            installation_id = await self._context.hub.settings_store.installation_id()
        except HubUnavailableError:
            installation_id = None
        try:
            self._store.prepare(installation_id)
            self._store_problem = ""
        except StoreError as error:
            self._store_problem = str(error)
            raise

    async def _take_over(self, camera_id: str) -> None:
        """Tidy up after a former holder: its open tracks end, its files are adopted and indexed."""
        lease = self._keeper.held.get(f"camera:{camera_id}")
        if lease is None:
            return
        # Tracks that our own worker opened meanwhile would be closed too, but their next state opens them again.
        await self._context.hub.tracks.close_abandoned(camera_id, lease.fence)
        self._background(
            index_leftovers(self._context.hub, self._store, camera_id, self._context.clock, LEFTOVERS_REACH)
        )

    def _start(self, camera: Camera) -> None:
        _LOG.info("camera %s is served", camera.camera_id)
        worker = CameraWorker(
            camera,
            self._eyes,
            settings=self._context.settings,
            store=self._store,
            clock=self._context.clock,
            watchdog=self._context.watchdog,
            on_chunk=self._chunk_from_thread,
            on_result=self._result_from_thread,
        )
        self._workers[camera.camera_id] = worker
        worker.start()

    async def _stop(self, camera_id: str) -> None:
        worker = self._workers.pop(camera_id)
        self._writer.put_tracks(await worker.stop())
        _LOG.info("camera %s is served no more", camera_id)

    async def _load_eyes(self) -> None:
        """Load detector and appearance model beside recording, then have every camera analysed."""
        settings = self._context.settings
        models = Models(settings)
        try:
            detector = await asyncio.to_thread(load_detector, settings, models)
            appearance = await asyncio.to_thread(load_appearance_encoder, settings, models)
        except MarengoCamError as error:
            self._eyes_problem = str(error)
            _LOG.error("cameras are not analysed: %s", error)
            return
        self._eyes = Eyes(detector, appearance)
        for camera_id in list(self._workers):
            camera = self._workers[camera_id].camera
            await self._stop(camera_id)
            self._start(camera)

    def _chunk_from_thread(self, chunk: Chunk) -> None:
        self._loop.call_soon_threadsafe(self._writer.put_chunk, chunk)

    def _result_from_thread(self, worker: CameraWorker, result: FrameResult) -> None:
        self._loop.call_soon_threadsafe(self._result, worker, result)

    def _result(self, worker: CameraWorker, result: FrameResult) -> None:
        self._writer.put_tracks(result.tracks)
        if self._face is None:
            return
        for wish in result.faces:
            self._background(self._look_for_face(self._face, worker, wish))

    async def _look_for_face(self, face: FaceClient, worker: CameraWorker, wish: FaceWish) -> None:
        async with self._looks:
            try:
                answer = await face.look(wish.jpeg, jpeg_size(wish.jpeg))
            except FaceEngineError as error:
                _LOG.debug("%s", error)
                self._put(worker.note_face(wish.local_track_id, FaceAnswer(), None, engine_ok=False))
                return
        picture = await self._save_face(wish) if answer.face is not None else None
        self._put(worker.note_face(wish.local_track_id, answer, picture, engine_ok=True))

    async def _save_face(self, wish: FaceWish) -> PurePosixPath | None:
        try:
            await asyncio.to_thread(self._store.write_picture, wish.path, wish.jpeg)
        except StoreError as error:
            _LOG.warning("%s", error)
            return None
        return wish.path

    def _put(self, track: LocalTrack | None) -> None:
        if track is not None:
            self._writer.put_tracks((track,))

    def _face_engine_changed(self, state: BreakerState, reason: str) -> None:
        closed = state is BreakerState.CLOSED
        level, text = ("info", "answers again") if closed else ("warning", "is cut off; tracks go on without faces")
        message = f"The face engine {text}: {reason}."
        _LOG.warning("%s", message)
        self._background(self._context.hub.health.log("ingest", "face_engine", level, message))

    async def _tell_statuses(self) -> None:
        for worker in list(self._workers.values()):
            status = worker.status()
            self._figures.set(status)
            due = worker.due_event()
            try:
                await self._context.hub.cameras.write_status(status)
                if due is not None:
                    await self._context.hub.events.append([self._event(worker.camera, due, status.reason)])
            except HubUnavailableError:
                if due is not None:
                    worker.events.told_offline = due is CameraState.ONLINE
                return

    def _event(self, camera: Camera, state: CameraState, reason: str) -> NewEvent:
        now = self._context.clock.now()
        online = state is CameraState.ONLINE
        kind = EventType.CAMERA_ONLINE if online else EventType.CAMERA_OFFLINE
        return NewEvent(new_id(now), kind, now, camera_id=camera.camera_id, data={} if online else {"reason": reason})

    def _fences(self) -> dict[str, int]:
        return {name.removeprefix("camera:"): lease.fence for name, lease in self._keeper.held.items()}

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(_forget, self._tasks))

    async def _drain(self) -> None:
        await asyncio.gather(*(self._stop(camera_id) for camera_id in list(self._workers)))
        with contextlib.suppress(TimeoutError, MarengoCamError):
            await asyncio.wait_for(self._writer.flush(), FLUSH_LIMIT_S)
            await asyncio.wait_for(self._keeper.release_all(), FLUSH_LIMIT_S)


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """Return a JPEG's width and height in pixels."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
    return (picture.shape[1] * 8, picture.shape[0] * 8) if picture is not None else (1, 1)


def _forget(tasks: "set[asyncio.Task[None]]", task: "asyncio.Task[None]") -> None:
    tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _LOG.warning("%s", task.exception())
