"""The ingest process: cameras, detector, face engine and replays brought together; recording waits for nobody."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine
from functools import partial
from typing import Any

import aiohttp
import cv2

from marengocam.core.errors import MarengoCamError
from marengocam.core.model import Camera, Chunk
from marengocam.engines.choice import engine_at
from marengocam.ingest.camera_rounds import CameraRounds
from marengocam.ingest.face_client import FaceClient, SeveralEngines
from marengocam.ingest.face_looks import FaceLooks
from marengocam.ingest.frame_analysis import FrameResult
from marengocam.ingest.furniture import Furniture
from marengocam.ingest.loading import FALLBACK_REASON, beside, is_fallback, load_eyes
from marengocam.ingest.metrics import show_detector
from marengocam.ingest.room import Room
from marengocam.ingest.sharing import NO_STORE
from marengocam.ingest.worker import CameraWorker, Eyes
from marengocam.media.store import Store
from marengocam.replay.runner import ReplayRunner
from marengocam.runtime.breaker import BreakerState
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport
from marengocam.runtime.memory import give_back
from marengocam.runtime.neighbours import SignOfLife

ROUND_S = 2.0
STATUS_EVERY_S = 3.0
GLANCE_EVERY_S = 0.5  # a change of state, movement or recording is told within this
EYES_RETRY_S = 30.0
OPENCV_THREADS = 1  # analysis has a thread per camera already
_LOG = logging.getLogger(__name__)


class IngestService:
    """Records and analyses the cameras whose leases this process holds."""

    def __init__(self) -> None:
        self._rounds: CameraRounds | None = None
        self._eyes: Eyes | None = None
        self._eyes_problem = "the detector is being loaded"
        self._fallback = False
        self._faces: list[FaceClient] = []
        self._looks: FaceLooks | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, context: ServiceContext) -> None:
        """Serve cameras until told to end."""
        cv2.setNumThreads(OPENCV_THREADS)
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._store = Store(context.settings.media_dir, context.settings.archive_dir)
        self._room = Room(self._store, context.clock)
        with SignOfLife(context.settings.data_dir, context.instance) as neighbours:
            await self._serve(context, self._store, neighbours)

    async def _serve(self, context: ServiceContext, store: Store, neighbours: SignOfLife) -> None:
        rounds = self._rounds = CameraRounds(context, store, self._make_worker, self._background, neighbours)
        async with self._surroundings(context, rounds):
            looking_after = asyncio.create_task(self._look_after(rounds))
            try:
                statuses_due_s = context.clock.monotonic_s() + STATUS_EVERY_S
                while await context.pause(GLANCE_EVERY_S):
                    if context.clock.monotonic_s() >= statuses_due_s:
                        statuses_due_s = context.clock.monotonic_s() + STATUS_EVERY_S
                        await rounds.statuses.tell_all()
                    await rounds.statuses.tell_changes()
            finally:
                looking_after.cancel()
                await asyncio.gather(looking_after, return_exceptions=True)
                await rounds.end()

    def health(self) -> HealthReport:
        """Return how ingest is doing; a camera that is away is the camera's trouble, not ingest's."""
        if self._rounds is None:
            return HealthReport("degraded", "Ingest is starting.")
        states = {name: str(worker.state) for name, worker in self._rounds.workers.items()}
        detail = {
            "detector": self._eyes.detector.name if self._eyes else None,
            "detector_because": str(getattr(self._eyes.detector, "why", "")) if self._eyes else None,
            "appearance": self._eyes.appearance.model if self._eyes else None,
            "face_engine": str(self._faces[0].breaker.state) if self._faces else "off",
            "face_engines": {one.name: str(one.breaker.state) for one in self._faces},
            "face_engine_tries": {one.name: one.breaker.tries for one in self._faces if one.breaker.tries},
            "cameras": states,
            NO_STORE: bool(self._rounds.store_problem),
            "cameras_offline": sorted(name for name, state in states.items() if state == "offline"),
            "rows_waiting": self._rounds.writer.waiting,
            "tracks_dropped": self._rounds.writer.dropped_tracks,
            "recordings_given_up": self._room.given_up,
            "face_looks_skipped": self._looks.skipped if self._looks else 0,
        }
        problem = self._rounds.store_problem or self._room.problem or self._rounds.writer.problem
        if problem:
            return HealthReport("degraded", problem, detail)
        if self._eyes is None:
            return HealthReport("degraded", f"Cameras are recorded but not analysed: {self._eyes_problem}.", detail)
        eyes = self._eyes.detector, self._eyes.appearance
        problem = next(filter(None, (str(getattr(one, "problem", "")) for one in eyes)), "")
        if problem:
            return HealthReport("degraded", problem, detail)
        if self._fallback:
            return HealthReport("degraded", FALLBACK_REASON, detail)
        return HealthReport("ok", "", detail)

    @contextlib.asynccontextmanager
    async def _surroundings(self, context: ServiceContext, rounds: CameraRounds) -> AsyncIterator[None]:
        """Keep the background tasks running around the rounds."""
        async with aiohttp.ClientSession() as session:
            self._faces = self._face_clients(context, session)
            if self._faces:
                asked = self._faces[0] if len(self._faces) == 1 else SeveralEngines(self._faces)
                self._looks = FaceLooks(asked, self._store, lambda track: rounds.writer.put_tracks((track,)))
            self._room.start()
            tasks = [
                asyncio.create_task(rounds.writer.run()),
                asyncio.create_task(rounds.keep_leases()),
                asyncio.create_task(self._load_eyes(rounds)),
                asyncio.create_task(ReplayRunner(context).run()),
            ]
            try:
                yield
            finally:
                self._room.stop()
                for task in [*tasks, *self._tasks]:
                    task.cancel()
                await asyncio.gather(*tasks, *self._tasks, return_exceptions=True)

    async def _look_after(self, rounds: CameraRounds) -> None:
        """Look after cameras: now, at each wake-up, and every ROUND_S behind."""
        with self._context.bus.subscribed("camera") as changed:
            while True:
                try:
                    await rounds.look_after()
                except MarengoCamError as error:
                    _LOG.warning("%s", error)
                except Exception:  # noqa: BLE001 - what failed is tried again in the next round; it is logged
                    _LOG.exception("looking after the cameras failed")
                await changed.wait(ROUND_S)

    def _make_worker(self, camera: Camera, furniture: Furniture) -> CameraWorker:
        return CameraWorker(
            camera,
            furniture=furniture,
            settings=self._context.settings,
            store=self._store,
            clock=self._context.clock,
            watchdog=self._context.watchdog,
            on_chunk=self._chunk_from_thread,
            on_recovered=self._recovered_from_thread,
            on_disk_full=self._room.refused,
            on_result=self._result_from_thread,
        )

    async def _load_eyes(self, rounds: CameraRounds) -> None:
        """Load detector and appearance model beside recording, then have every camera analysed."""
        while self._eyes is None:
            try:
                self._eyes = await beside(partial(load_eyes, self._context.settings))
            except MarengoCamError as error:
                self._eyes_problem = str(error).rstrip(".")
                _LOG.error("cameras are not analysed: %s", error)
            except Exception:  # noqa: BLE001 - a library's trouble with a model; recording goes on, it is tried again
                self._eyes_problem = "the detector could not be loaded; see the log of ingest"
                _LOG.exception("cameras are not analysed")
            if self._eyes is None:
                await asyncio.sleep(EYES_RETRY_S)
        self._fallback = is_fallback(self._eyes, self._context.settings)
        show_detector(self._context.metrics, self._eyes.detector)
        give_back()
        rounds.open_eyes(self._eyes)

    def _chunk_from_thread(self, chunk: Chunk) -> None:
        assert self._rounds is not None
        self._loop.call_soon_threadsafe(self._rounds.writer.put_chunk, chunk)

    def _recovered_from_thread(self, camera_id: str) -> None:
        assert self._rounds is not None
        self._loop.call_soon_threadsafe(self._rounds.taking_over.index_leftovers, camera_id)

    def _result_from_thread(self, worker: CameraWorker, result: FrameResult) -> None:
        self._loop.call_soon_threadsafe(self._result, worker, result)

    def _result(self, worker: CameraWorker, result: FrameResult) -> None:
        assert self._rounds is not None
        self._rounds.writer.put_tracks(result.tracks)
        if self._looks is not None:
            for wish in result.faces:
                if worker.looks_for_faces:
                    self._background(self._looks.look(worker, wish))
                else:
                    self._looks.pass_over(worker, wish)

    def _face_clients(self, context: ServiceContext, session: aiohttp.ClientSession) -> list[FaceClient]:
        """Return a client for our own engine, unless faces are switched off, and for each of other makers."""
        settings, clock = context.settings, context.clock
        clients = []
        if settings.face_engine_url is not None:
            clients.append(FaceClient.stock(settings.face_engine_url, session, clock, self._face_engine_changed))
        for address in settings.foreign_engines:
            changed = partial(self._face_engine_changed, name=address.name)
            clients.append(FaceClient(engine_at(address, session), clock, changed))
        return clients

    def _face_engine_changed(self, state: BreakerState, reason: str, tries: int, name: str = "") -> None:
        engine = f"The face engine {f'({name}) ' if name else ''}"
        if state is BreakerState.HALF_OPEN:
            _LOG.info("%sis tried again after it was cut off", engine)
            return
        level = "info" if state is BreakerState.CLOSED else "warning"
        message = engine + (
            f"answers again, after {tries} careful tries."
            if state is BreakerState.CLOSED
            else f"is still cut off after {tries} careful tries: {reason}."
            if tries
            else f"is cut off; tracks go on without faces: {reason}."
        )
        _LOG.log(logging.getLevelName(level.upper()), "%s", message)
        # One that is away for days is tried every half minute: only ever longer stretches are worth a row.
        if state is BreakerState.CLOSED or tries & (tries - 1) == 0:
            self._background(self._context.hub.health.log("ingest", "face_engine", level, message))

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(_forget, self._tasks))


def _forget(tasks: "set[asyncio.Task[None]]", task: "asyncio.Task[None]") -> None:
    tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _LOG.warning("%s", task.exception())
