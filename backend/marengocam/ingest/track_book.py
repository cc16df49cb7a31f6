"""LocalTracks out of what the tracker follows: when they begin and end, their path, zones and best pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box, polygon_contains
from marengocam.core.model import Camera, Embedding, LocalTrack, NameEvidence, PathPoint
from marengocam.vision.appearance import cosine, fuse
from marengocam.vision.tracker import TrackedObject

Picture = npt.NDArray[np.uint8]

PERSON = "person"
PATH_STEP = timedelta(seconds=0.5)
MAX_PATH_POINTS = 600
SAVE_EVERY = timedelta(seconds=1)
BETTER_BY = 1.15  # a new best picture must be this much better
KEPT_EMBEDDINGS = 5
VIEW_EVERY = timedelta(seconds=3)
MAX_VIEWS = 3  # further pictures of a track
VIEW_QUALITY_SHARE = 0.4  # of the best picture's
SAME_VIEW_COSINE = 0.8  # of appearance; below, it is seen otherwise
ENCODE_EVERY = timedelta(seconds=0.6)  # twice as long after each further look, up to VIEW_EVERY
FACE_EVERY = timedelta(seconds=0.7)
FACE_LOOKS = 8
FACE_GOOD_QUALITY = 0.85  # beyond this no further look is worth it
MIN_FACE_HEIGHT_SHARE = 0.12  # of the picture: smaller people have no readable face
RECENT_LIMIT = timedelta(seconds=20)  # after its end a track still takes a late face


@dataclass(slots=True)
class LiveTrack:
    """A LocalTrack that is still followed, with what its decisions rest on."""

    track: LocalTrack
    saved_at: datetime
    best_quality: float = 0.0
    encoded_at: datetime | None = None
    embeddings: list[Embedding] = field(default_factory=list)
    views: list[Embedding] = field(default_factory=list)  # looks of the pictures that are kept
    face_asked_at: datetime | None = None
    face_looks: int = 0
    face_sight_quality: float = 0.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a track would gain from in this frame."""

    picture: bool = False
    appearance: bool = False
    face: bool = False


