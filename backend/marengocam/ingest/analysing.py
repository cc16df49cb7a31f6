"""The analysis thread of one camera: decodes, looks at some frames, hands results on."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import cv2
import numpy as np

from marengocam.core.clock import Clock
from marengocam.core.errors import ModelError, StoreError
from marengocam.core.model import Camera
from marengocam.ingest.camera_state import CameraHealth
from marengocam.ingest.decode_queue import DecodeQueue, QueuedPacket
from marengocam.ingest.decoding import SessionDecoder
from marengocam.ingest.frame_analysis import FrameAnalyser, FrameResult
from marengocam.ingest.frames import Frame, luma_of, rgb_of
from marengocam.ingest.frozen import FROZEN_REASON, FrozenWatch
from marengocam.ingest.isolated_decoder import IsolatedDecoder
from marengocam.ingest.recording_modes import Sights
from marengocam.ingest.shedding import Shedding
from marengocam.media.names import live_path
from marengocam.media.store import Store
from marengocam.vision.crops import to_jpeg
from marengocam.vision.motion import Motion

TAKE_TIMEOUT_S = 1.0
LIVE_PICTURE_EVERY = timedelta(seconds=1)
STILL_PICTURE_EVERY = timedelta(seconds=5)  # while nothing moves; encoding it would be most of the work then
STILL_AFTER = timedelta(seconds=10)
LIVE_PICTURE_WIDTH_PX = 960
LIVE_QUALITY_PERCENT = 80
BEHIND_PACKETS = 12  # waiting packets: frames are skipped until analysis has caught up
IDLE_S = 5.0  # without a picture: whoever was followed is followed no more
MODEL_RETRY_S = 5.0
BLIND_AFTER_S = 10.0  # looks fail for so long: its owner is told
FAILURE_LOGGED_EVERY_S = 30.0
UNWRITTEN_LOGGED_EVERY_S = 60.0
UNDECODABLE_AFTER_S = 10.0  # pictures come for so long, and the decoder makes nothing of them
UNDECODABLE_REASON = (
    "Recorded, but not analysed, since its pictures cannot be decoded: "
    "restart the camera, or choose a smaller resolution or another codec."
)
LOOKS_FAIL_REASON = "Only movement is noticed, since looking for people fails:"
FAULT_REASON = "Recorded, but not analysed, since MarengoCam itself fails: see the log of ingest."
_LOG = logging.getLogger(__name__)


class Analysis:
    """Decodes what a reader queues, until stopped; results go to `on_result`.

    `analyser` may come later, when its models are loaded: until then, and for a camera that is not to be analysed, only
    keyframes are decoded, for the live picture.
    """

    def __init__(
        self,
        camera: Camera,
        queue: DecodeQueue,
        *,
        store: Store,
        clock: Clock,
        fps: float,
        health: CameraHealth,
        sights: Sights,
        on_result: Callable[[FrameResult], None],
        feed_watchdog: Callable[[], None],
        isolate_decoder: bool = False,
    ) -> None:
        self.analyser: FrameAnalyser | None = None
        self._camera = camera
        self._queue = queue
        self._store = store
        self._clock = clock
        self._step = timedelta(seconds=1 / fps)
        self._health = health
        self._sights = sights
        self._on_result = on_result
        self._feed_watchdog = feed_watchdog
        self.shedding = Shedding()
        self._decoder = SessionDecoder(IsolatedDecoder if isolate_decoder else None)
        self._frozen = FrozenWatch()
        self._stopping = threading.Event()
        self._next_at: datetime | None = None
        self._live_at: datetime | None = None
        self._moved_at: datetime | None = None
        self._undecodable_since_s: float | None = None
        self._model_retry_at_s = 0.0
        self._blind_since_s: float | None = None
        self._failure_logged_at_s = float("-inf")
        self._blind_reason = ""
        self._unwritten_logged_at_s = float("-inf")
        self._frame_at_s = clock.monotonic_s()
        self._busy_since_s: float | None = None  # since when the packet waited that is worked on
        self._whole = False  # whether the present group of pictures is analysed
        self._goes_on = False  # and more of it than its keyframe is decoded
        self.thread = threading.Thread(target=self._run, name=f"analyse {camera.camera_id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.thread.start()

    def change(self, camera: Camera, watched: Camera) -> None:
        """Go on with the camera as it is configured now; `watched` is what of it the installation allows."""
        self._camera = camera
        if self.analyser is not None:
            self.analyser.change(watched)

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._feed_watchdog()
            queued = self._queue.take(TAKE_TIMEOUT_S)
            try:
                if queued is not None:
                    self._busy_since_s = queued.queued_at_s
                    self._take(queued)
                self._rest_when_idle()
            except Exception:  # noqa: BLE001 - one bad frame or stream must not end the thread; it is logged
                _LOG.exception("camera %s: a frame could not be analysed; it is passed over", self._camera.camera_id)
            self._busy_since_s = None
        self._decoder.close()

    def lag_s(self) -> float:
        """Return how long the oldest packet waits that is not dealt with; also while one packet takes for ever."""
        since_s = self._busy_since_s
        if since_s is None:
            since_s = self._queue.waiting_since_s()
        return 0.0 if since_s is None else max(0.0, self._clock.monotonic_s() - since_s)

    def _take(self, queued: QueuedPacket) -> None:
        if not self._is_wanted(queued):
            self._health.counters.packets_skipped += 1
            return
        if queued.queued_at_s is not None:
            self._note_lag(self._clock.monotonic_s() - queued.queued_at_s)
        self._decoder.skip_frame = self.shedding.step.skip_frame
        decoded = self._decoder.decoded
        try:
            for picture, at in self._decoder.frames(queued, alone=not self._goes_on):
                self._frame(picture, at)
        finally:
            self._note_decoded(self._decoder.decoded - decoded)
        self._health.counters.decoders_lost = self._decoder.lost

    def _note_decoded(self, pictures: int) -> None:
        """Account for one packet of which so many pictures were made; some come late, in place of another's."""
        counters, without = self._health.counters, 1 - pictures
        counters.frames_decoded += pictures
        if self.shedding.step.passes_over:
            counters.packets_skipped += without
        else:
            counters.frames_undecoded += without
        if pictures:
            self._undecodable_since_s = None
            if self._health.analysis_problem == UNDECODABLE_REASON:
                self._health.analysis_problem = ""
            return
        now_s = self._clock.monotonic_s()
        if self._undecodable_since_s is None:
            self._undecodable_since_s = now_s
        elif now_s - self._undecodable_since_s >= UNDECODABLE_AFTER_S:
            self._health.analysis_problem = UNDECODABLE_REASON

    def _is_wanted(self, queued: QueuedPacket) -> bool:
        keyframes_only = self.shedding.step.keyframes_only
        if queued.packet.keyframe:
            watched, self._whole = self._whole, self._camera.detect and self.analyser is not None
            if watched and not self._whole:
                self._blind_since_s, self._blind_reason = None, ""
                self._rest()
            self._goes_on = self._whole and not keyframes_only
            return True
        self._goes_on = self._goes_on and not keyframes_only  # what follows a picture left out would be damaged
        return self._goes_on

    def _frame(self, picture: Any, at: datetime) -> None:
        self._frame_at_s = self._clock.monotonic_s()
        counters = self._health.counters
        step = self._step / self.shedding.step.rate
        due = self._next_at is None or at >= self._next_at or self._next_at - at > step
        if not due or len(self._queue) > BEHIND_PACKETS:
            counters.frames_skipped += 1
            return
        self._next_at = at + step * 0.9
        self._live_picture(picture, at)
        luma = luma_of(picture)
        self._health.analysis_problem = FROZEN_REASON if self._frozen.update(luma, at) else self._blind_reason
        analyser = self.analyser
        if analyser is not None and self._whole:
            self._look(analyser, Frame(at, luma, lambda: rgb_of(picture)))

    def _note_lag(self, lag_s: float) -> None:
        self.shedding.update(lag_s, self._clock.monotonic_s())
        self._health.counters.analysis_lag_s = lag_s
        self._health.counters.shed_level = self.shedding.level

    def _look(self, analyser: FrameAnalyser, frame: Frame) -> None:
        now_s = self._sights.asked_since_s = self._clock.monotonic_s()
        try:
            result = analyser.notice(frame) if now_s < self._model_retry_at_s else analyser.look(frame)
        except Exception as error:  # noqa: BLE001 - our trouble with a frame; it is logged
            self._sights.unsure_at = frame.at
            self._note_blind(FAULT_REASON, error)
            return
        finally:
            self._sights.asked_since_s = None
        if result.looked:
            self._blind_since_s, self._blind_reason = None, ""
            if result.failure is not None:
                self._log_failure("people are followed without their appearance", result.failure)
        elif isinstance(result.failure, ModelError):
            self._model_retry_at_s = self._clock.monotonic_s() + MODEL_RETRY_S
            self._note_blind(f"{LOOKS_FAIL_REASON} {result.failure}")
        elif result.failure is not None:
            self._note_blind(f"{LOOKS_FAIL_REASON} MarengoCam itself fails; see the log of ingest.", result.failure)
        if result.motion.moving or result.objects or self._moved_at is None:
            self._moved_at = frame.at
        if self._blind_since_s is None:
            self._sights.note(frame.at, motion=result.motion.moving, person=analyser.follows_person)
        elif result.motion.moving:
            self._sights.motion_at = self._sights.unsure_at = frame.at  # `looked_at` stays until there is a look
        self._health.counters.frames_analysed += result.looked
        self._health.counters.detector_s += result.detector_s
        self._write_pictures(result)
        if result.tracks or result.faces:
            self._on_result(result)

    def _note_blind(self, reason: str, error: Exception | None = None) -> None:
        """Tell, when it lasts, that nobody looks at this camera; a single frame that failed is only passed over."""
        now_s = self._clock.monotonic_s()
        if self._blind_since_s is None:
            self._blind_since_s = now_s
        if now_s - self._blind_since_s >= BLIND_AFTER_S:
            self._blind_reason = reason
        self._log_failure(reason, error)

    def _log_failure(self, what: str, error: Exception | None) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._failure_logged_at_s >= FAILURE_LOGGED_EVERY_S:
            self._failure_logged_at_s = now_s
            _LOG.error("camera %s: %s", self._camera.camera_id, what, exc_info=error)

    def _rest_when_idle(self) -> None:
        """End the tracks of a camera that shows nothing, rather than leave them open until it comes back."""
        if self._clock.monotonic_s() - self._frame_at_s >= IDLE_S:
            self._frame_at_s = self._clock.monotonic_s()
            self._rest()

    def _rest(self) -> None:
        ended = self.analyser.rest() if self.analyser is not None else ()
        if ended:
            self._on_result(FrameResult(Motion(moving=False), looked=False, tracks=ended))

    def _live_picture(self, picture: Any, at: datetime) -> None:
        still = self._whole and self._moved_at is not None and at - self._moved_at > STILL_AFTER
        every = STILL_PICTURE_EVERY if still else LIVE_PICTURE_EVERY
        if self._live_at is not None and timedelta(0) <= at - self._live_at < every:
            return
        self._live_at = at
        width = min(LIVE_PICTURE_WIDTH_PX, picture.width)
        height = round(picture.height * width / picture.width)
        small = picture.reformat(width=width, height=height, format="rgb24", threads=1)
        rgb = np.asarray(small.to_ndarray(), np.uint8)
        try:
            self._store.write_picture(live_path(self._camera.camera_id), to_jpeg(rgb, LIVE_QUALITY_PERCENT))
        except (StoreError, cv2.error) as error:
            self._log_unwritten(error)

    def _write_pictures(self, result: FrameResult) -> None:
        for saved in result.pictures:
            try:
                self._store.write_picture(saved.path, saved.jpeg)
            except StoreError as error:
                self._log_unwritten(error)

    def _log_unwritten(self, error: Exception) -> None:
        """Tell of a picture that could not be written; a disk that refuses refuses one a second."""
        now_s = self._clock.monotonic_s()
        if now_s - self._unwritten_logged_at_s >= UNWRITTEN_LOGGED_EVERY_S:
            self._unwritten_logged_at_s = now_s
            _LOG.warning("camera %s: %s", self._camera.camera_id, error)
