"""One decoded frame through gate, detector, tracker and track book: the same code for live cameras and replays."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box
from marengocam.core.model import Camera, Detection, LocalTrack
from marengocam.ingest.stillness import Stillness
from marengocam.ingest.track_book import PERSON, TrackBook
from marengocam.media.store import picture_path
from marengocam.vision.appearance import AppearanceEncoder
from marengocam.vision.crops import cut, quality, to_jpeg
from marengocam.vision.detectors import Detector
from marengocam.vision.motion import Motion, MotionGate
from marengocam.vision.tracker import TrackedObject, Tracker

Picture = npt.NDArray[np.uint8]

HOLD = timedelta(seconds=2)  # after the last movement the detector keeps looking
STILL_LOOK_EVERY = timedelta(seconds=10)  # people who stood still before we looked
STILL_FOLLOW_EVERY = timedelta(seconds=1)  # while all that is followed stands still; below the tracker's patience
GAP = timedelta(seconds=5)  # without pictures: whoever was followed is followed no more
LOW_SCORE_SHARE = 0.6  # of the wanted score: doubtful detections may keep a track alive
FACE_PART = 0.6  # the upper part of a person's box
FACE_MARGIN = 0.12


@dataclass(frozen=True, slots=True)
class SavedPicture:
    """A picture to be written under the media root."""

    path: PurePosixPath
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class FaceWish:
    """A crop in which a track's face should be looked for."""

    local_track_id: UUID
    jpeg: bytes
    path: PurePosixPath


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What one frame brought."""

    motion: Motion
    looked: bool  # whether the detector ran
    detections: tuple[Detection, ...] = ()
    objects: tuple[TrackedObject, ...] = ()
    tracks: tuple[LocalTrack, ...] = ()  # rows to write
    pictures: tuple[SavedPicture, ...] = ()
    faces: tuple[FaceWish, ...] = ()
    detector_s: float = 0.0


@dataclass(slots=True)
class Frame:
    """A decoded frame; RGB is made only when it is needed."""

    at: datetime
    luma: Picture
    to_rgb: Callable[[], Picture]
    _rgb: Picture | None = field(default=None, init=False)

    @property
    def rgb(self) -> Picture:
        if self._rgb is None:
            self._rgb = self.to_rgb()
        return self._rgb


class FrameAnalyser:
    """Analyses the frames of one camera in order of time; the book may be used by another thread under `lock`."""

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        appearance: AppearanceEncoder,
        *,
        min_score: float,
        new_id: Callable[[datetime], UUID],
        seconds: Callable[[], float],
        run_id: UUID | None = None,
    ) -> None:
        self.lock = threading.Lock()
        self.book = TrackBook(camera, new_id, run_id)
        self._camera = camera
        self._detector = detector
        self._appearance = appearance
        self._min_score = min_score
        self._seconds = seconds
        self._gate = MotionGate()
        self._tracker = Tracker()
        self._stillness = Stillness()
        self._hold_until: datetime | None = None
        self._looked_at: datetime | None = None
        self._at: datetime | None = None

    @property
    def follows_person(self) -> bool:
        """Whether a person is followed now."""
        with self.lock:
            return self.book.follows(PERSON)

    def rest(self) -> tuple[LocalTrack, ...]:
        """End every track, since no picture shows them any more; return their last state."""
        with self.lock:
            self._tracker = Tracker()
            self._stillness = Stillness()
            return tuple(self.book.end_all())

    def look(self, frame: Frame) -> FrameResult:
        """Analyse one frame; raises ModelError when the detector fails."""
        ended = self.rest() if self._at is not None and abs(frame.at - self._at) > GAP else ()
        self._at = frame.at
        result = self._look(frame)
        return replace(result, tracks=(*ended, *result.tracks)) if ended else result

    def _look(self, frame: Frame) -> FrameResult:
        motion = self._gate.update(frame.luma)
        if motion.moving:
            self._hold_until = frame.at + HOLD
        if not self._worth_a_look(frame.at):
            return FrameResult(motion, looked=False)
        self._looked_at = frame.at
        started_s = self._seconds()
        detections = self._detector.detect([frame.rgb], self._min_score * LOW_SCORE_SHARE)[0]
        detector_s = self._seconds() - started_s
        objects = self._tracker.update(detections, frame.at)
        self._stillness.update(objects, frame.at)
        with self.lock:
            tracks = {track.local_track_id: track for track in self.book.update(objects, frame.at)}
            pictures, faces, improved = self._gather(objects, frame)
        tracks |= {track.local_track_id: track for track in improved}
        return FrameResult(
            motion,
            looked=True,
            detections=tuple(detections),
            objects=tuple(objects),
            tracks=tuple(tracks.values()),
            pictures=tuple(pictures),
            faces=tuple(faces),
            detector_s=detector_s,
        )

    def _worth_a_look(self, at: datetime) -> bool:
        if self._hold_until is not None and at <= self._hold_until:
            return True
        if not self._stillness.holds(at) or self._looked_at is None:
            return True
        every = STILL_LOOK_EVERY if self._stillness.empty else STILL_FOLLOW_EVERY
        return abs(at - self._looked_at) >= every

    def _gather(
        self, objects: Sequence[TrackedObject], frame: Frame
    ) -> tuple[list[SavedPicture], list[FaceWish], list[LocalTrack]]:
        pictures: list[SavedPicture] = []
        faces: list[FaceWish] = []
        improved: list[LocalTrack] = []
        for item in objects:
            local_track_id = self.book.local_track_id(item.track_id)
            if local_track_id is None or item.lost:
                continue
            sight = quality(frame.rgb, item.box, item.score)
            wish = self.book.wish(item, sight, frame.at)
            if wish.picture:
                path = picture_path(self._camera.camera_id, frame.at, local_track_id)
                pictures.append(SavedPicture(path, to_jpeg(cut(frame.rgb, item.box))))
                improved.append(self.book.note_picture(item.track_id, path, sight))
            if wish.appearance:
                embedding = self._appearance.encode([cut(frame.rgb, item.box, margin=0)])[0]
                improved.append(self.book.note_appearance(item.track_id, embedding, frame.at))
            if wish.face:
                self.book.note_face_asked(item.track_id, sight, frame.at)
                path = picture_path(self._camera.camera_id, frame.at, local_track_id, face=True)
                faces.append(FaceWish(local_track_id, to_jpeg(face_part(frame.rgb, item.box)), path))
        return pictures, faces, improved


def face_part(picture: Picture, box: Box) -> Picture:
    """Return the part of a picture where the face of a person in `box` should be."""
    return cut(picture, Box(box.x1, box.y1, box.x2, box.y1 + FACE_PART * box.height), margin=FACE_MARGIN)


def luma_of(frame: Any) -> Picture:
    """Return the brightness plane of a decoded frame without copying it (planar YUV), else a grey picture."""
    if frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "nv12"}:
        plane = frame.planes[0]
        return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    return np.asarray(frame.to_ndarray(format="gray"), np.uint8)


def rgb_of(frame: Any) -> Picture:
    """Return a decoded frame as RGB."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
