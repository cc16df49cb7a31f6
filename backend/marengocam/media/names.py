"""How files of the media folder are named: what a path tells is all there is while the database is away."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import UUID

RECORDINGS, PICTURES, LIVE = "recordings", "pictures", "live"
PERSONS = "persons"  # below the pictures: those that were sent in, a folder for each person
ARCHIVE = "archive"  # first part of a path that lies in the second folder
MOVING_SUFFIX = ".moving"  # a copy that is not whole yet
LONGEST_CHUNK = timedelta(hours=1)
GROWING_SUFFIX = ".mp4.part"
_NAME = re.compile(r"^(?P<start>\d{8}T\d{6}\.\d{3}Z)_(?P<id>[0-9a-f-]{36})\.mp4(?:\.part)?$")
_PICTURE_NAME = re.compile(r"^\.?(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})[._]")
DAY_FORMAT, HOUR_FORMAT = "%Y-%m-%d", "%H"
_START_FORMAT = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True, slots=True)
class RecordingName:
    """What a recording's path tells: everything the index needs to find it again without a database."""

    camera_id: str
    started_at: datetime
    chunk_id: UUID

    @property
    def path(self) -> PurePosixPath:
        """Where the finished file lies under the media root."""
        start = self.started_at.astimezone(UTC)
        stamp = start.strftime("%Y%m%dT%H%M%S.") + f"{start.microsecond // 1000:03d}Z"
        folder = PurePosixPath(RECORDINGS, self.camera_id, start.strftime(DAY_FORMAT), start.strftime(HOUR_FORMAT))
        return folder / f"{stamp}_{self.chunk_id}.mp4"

    @classmethod
    def from_path(cls, path: PurePosixPath) -> "RecordingName | None":
        """Return what a path (finished or growing) tells, or None when it is no recording's."""
        if path.parts[:1] == (ARCHIVE,):
            path = path.relative_to(ARCHIVE)
        match = _NAME.match(path.name)
        if match is None or len(path.parts) < 5 or path.parts[0] != RECORDINGS:
            return None
        try:
            started_at = datetime.strptime(match["start"][:-1] + "000", _START_FORMAT).replace(tzinfo=UTC)
            return cls(path.parts[1], started_at, UUID(match["id"]))
        except ValueError:
            return None  # digits that are no date, or dashes that are no id: somebody else's file


def is_recording(name: str) -> bool:
    """Return whether a file is named as our recordings are, finished or growing."""
    return _NAME.match(name) is not None


def hour_folders(from_at: datetime, to_at: datetime) -> list[str]:
    """Return the folders, below a camera's, of the hours that a stretch of time touches."""
    first = from_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    count = int((to_at - first).total_seconds() // 3600) + 1
    return [(first + timedelta(hours=number)).strftime(f"{DAY_FORMAT}/{HOUR_FORMAT}") for number in range(count)]


def picture_path(
    camera_id: str, at: datetime, local_track_id: UUID, *, face: bool = False, view: int = 0
) -> PurePosixPath:
    """Return where a picture of a track lies: the best one, its face, or a further view."""
    which = "_face" if face else f"_{view}" if view else ""
    name = f"{local_track_id}{which}.jpg"
    return PurePosixPath(PICTURES, camera_id, at.astimezone(UTC).strftime(DAY_FORMAT), name)


def track_of_picture(name: str) -> UUID | None:
    """Return whose picture a file is, from its name, half written or whole; None when it is no track's."""
    match = _PICTURE_NAME.match(name)
    return UUID(match["id"]) if match else None


def live_path(camera_id: str) -> PurePosixPath:
    """Return where the newest picture of a camera lies."""
    return PurePosixPath(LIVE, f"{camera_id}.jpg")
