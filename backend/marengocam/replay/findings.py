"""What the analysis of one unit brings: small enough to be kept on disk and sent between machines."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

import msgspec
import numpy as np

from marengocam.core.geometry import Box
from marengocam.core.model import Embedding, LocalTrack, PathPoint


class Point(msgspec.Struct, frozen=True, array_like=True):
    """Where a track was at one moment."""

    at: datetime
    box: tuple[float, float, float, float]
    score: float


class Look(msgspec.Struct, frozen=True, array_like=True):
    """An embedding: its vector as 32-bit floats."""

    model: str
    vector: bytes
    quality: float


class Revision(msgspec.Struct, frozen=True):
    """The state of a track as ingest would have written it at a moment; looks are numbers into the track's."""

    at: datetime
    open: bool
    last_seen_at: datetime
    score: float
    observations: int
    zones: tuple[str, ...]
    picture: bool = False
    face: int | None = None
    appearance: int | None = None


class FoundTrack(msgspec.Struct):
    """A LocalTrack with all its revisions in order."""

    track_id: UUID
    label: str
    first_seen_at: datetime
    path: list[Point]
    looks: list[Look]
    revisions: list[Revision]
    face_looks: int = 0

    @property
    def last(self) -> Revision:
        return self.revisions[-1]

    def local_track(self, camera_id: str, revision: Revision, run_id: UUID | None = None) -> LocalTrack:
        """Return the track as it was at one of its revisions."""
        path = tuple(
            PathPoint(point.at, Box(*point.box), point.score)
            for point in self.path
            if point.at <= revision.last_seen_at
        )
        return LocalTrack(
            local_track_id=self.track_id,
            camera_id=camera_id,
            label=self.label,
            first_seen_at=self.first_seen_at,
            last_seen_at=revision.last_seen_at,
            open=revision.open,
            score=revision.score,
            observations=revision.observations,
            path=path,
            zones=revision.zones,
            crop_path=PurePosixPath(f"{self.track_id}.jpg") if revision.picture else None,
            face=self._look(revision.face),
            appearance=self._look(revision.appearance),
            run_id=run_id,
        )

    def _look(self, number: int | None) -> Embedding | None:
        if number is None:
            return None
        look = self.looks[number]
        return Embedding(look.model, np.frombuffer(look.vector, np.float32), look.quality)


class Counts(msgspec.Struct):
    """How much work it was; the same for the same video."""

    frames: int = 0
    frames_analysed: int = 0
    frames_looked_at: int = 0
    detections: int = 0
    faces_looked_at: int = 0
    faces_found: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class UnitFindings(msgspec.Struct):
    """All of one unit. `inputs` is a digest of video, code, models and settings: only equals may be put together."""

    number: int
    from_at: datetime
    to_at: datetime
    inputs: str
    counts: Counts
    tracks: list[FoundTrack]
    pictures: dict[str, bytes]

    def to_bytes(self) -> bytes:
        return msgspec.msgpack.encode(self)

    @classmethod
    def from_bytes(cls, content: bytes) -> "UnitFindings":
        """Return what `to_bytes` gave; raises msgspec.DecodeError, msgspec.ValidationError for anything else."""
        return msgspec.msgpack.decode(content, type=cls)


class Gathering:
    """Collects the tracks of one unit while it is analysed."""

    def __init__(self) -> None:
        self._tracks: dict[UUID, FoundTrack] = {}
        self._looks: dict[UUID, dict[int, int]] = {}  # by the embedding's identity
        self._kept: list[Embedding] = []  # so that no identity is given out twice
        self.pictures: dict[str, bytes] = {}

    @property
    def tracks(self) -> list[FoundTrack]:
        return list(self._tracks.values())

    def note(self, tracks: Iterable[LocalTrack], at: datetime) -> None:
        """Take in rows as ingest would write them, of one moment."""
        for track in tracks:
            found = self._tracks.get(track.local_track_id)
            if found is None:
                found = FoundTrack(track.local_track_id, track.label, track.first_seen_at, [], [], [])
                self._tracks[track.local_track_id] = found
                self._looks[track.local_track_id] = {}
            found.path = [_point(point) for point in track.path]
            revision = Revision(
                at=at,
                open=track.open,
                last_seen_at=track.last_seen_at,
                score=round(track.score, 4),
                observations=track.observations,
                zones=track.zones,
                picture=track.crop_path is not None,
                face=self._look(found, track.face),
                appearance=self._look(found, track.appearance),
            )
            if found.revisions and found.last.at == at:
                found.revisions.pop()  # one frame, one row
            found.revisions.append(revision)

    def note_face_look(self, track_id: UUID) -> None:
        """Count a look for a face."""
        if track_id in self._tracks:
            self._tracks[track_id].face_looks += 1

    def _look(self, found: FoundTrack, embedding: Embedding | None) -> int | None:
        if embedding is None:
            return None
        known = self._looks[found.track_id]
        if id(embedding) not in known:
            known[id(embedding)] = len(found.looks)
            self._kept.append(embedding)
            vector = np.ascontiguousarray(embedding.vector, np.float32).tobytes()
            found.looks.append(Look(embedding.model, vector, round(embedding.quality, 6)))
        return known[id(embedding)]


def _point(point: PathPoint) -> Point:
    box = point.box
    sides = (round(box.x1, 4), round(box.y1, 4), round(box.x2, 4), round(box.y2, 4))
    return Point(point.at, sides, round(point.score, 3))
