"""ISO base media boxes (ISO/IEC 14496-12), as far as fragmented recordings need them; any bytes are safe to read."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from marengocam.core.errors import MediaError

HEADER_BYTES = 8
LARGE_HEADER_BYTES = 16
MAX_BOXES = 200_000


@dataclass(frozen=True, slots=True)
class MediaBox:
    """One box: its type, where it starts and ends, where its content starts."""

    kind: bytes
    start: int
    content: int
    end: int


def boxes(data: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[MediaBox]:
    """Yield the whole boxes between two offsets; a box that reaches past `end` ends the walk.

    Raises MediaError when a length makes no sense.
    """
    limit = len(data) if end is None else min(end, len(data))
    position = start
    for _ in range(MAX_BOXES):
        if position + HEADER_BYTES > limit:
            return
        size, kind = struct.unpack_from(">I4s", data, position)
        header = HEADER_BYTES
        if size == 1:
            if position + LARGE_HEADER_BYTES > limit:
                return
            (size,) = struct.unpack_from(">Q", data, position + HEADER_BYTES)
            header = LARGE_HEADER_BYTES
        if size < header:
            raise MediaError(f"not a readable recording: a box of {size} bytes at {position}")
        if position + size > limit:
            return
        yield MediaBox(bytes(kind), position, position + header, position + size)
        position += size
    raise MediaError("not a readable recording: it has too many boxes")


def find(data: bytes | memoryview, path: tuple[bytes, ...], start: int = 0, end: int | None = None) -> MediaBox | None:
    """Return the first box at a path of types, such as (moof, traf, tfdt), or None."""
    for box in boxes(data, start, end):
        if box.kind == path[0]:
            return box if len(path) == 1 else find(data, path[1:], box.content, box.end)
    return None


def find_all(data: bytes | memoryview, kind: bytes, start: int = 0, end: int | None = None) -> list[MediaBox]:
    """Return all boxes of one type directly between two offsets."""
    return [box for box in boxes(data, start, end) if box.kind == kind]
