"""Which files a replay reads, and when each was filmed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av

from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.ingest.decode_queue import QueuedPacket
from marengocam.ingest.decoding import SessionDecoder
from marengocam.media.faults import StreamError
from marengocam.media.names import LONGEST_CHUNK, RecordingName
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

VIDEO_SUFFIXES = {".mp4", ".mkv", ".mov", ".avi", ".m4v", ".ts"}
FIRST_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)  # of files that do not tell when they were filmed
REORDERED = timedelta(seconds=2)  # packets may come so much before pictures that are shown earlier
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is asked for; None: as far as there is video."""

    from_at: datetime | None = None
    to_at: datetime | None = None

    def contains(self, at: datetime) -> bool:
        """Return whether a moment is asked for."""
        return (self.from_at is None or at >= self.from_at) and (self.to_at is None or at < self.to_at)

    def earlier(self, lead_in: timedelta) -> "Stretch":
        """Return the stretch begun so much earlier."""
        return Stretch(None if self.from_at is None else self.from_at - lead_in, self.to_at)


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
    pieces = _dated(files, Store(media_dir), stretch)
    found = [piece for piece in pieces if piece.covered_s(stretch) > 0]
    if not found:
        raise NotFoundError(f"There is no video of that time under {place}.")
    return found


def pictures(pieces: Sequence[Piece], from_at: datetime, to_at: datetime) -> Iterator[tuple[Any, datetime]]:
    """Yield (decoded frame, when it was filmed) of a stretch; nothing before its keyframe is decoded.

    What a damaged file does not give is passed over and logged, as it would be missing live.
    """
    for session, piece in enumerate(pieces):
        if piece.ended_at + REORDERED <= from_at or piece.started_at >= to_at:
            continue
        try:
            for frame, at in _decoded(piece, session, from_at, to_at):
                if from_at <= at < to_at:
                    yield frame, at
        except StreamError as error:
            _LOG.warning("%s cannot be read to its end and is passed over from there: %s", piece.file.name, error)


def _decoded(piece: Piece, session: int, from_at: datetime, to_at: datetime) -> Iterator[tuple[Any, datetime]]:
    decoder = SessionDecoder()
    with StreamReader(f"file://{piece.file}", StreamOptions(), SystemClock(), piece.started_at) as reader:
        for packet in _from_keyframe(reader, from_at, to_at):
            yield from decoder.frames(QueuedPacket(packet, session, reader.info, reader.video))
        yield from decoder.rest()


def _from_keyframe(reader: StreamReader, from_at: datetime, to_at: datetime) -> Iterator[StreamPacket]:
    """Yield the packets of a stretch from the keyframe before it on."""
    held: list[StreamPacket] = []
    begun = False
    for packet in reader:
        if packet.at >= to_at + REORDERED:
            return
        if begun:
            yield packet
            continue
        if packet.keyframe:
            held.clear()
        held.append(packet)
        if packet.at >= from_at:
            begun = True
            yield from held
            held.clear()


def _dated(files: Sequence[Path], store: Store, stretch: Stretch) -> list[Piece]:
    pieces: list[Piece] = []
    at = FIRST_MOMENT
    for file in files:
        name = RecordingName.from_path(store.relative(file)) if file.is_relative_to(store.root) else None
        if name is not None and _surely_outside(name.started_at, stretch):
            continue  # a camera may have weeks of files: only those that matter are opened
        try:
            piece = Piece(file, name.started_at if name else at, _length_s(file), dated=name is not None)
        except BadInputError as error:
            if len(files) == 1:
                raise
            _LOG.warning("%s It is passed over.", error)
            continue
        pieces.append(piece)
        at = piece.ended_at
    return sorted(pieces, key=lambda piece: (piece.started_at, piece.file.name))


def _surely_outside(started_at: datetime, stretch: Stretch) -> bool:
    late = stretch.to_at is not None and started_at >= stretch.to_at
    return late or (stretch.from_at is not None and started_at < stretch.from_at - LONGEST_CHUNK)


def _length_s(file: Path) -> float:
    try:
        with av.open(str(file)) as container:
            return float(container.duration or 0) / av.time_base
    except av.FFmpegError as error:
        raise BadInputError(f"{file.name} cannot be read as video ({error.strerror}).") from None
