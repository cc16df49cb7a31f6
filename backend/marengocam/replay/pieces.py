"""Which files a replay reads, and when each was filmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.media.store import RecordingName, Store

VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".avi", ".m4v", ".ts"}
FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # of files that do not tell when they were filmed


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for; None: as far as there is video."""

    from_at: datetime | None = None
    to_at: datetime | None = None

    def contains(self, at: datetime) -> bool:
        """Return whether a moment is asked for."""
        return (self.from_at is None or at >= self.from_at) and (self.to_at is None or at < self.to_at)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file; `dated` when it tells itself when it was filmed, else it follows the piece before it."""

    file: Path
    started_at: datetime
    length_s: float
    dated: bool

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(seconds=self.length_s)

    def covered_s(self, stretch: Stretch) -> float:
        """Return how many of its seconds are asked for."""
        begin = max(self.started_at, stretch.from_at or self.started_at)
        end = min(self.ended_at, stretch.to_at or self.ended_at)
        return max(0.0, (end - begin).total_seconds())


def find_pieces(place: Path, media_dir: Path, stretch: Stretch) -> list[Piece]:
    """Return the video of a file or folder that reaches into the stretch, in order of time.

    Raises BadInputError when there is no such place, NotFoundError when it has no video of that time.
    """
    if place.is_file():
        files: Sequence[Path] = [place]
    elif place.is_dir():
        files = sorted(file for file in place.rglob("*") if file.suffix.lower() in VIDEO_SUFFIXES)
    else:
        raise BadInputError(f"{place} is neither a file nor a folder.")
    pieces = _dated(files, Store(media_dir))
    found = [piece for piece in pieces if piece.covered_s(stretch) > 0]
    if not found:
        raise NotFoundError(f"There is no video of that time under {place}.")
    return found


def _dated(files: Sequence[Path], store: Store) -> list[Piece]:
    pieces: list[Piece] = []
    at = FIRST_MOMENT
    for file in files:
        name = RecordingName.from_path(store.relative(file)) if file.is_relative_to(store.root) else None
        piece = Piece(file, name.started_at if name else at, _length_s(file), dated=name is not None)
        pieces.append(piece)
        at = piece.ended_at
    return sorted(pieces, key=lambda piece: piece.started_at)


def _length_s(file: Path) -> float:
    try:
        with av.open(str(file)) as container:
            return float(container.duration or 0) / av.time_base
    except av.FFmpegError as error:
        raise BadInputError(f"{file.name} cannot be read as video ({error.strerror}).") from None