class TrackBook:
    """The LocalTracks of one camera; not thread-safe, its owner locks."""

    def __init__(self, camera: Camera, new_id: Callable[[datetime], UUID], run_id: UUID | None = None) -> None:
        self.camera = camera
        self._new_id = new_id
        self._run_id = run_id
        self._first_seen: dict[int, PathPoint] = {}
        self._live: dict[int, LiveTrack] = {}
        self._recent: dict[UUID, LiveTrack] = {}

    @property
    def live(self) -> int:
        """How many LocalTracks are open."""
        return len(self._live)

    def follows(self, label: str) -> bool:
        """Return whether something of a kind is followed."""
        return any(live.track.label == label for live in self._live.values())

    def update(self, objects: Sequence[TrackedObject], at: datetime) -> list[LocalTrack]:
        """Take in what the tracker follows; return the tracks whose row should be written now."""
        changed = []
        for item in objects:
            if item.track_id not in self._first_seen and not item.lost:
                self._first_seen[item.track_id] = PathPoint(at, item.box, item.score)
            if not item.confirmed:
                continue
            if item.track_id not in self._live:
                self._live[item.track_id] = self._begin(item, at)
                changed.append(self._live[item.track_id].track)
            elif not item.lost:
                track = self._follow(self._live[item.track_id], item, at)
                if track is not None:
                    changed.append(track)
        present = {item.track_id for item in objects}
        changed += [self._end(number) for number in list(self._live) if number not in present]
        self._first_seen = {number: point for number, point in self._first_seen.items() if number in present}
        self._recent = {key: one for key, one in self._recent.items() if at - one.track.last_seen_at < RECENT_LIMIT}
        return changed

    def end_all(self) -> list[LocalTrack]:
        """End every track, as when the camera is given up or shows nothing; return their last state."""
        self._first_seen.clear()
        return [self._end(number) for number in list(self._live)]

    def wish(self, item: TrackedObject, sight_quality: float, at: datetime) -> Wish:
        """Return what the track of an object would gain from this sight of it."""
        live = self._live.get(item.track_id)
        if live is None or item.lost:
            return Wish()
        better = sight_quality > live.best_quality * BETTER_BY
        person = item.label == PERSON
        return Wish(
            picture=better,
            appearance=person and self._wants_appearance(live, at, better=better),
            face=person and self._wants_face(live, item.box, sight_quality, at),
        )

    def note_picture(self, track_id: int, path: PurePosixPath, sight_quality: float) -> LocalTrack:
        """Note the best picture so far."""
        live = self._live[track_id]
        live.best_quality = sight_quality
        live.track = replace(live.track, crop_path=path)
        return live.track

    def note_appearance(self, track_id: int, embedding: Embedding, at: datetime) -> LocalTrack:
        """Take an appearance embedding in; the track keeps the mean of its best."""
        live = self._live[track_id]
        live.encoded_at = at
        live.embeddings = sorted([*live.embeddings, embedding], key=lambda one: -one.quality)[:KEPT_EMBEDDINGS]
        live.track = replace(live.track, appearance=fuse(live.embeddings))
        return live.track

    def wants_view(self, track_id: int, embedding: Embedding, sight_quality: float) -> bool:
        """Return whether a sight shows a track otherwise than the pictures that are kept: from behind, say."""
        live = self._live[track_id]
        if len(live.track.crop_paths) >= MAX_VIEWS or sight_quality < VIEW_QUALITY_SHARE * live.best_quality:
            return False
        return all(cosine(kept.vector, embedding.vector) < SAME_VIEW_COSINE for kept in live.views)

    def note_view(self, track_id: int, embedding: Embedding, path: PurePosixPath | None) -> LocalTrack:
        """Note a kept picture's looks; `path` None means the best picture."""
        live = self._live[track_id]
        live.views.append(embedding)
        if path is not None:
            live.track = replace(live.track, crop_paths=(*live.track.crop_paths, path))
        return live.track

    def note_face_asked(self, track_id: int, sight_quality: float, at: datetime) -> UUID:
        """Note that a look for a face is under way; return the LocalTrack's id."""
        live = self._live[track_id]
        live.face_asked_at, live.face_looks = at, live.face_looks + 1
        live.face_sight_quality = max(live.face_sight_quality, sight_quality)
        return live.track.local_track_id

    def note_face(
        self,
        local_track_id: UUID,
        *,
        face: Embedding | None,
        name: NameEvidence | None,
        engine_ok: bool,
        picture: PurePosixPath | None,
    ) -> LocalTrack | None:
        """Take in what the face engine saw; return the track if that changed it."""
        live = next((one for one in self._live.values() if one.track.local_track_id == local_track_id), None)
        live = live or self._recent.get(local_track_id)
        if live is None:
            return None
        if not engine_ok:
            live.face_looks = max(0, live.face_looks - 1)  # it saw nothing, so the look does not count
        changes: dict[str, Any] = {}
        if engine_ok != live.track.face_engine_ok:
            changes["face_engine_ok"] = engine_ok
        if face is not None and (live.track.face is None or face.quality > live.track.face.quality):
            changes |= {"face": face, "face_crop_path": picture or live.track.face_crop_path}
        if name is not None and (live.track.name_evidence is None or name.score > live.track.name_evidence.score):
            changes["name_evidence"] = name
        if not changes:
            return None
        live.track = replace(live.track, **changes)
        return live.track

    def track(self, track_id: int) -> LocalTrack:
        """Return the LocalTrack of a tracked object that has one."""
        return self._live[track_id].track

    def local_track_id(self, track_id: int) -> UUID | None:
        """Return the LocalTrack's id of a tracked object."""
        live = self._live.get(track_id)
        return live.track.local_track_id if live else None

    def _begin(self, item: TrackedObject, at: datetime) -> LiveTrack:
        first = self._first_seen.get(item.track_id, PathPoint(at, item.box, item.score))
        track = LocalTrack(
            local_track_id=self._new_id(first.at),
            camera_id=self.camera.camera_id,
            label=item.label,
            first_seen_at=first.at,
            last_seen_at=max(first.at, at),
            open=True,
            score=max(first.score, item.score),
            observations=item.observations,
            path=(first, PathPoint(at, item.box, item.score)),
            zones=self._zones((), item.box),
            run_id=self._run_id,
        )
        return LiveTrack(track, saved_at=at)

    def _follow(self, live: LiveTrack, item: TrackedObject, at: datetime) -> LocalTrack | None:
        before = live.track
        path = before.path
        if at - path[-1].at >= PATH_STEP:
            path = thinned((*path, PathPoint(at, item.box, item.score)))
        zones = self._zones(before.zones, item.box)
        live.track = replace(
            before,
            last_seen_at=max(before.last_seen_at, at),  # a camera's clock may be set back
            score=max(before.score, item.score),
            observations=item.observations,
            path=path,
            zones=zones,
        )
        if zones != before.zones or at - live.saved_at >= SAVE_EVERY:
            live.saved_at = at
            return live.track
        return None

    def _end(self, track_id: int) -> LocalTrack:
        live = self._live.pop(track_id)
        live.track = replace(live.track, open=False)
        self._recent[live.track.local_track_id] = live
        return live.track

    def _zones(self, before: tuple[str, ...], box: Box) -> tuple[str, ...]:
        entered = (
            zone.name
            for zone in self.camera.zones
            if zone.name not in before and polygon_contains(zone.polygon, box.foot)
        )
        return (*before, *entered)

    @staticmethod
    def _wants_appearance(live: LiveTrack, at: datetime, *, better: bool) -> bool:
        """Return whether an appearance is still wanted, or it is time to see if somebody has turned round."""
        if live.encoded_at is None:
            return True
        since = at - live.encoded_at
        if better:
            return since >= ENCODE_EVERY
        wanted = len(live.embeddings) < KEPT_EMBEDDINGS or len(live.track.crop_paths) < MAX_VIEWS
        return wanted and since >= pause_after(len(live.embeddings))

    @staticmethod
    def _wants_face(live: LiveTrack, box: Box, sight_quality: float, at: datetime) -> bool:
        if box.height < MIN_FACE_HEIGHT_SHARE:
            return False
        if live.face_asked_at is not None and at - live.face_asked_at < FACE_EVERY:
            return False
        if live.track.face is not None and live.track.face.quality >= FACE_GOOD_QUALITY:
            return False
        return live.face_looks < FACE_LOOKS or sight_quality > live.face_sight_quality * BETTER_BY


def pause_after(looks: int) -> timedelta:
    """Return how long after so many looks at somebody's appearance the next one is due.

    Sights of one moment are alike: spread over a visit they tell more of somebody, and fewer are needed.
    """
    return min(VIEW_EVERY, ENCODE_EVERY * (1 << max(0, looks - 1)))


def thinned(path: tuple[PathPoint, ...]) -> tuple[PathPoint, ...]:
    """Return a path of at most MAX_PATH_POINTS: every second point goes when it grows longer, both ends stay."""
    if len(path) <= MAX_PATH_POINTS:
        return path
    return (*path[:-1:2], path[-1])
