"""Everything that serves one camera: its readers, its analysis, its health."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
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
from marengocam.ingest.reading import Reader, ReadingPlan
from marengocam.media.store import Store
from marengocam.runtime.watchdog import Watchdog
from marengocam.settings import Settings
from marengocam.vision.appearance import AppearanceEncoder
from marengocam.vision.detectors import Detector

JOIN_LIMIT_S = 6.0


@dataclass(frozen=True, slots=True)
class Eyes:
    """What analysis looks with, shared by all cameras of a process."""

    detector: Detector
    appearance: AppearanceEncoder


class CameraWorker:
    """Serves one camera until stopped; `on_chunk` and `on_result` are called on its threads."""

    def __init__(
        self,
        camera: Camera,
        eyes: Eyes | None,
        *,
        settings: Settings,
        store: Store,
        clock: Clock,
        watchdog: Watchdog,
        on_chunk: Callable[[Chunk], None],
        on_result: Callable[["CameraWorker", FrameResult], None],
    ) -> None:
        self.camera = camera
        self.events = OnlineEvents()
        self._clock = clock
        self._store = store
        self._watchdog = watchdog
        self._health = CameraHealth(Condition(CameraState.CONNECTING, "", clock.now()))
        self._trouble_since: datetime | None = clock.now()
        queue = DecodeQueue()
        plans = [ReadingPlan(camera.main_url, record=True, analyse=camera.sub_url is None)]
        if camera.sub_url is not None:
            plans.append(ReadingPlan(camera.sub_url, record=False, analyse=True))
        self._readers = [
            Reader(
                camera,
                plan,
                store=store,
                clock=clock,
                chunk_s=settings.chunk_s,
                health=self._health,
                queue=queue,
                on_chunk=on_chunk,
            )
            for plan in plans
        ]
        self._analyser: FrameAnalyser | None = None
        self._analysis: Analysis | None = None
        if eyes is not None:
            self._analyser = FrameAnalyser(
                camera,
                eyes.detector,
                eyes.appearance,
                min_score=settings.detector_min_score,
                new_id=new_id,
                seconds=clock.monotonic_s,
            )
            self._analysis = Analysis(
                camera,
                self._analyser,
                queue,
                store=store,
                clock=clock,
                fps=settings.analysis_fps,
                health=self._health,
                on_result=lambda result: on_result(self, result),
                feed_watchdog=lambda: watchdog.feed(self._thread_name),
            )

    @property
    def _thread_name(self) -> str:
        return f"analysis of {self.camera.camera_id}"

    def start(self) -> None:
        """Begin."""
        for reader in self._readers:
            reader.start()
        if self._analysis is not None:
            self._analysis.start()

    async def stop(self) -> tuple[LocalTrack, ...]:
        """End, closing the chunk; return the last state of the tracks that were open."""
        for reader in self._readers:
            reader.stop()
        if self._analysis is not None:
            self._analysis.stop()
        threads = [reader.thread for reader in self._readers]
        threads += [self._analysis.thread] if self._analysis else []
        await asyncio.gather(*(asyncio.to_thread(thread.join, JOIN_LIMIT_S) for thread in threads))
        self._watchdog.forget(self._thread_name)
        if self._analyser is None:
            return ()
        with self._analyser.lock:
            return tuple(self._analyser.book.end_all())

    def note_face(
        self, local_track_id: UUID, answer: FaceAnswer, picture: PurePosixPath | None, *, engine_ok: bool
    ) -> LocalTrack | None:
        """Take in what the face engine saw; return the track if that changed it."""
        assert self._analyser is not None
        with self._analyser.lock:
            return self._analyser.book.note_face(
                local_track_id, face=answer.face, name=answer.name, engine_ok=engine_ok, picture=picture
            )

    def status(self) -> CameraStatus:
        """Return how the camera is doing."""
        condition, counters = self._health.now(), self._health.counters
        return CameraStatus(
            camera_id=self.camera.camera_id,
            state=condition.state,
            reason=condition.reason,
            since=condition.since,
            updated_at=self._clock.now(),
            last_packet_at=counters.last_packet_at,
            metrics={
                "packets": counters.packets,
                "bytes": counters.bytes,
                "chunks": counters.chunks,
                "frames_decoded": counters.frames_decoded,
                "frames_analysed": counters.frames_analysed,
                "frames_skipped": counters.frames_skipped,
                "frames_lost": counters.frames_lost,
                "reconnects": counters.reconnects,
                "detector_ms": round(1000 * counters.detector_s / max(counters.frames_analysed, 1), 1),
            },
        )

    def due_event(self) -> CameraState | None:
        """Return OFFLINE or ONLINE when that has become worth an event."""
        condition, now = self._health.now(), self._clock.now()
        if condition.state is CameraState.ONLINE:
            self._trouble_since = None
        elif self._trouble_since is None:
            self._trouble_since = now
        return self.events.due(condition, self._trouble_since, now)
