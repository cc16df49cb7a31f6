"""Everything that serves one camera: its readers, its analysis, its health."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.clock import Clock
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState, Chunk, LocalTrack
from marengocam.db.cameras import CameraStatus
from marengocam.ingest.analysing import Analysis
from marengocam.ingest.camera_state import CameraHealth, Condition, OnlineEvents
from marengocam.ingest.decode_queue import DecodeQueue
from marengocam.ingest.face_client import FaceAnswer
from marengocam.ingest.frame_analysis import FrameAnalyser, FrameResult
from marengocam.ingest.furniture import Furniture
from marengocam.ingest.reading import Reader
from marengocam.ingest.recording_modes import Sights
from marengocam.ingest.streams import CameraStreams
from marengocam.media.disk_thread import DiskHangsError, DiskThread
from marengocam.media.store import Store
from marengocam.runtime.watchdog import Watchdog
from marengocam.settings import Settings
from marengocam.vision.appearance import AppearanceEncoder
from marengocam.vision.detectors import Detector

JOIN_LIMIT_S = 5.5  # a reader waits at most the stream's stall limit
FINISH_LIMIT_S = 1.0  # of a chunk whose reader did not; both fit into the time to drain
JOIN_POLL_S = 0.02
MOTION_HOLD = timedelta(seconds=5)  # a pause this short is part of one movement
RATES = {"packets": "stream_fps", "frames_analysed": "analysed_fps"}
RATES_OVER_S = 2.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Glance:
    """Those facts of a camera whose change is told at once."""

    state: CameraState
    recording: bool
    moving: bool


@dataclass(frozen=True, slots=True)
class Eyes:
    """What analysis looks with, shared by all cameras of a process."""

    detector: Detector
    appearance: AppearanceEncoder


class CameraWorker:
    """Serves one camera until stopped; the `on_` functions are called on its threads."""

    def __init__(
        self,
        camera: Camera,
        *,
        settings: Settings,
        store: Store,
        clock: Clock,
        watchdog: Watchdog,
        furniture: Furniture,
        on_chunk: Callable[[Chunk], None],
        on_recovered: Callable[[str], None],
        on_disk_full: Callable[[], None],
        on_result: Callable[["CameraWorker", FrameResult], None],
    ) -> None:
        self.camera = camera
        self.events = OnlineEvents()
        self.began_at = clock.now()
        self._settings = settings
        self._store = store
        self._clock = clock
        self._furniture = furniture
        self._watchdog = watchdog
        self._health = CameraHealth(Condition(CameraState.CONNECTING, "", clock.now()))
        self._rates_from: tuple[float, dict[str, float]] = (clock.monotonic_s(), {})
        self._last_rates: dict[str, float] = {}
        queue = DecodeQueue()
        sights = self._sights = Sights()
        read = partial(
            Reader,
            store=store,
            clock=clock,
            chunk_s=settings.chunk_s,
            health=self._health,
            queue=queue,
            sights=sights,
            on_chunk=on_chunk,
            on_recovered=partial(on_recovered, camera.camera_id),
            loopback=settings.loopback_cameras,
            on_disk_full=on_disk_full,
        )
        self._streams = CameraStreams(camera, read)
        self._analysis = Analysis(
            camera,
            queue,
            store=store,
            clock=clock,
            fps=settings.analysis_fps,
            health=self._health,
            sights=sights,
            on_result=lambda result: on_result(self, result),
            feed_watchdog=lambda: watchdog.feed(self._thread_name),
            isolate_decoder=settings.isolate_decoders,
        )

    @property
    def _thread_name(self) -> str:
        return f"analysis of {self.camera.camera_id}"

    def start(self) -> None:
        """Begin to read and record, with all threads or with none."""
        try:
            self._streams.start()
            self._analysis.start()
        except BaseException:
            self.let_go()
            raise

    def let_go(self) -> None:
        """Ask all threads to end, without waiting for them."""
        self._streams.stop()
        self._analysis.stop()

    def open_eyes(self, eyes: Eyes) -> None:
        """Have the camera analysed from now on."""
        if self._analysis.analyser is None:
            self._analysis.analyser = FrameAnalyser(
                self._watched,
                eyes.detector,
                eyes.appearance,
                min_score=self._settings.detector_min_score,
                new_id=new_id,
                seconds=self._clock.monotonic_s,
                furniture=self._furniture,
                thorough=self._settings.analysis_detail == "high",
            )

    @property
    def _watched(self) -> Camera:
        """The camera with what of its analysis the installation allows."""
        asked = self.camera.analysis
        return replace(self.camera, analysis=replace(asked, appearance=asked.appearance and self._settings.appearance))

    def change(self, camera: Camera) -> None:
        """Go on with the camera as it is configured now; no more than another second stream is connected for it."""
        if camera.sub_url != self.camera.sub_url:
            self._streams.exchange_second(camera)
            self._health.stream_problem = ""
        self.camera = camera
        self._streams.change(camera)
        self._analysis.change(camera, self._watched)

    @property
    def furniture(self) -> list[dict[str, Any]] | None:
        """What stands in its picture, as it is to be kept; None when it is not to be learned or not known yet."""
        analyser = self._analysis.analyser
        return analyser.furniture.to_json() if analyser is not None and analyser.furniture is not None else None

    def remember(self, before: Furniture) -> None:
        """Know what the camera had learned before, besides what it has learned since it was started."""
        self._furniture.remember(before)

    def record_until(self, at: datetime | None) -> None:
        """Record until a moment whatever is seen, unless recording is off; None: as the mode says."""
        self._sights.wished_until = at

    def shed(self, least: int) -> None:
        """Have analysis give up at least so many steps, as survival mode asks."""
        self._analysis.shedding.floor = least

    @property
    def looks_for_faces(self) -> bool:
        """Whether faces are looked for at the present step of shedding."""
        return self._analysis.shedding.step.faces

    def lag_s(self) -> float:
        """Return how far this camera is behind: a packet not analysed yet, or one that the disk does not take."""
        writing_since_s = self._health.writing_since_s
        stall_s = 0.0 if writing_since_s is None else self._clock.monotonic_s() - writing_since_s
        return max(stall_s, self._analysis.lag_s())

    async def stop(self) -> tuple[LocalTrack, ...]:
        """End, closing the chunk; return the last state of the tracks that were open."""
        self.let_go()
        give_up_s = self._clock.monotonic_s() + JOIN_LIMIT_S
        threads = [*(reader.thread for reader in self._streams.readers), self._analysis.thread]
        while any(thread.is_alive() for thread in threads) and self._clock.monotonic_s() < give_up_s:  # noqa: ASYNC110 - threads end without telling a loop
            await asyncio.sleep(JOIN_POLL_S)
        for reader in self._streams.readers:
            if reader.thread.is_alive():  # HLS comes in pieces, with many seconds between them
                await self._finish_chunk_of(reader)
        self._watchdog.forget(self._thread_name)
        analyser = self._analysis.analyser
        return analyser.rest() if analyser is not None else ()

    async def _finish_chunk_of(self, reader: Reader) -> None:
        """Close its chunk; a disk that hangs leaves the file to be adopted, and others to be stopped."""
        disk = DiskThread(self._store.root, FINISH_LIMIT_S)
        try:
            await disk.run(reader.finish_chunk)
        except DiskHangsError as error:
            _LOG.error("camera %s: its recording is not finished: %s", self.camera.camera_id, error)
        finally:
            disk.close()

    def note_face(
        self, local_track_id: UUID, answer: FaceAnswer, picture: PurePosixPath | None, *, engine_ok: bool
    ) -> LocalTrack | None:
        """Take in what the face engine saw; return the track if that changed it."""
        analyser = self._analysis.analyser
        if analyser is None:
            return None
        with analyser.lock:
            return analyser.book.note_face(
                local_track_id, face=answer.face, name=answer.name, engine_ok=engine_ok, picture=picture
            )

    @property
    def state(self) -> CameraState:
        """How the camera is doing, in a word."""
        return self._health.now(self._clock.now()).state

    @property
    def glance(self) -> Glance:
        """What somebody who watches wants to know at once."""
        now = self._clock.now()
        return Glance(self._health.now(now).state, recording=self._health.recording, moving=self._moving(now))

    def status(self) -> CameraStatus:
        """Return how the camera is doing, with rates since the last call."""
        now = self._clock.now()
        condition, counters = self._health.now(now), self._health.counters
        figures = {
            "packets": counters.packets,
            "bytes": counters.bytes,
            "chunks": counters.chunks,
            "frames_received": counters.frames_received,
            "frames_decoded": counters.frames_decoded,
            "frames_undecoded": counters.frames_undecoded,
            "frames_analysed": counters.frames_analysed,
            "packets_skipped": counters.packets_skipped,
            "frames_skipped": counters.frames_skipped,
            "frames_lost": counters.frames_lost,
            "reconnects": counters.reconnects,
            "ingest_lag_s": round(self.lag_s(), 2),
            "analysis_lag_s": round(counters.analysis_lag_s, 2),
            "shed_level": counters.shed_level,
            "decoders_lost": counters.decoders_lost,
            "recording": int(self._health.recording),
            "moving": int(self._moving(now)),
            "detector_ms": round(1000 * counters.detector_s / max(counters.frames_analysed, 1), 1),
        }
        return CameraStatus(
            camera_id=self.camera.camera_id,
            state=condition.state,
            reason=condition.reason,
            since=condition.since,
            updated_at=now,
            last_packet_at=counters.last_packet_at,
            metrics=figures | self._rates(figures),
        )

    def _moving(self, now: datetime) -> bool:
        """Return whether something moved in front of it just now."""
        moved_at = self._sights.motion_at
        return moved_at is not None and abs(now - moved_at) < MOTION_HOLD

    def _rates(self, figures: dict[str, float]) -> dict[str, float]:
        """Return frames per second since the last status."""
        before_s, before = self._rates_from
        now_s = self._clock.monotonic_s()
        elapsed_s = now_s - before_s
        if elapsed_s < RATES_OVER_S and self._last_rates:
            return self._last_rates
        elapsed_s = max(elapsed_s, 1e-3)
        self._rates_from = (now_s, {name: figures[name] for name in RATES})
        self._last_rates = {
            rate: round((figures[name] - before.get(name, 0)) / elapsed_s, 1) for name, rate in RATES.items()
        }
        return self._last_rates
