"""One decoded frame through gate, detector, tracker and track book: the same code for live cameras and replays."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple
from uuid import UUID

from marengocam.core.errors import NoAnswerError
from marengocam.core.geometry import Box
from marengocam.core.model import Camera, Detection, Embedding, LocalTrack
from marengocam.ingest.frames import Frame, Picture
from marengocam.ingest.furniture import Furniture
from marengocam.ingest.looking import Looker
from marengocam.ingest.movement import MovementWatch
from marengocam.ingest.pace import Pace
from marengocam.ingest.track_book import PERSON, TrackBook, Wish
from marengocam.media.names import picture_path
from marengocam.vision.appearance import AppearanceEncoder
from marengocam.vision.crops import cut, quality, to_jpeg
from marengocam.vision.detectors import Detector
from marengocam.vision.motion import Motion, MotionGate
from marengocam.vision.tracker import TrackedObject, Tracker

GAP = timedelta(seconds=5)  # without pictures: whoever was followed is followed no more
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
    pace: str = ""  # why the detector looked, or not
    found: tuple[Detection, ...] = ()  # by the detector, before owner and furniture ruled anything out
    region: Box | None = None  # what was looked at once more at full detail
    failure: Exception | None = None  # why the detector, or the appearance model, gave nothing


class Sight(NamedTuple):
    """Something followed as a frame shows it, how good that is, and what its track would gain."""

    item: TrackedObject
    quality: float
    wish: Wish


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
        furniture: Furniture | None = None,
        thorough: bool = False,
    ) -> None:
        self.lock = threading.Lock()
        self.book = TrackBook(camera, new_id, run_id)
        self._learned = furniture or Furniture()
        self._camera = self._wanted = camera
        self._detector = detector
        self._min_score = min_score
        self._appearance = appearance
        self._seconds = seconds
        self._looker = self._new_looker()
        self._gate = MotionGate(camera.analysis.masks)
        self._thorough = thorough
        self._at: datetime | None = None
        self._failed = False  # the last look
        self._begin()

    def _begin(self) -> None:
        self._tracker = Tracker()
        self._pace = Pace(thorough=self._thorough)
        self._movement = MovementWatch() if self._camera.analysis.movement else None
        self._objects: list[TrackedObject] = []

    @property
    def furniture(self) -> Furniture | None:
        """What stands in the picture; None when it is not to be learned."""
        return self._learned if self._camera.analysis.learn_furniture else None

    def _new_looker(self) -> Looker:
        return Looker(self._detector, self._camera.analysis, self._min_score, self.furniture)

    def change(self, camera: Camera) -> None:
        """Look, from the next frame on, as the camera is configured now; from any thread."""
        self._wanted = camera

    def _take_over(self, camera: Camera) -> None:
        """Go on with other wishes; whoever is followed stays followed, unless these rule that out."""
        before, self._camera = self._camera.analysis, camera
        with self.lock:
            self.book.camera = camera
        if camera.analysis == before:
            return
        self._looker = self._new_looker()
        self._gate.mask(camera.analysis.masks)
        self._pace = Pace(thorough=self._thorough)  # what was looked at in vain may count now
        if camera.analysis.movement != before.movement:
            self._movement = MovementWatch() if camera.analysis.movement else None

    @property
    def follows_person(self) -> bool:
        """Whether a person is followed now."""
        with self.lock:
            return self.book.follows(PERSON)

    def rest(self) -> tuple[LocalTrack, ...]:
        """End every track, since no picture shows them any more; return their last state."""
        with self.lock:
            self._begin()
            return tuple(self.book.end_all())

    def look(self, frame: Frame) -> FrameResult:
        """Analyse one frame; when the detector fails, by its movement alone."""
        return self._analyse(frame, self._look)

    def notice(self, frame: Frame) -> FrameResult:
        """Analyse one frame by its movement alone, since nobody can look; who was followed is lost out of sight."""
        return self._analyse(frame, self._notice)

    def _analyse(self, frame: Frame, how: Callable[[Frame, Motion, list[TrackedObject]], FrameResult]) -> FrameResult:
        if self._wanted is not self._camera:
            self._take_over(self._wanted)
        ended = self.rest() if self._at is not None and abs(frame.at - self._at) > GAP else ()
        self._at = frame.at
        motion = self._gate.update(frame.luma)
        walks = self._movement.update(motion.boxes, self._objects, frame.at) if self._movement is not None else []
        result = how(frame, motion, walks)
        return replace(result, tracks=(*ended, *result.tracks)) if ended else result

    def _notice(self, frame: Frame, motion: Motion, walks: list[TrackedObject]) -> FrameResult:
        self._objects = self._tracker.update((), frame.at)
        return self._booked(FrameResult(motion, looked=False, pace="nobody can look"), walks, frame)

    def _look(self, frame: Frame, motion: Motion, walks: list[TrackedObject]) -> FrameResult:
        if not self._pace.due(motion, frame.at) and not self._failed:
            return FrameResult(motion, looked=False, pace=self._pace.reason)
        pace = self._pace.reason
        started_s = self._seconds()
        try:
            seen = self._looker.look(frame, motion, self._objects)
        except Exception as error:  # noqa: BLE001 - a library's trouble with a model; what is known is booked all the same
            self._failed = True  # it is made up for as soon as it can be: nobody knows who came meanwhile
            return replace(self._notice(frame, motion, walks), failure=error)
        self._failed = False
        detector_s = self._seconds() - started_s
        self._objects = self._tracker.update(seen.detections, frame.at, seen.least_scores)
        self._pace.update(self._objects, frame.at)
        result = FrameResult(
            motion,
            looked=True,
            detections=seen.detections,
            detector_s=detector_s,
            pace=pace,
            found=seen.found,
            region=seen.region,
        )
        return self._booked(result, walks, frame)

    def _booked(self, result: FrameResult, walks: list[TrackedObject], frame: Frame) -> FrameResult:
        """Take what is followed into the book; return the result with what came of it."""
        objects = [*self._objects, *walks]
        with self.lock:
            tracks = {track.local_track_id: track for track in self.book.update(objects, frame.at)}
            sights = [
                Sight(item, sight := quality(frame.rgb, item.box, item.score), self.book.wish(item, sight, frame.at))
                for item in objects
                if self.book.local_track_id(item.track_id) is not None and not item.lost
            ]
        # Without the lock: it may take long, and the event loop wants the book.
        encoded, failure = self._encoded(sights, frame)
        with self.lock:
            pictures, faces, improved = self._gather(sights, encoded, frame)
        tracks |= {track.local_track_id: track for track in improved}
        return replace(
            result,
            objects=tuple(objects),
            tracks=tuple(tracks.values()),
            pictures=tuple(pictures),
            faces=tuple(faces),
            failure=failure,
        )

    def _encoded(self, sights: Sequence[Sight], frame: Frame) -> tuple[dict[int, Embedding], Exception | None]:
        """Return the appearance of those whose track wants it, or why there is none; tracks go on without it."""
        if not self._camera.analysis.appearance:
            return {}, None
        looks: dict[int, Embedding] = {}
        try:
            for item in (sight.item for sight in sights if sight.wish.appearance):
                looks[item.track_id] = self._appearance.encode([cut(frame.rgb, item.box, margin=0)])[0]
        except NoAnswerError:  # which health tells
            return looks, None
        except Exception as error:  # noqa: BLE001 - a library's trouble with a model; who was followed is booked
            return looks, error
        return looks, None

    def _gather(
        self, sights: Sequence[Sight], encoded: Mapping[int, Embedding], frame: Frame
    ) -> tuple[list[SavedPicture], list[FaceWish], list[LocalTrack]]:
        pictures: list[SavedPicture] = []
        faces: list[FaceWish] = []
        improved: list[LocalTrack] = []
        for item, sight, wish in sights:
            local_track_id = self.book.local_track_id(item.track_id)
            if local_track_id is None:
                continue  # all were ended meanwhile
            if wish.picture:
                path = picture_path(self._camera.camera_id, frame.at, local_track_id)
                pictures.append(SavedPicture(path, to_jpeg(cut(frame.rgb, item.box))))
                improved.append(self.book.note_picture(item.track_id, path, sight))
            embedding = encoded.get(item.track_id)
            if embedding is not None:
                improved.append(self.book.note_appearance(item.track_id, embedding, frame.at))
                view = self._view(item, embedding, sight, frame, wish.picture)
                if view is not None:
                    pictures.append(view)
                    improved.append(self.book.note_view(item.track_id, embedding, view.path))
            if wish.face and self._camera.analysis.faces:
                self.book.note_face_asked(item.track_id, sight, frame.at)
                path = picture_path(self._camera.camera_id, frame.at, local_track_id, face=True)
                faces.append(FaceWish(local_track_id, to_jpeg(face_part(frame.rgb, item.box)), path))
        return pictures, faces, improved

    def _view(
        self, item: TrackedObject, embedding: Embedding, sight: float, frame: Frame, is_best: bool
    ) -> SavedPicture | None:
        """Return the picture to keep of a sight that shows a track otherwise than those that are kept."""
        if is_best:
            self.book.note_view(item.track_id, embedding, None)
            return None
        if not self.book.wants_view(item.track_id, embedding, sight):
            return None
        track = self.book.track(item.track_id)
        path = picture_path(self._camera.camera_id, frame.at, track.local_track_id, view=len(track.crop_paths) + 1)
        return SavedPicture(path, to_jpeg(cut(frame.rgb, item.box)))


def face_part(picture: Picture, box: Box) -> Picture:
    """Return the part of a picture where the face of a person in `box` should be."""
    return cut(picture, Box(box.x1, box.y1, box.x2, box.y1 + FACE_PART * box.height), margin=FACE_MARGIN)
