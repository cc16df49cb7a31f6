"""The fragments of a recording: where each lies in the file, when it starts, whether with a keyframe."""

import struct
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from os import pread
from pathlib import Path

from marengocam.core.errors import MediaError
from marengocam.media.mp4.boxes import HEADER_BYTES, LARGE_HEADER_BYTES, MediaBox, find, find_all
from marengocam.media.mp4.header import Header, read_header

MAX_INIT_BYTES = 1 << 20
MAX_MOOF_BYTES = 1 << 20
MAX_FRAGMENTS = 20_000
MAX_MFRA_BYTES = 1 << 20
MFRO_BYTES = 16
MAX_TICKS = (1 << 63) - 1
NON_SYNC = 0x0001_0000  # sample_is_non_sync_sample
# Flags of tfhd and trun: which optional fields follow.
_TFHD_BASE_OFFSET, _TFHD_DESCRIPTION, _TFHD_DURATION, _TFHD_SIZE, _TFHD_FLAGS = 0x01, 0x02, 0x08, 0x10, 0x20
_TRUN_OFFSET, _TRUN_FIRST_FLAGS, _TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_CTS = (
    0x01, 0x04, 0x100, 0x200, 0x400, 0x800,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fragment:
    """One moof with its mdat; times in seconds from the start of the file."""

    offset: int
    size_bytes: int
    start_s: float
    duration_s: float
    keyframe: bool

    @property
    def end(self) -> int:
        return self.offset + self.size_bytes


@dataclass(frozen=True, slots=True)
class FragmentIndex:
    """What a recording holds; `init_bytes` is the length of its header (ftyp and moov)."""

    init_bytes: int
    timescales: Mapping[int, int]  # by number of the track
    fragments: tuple[Fragment, ...]

    @property
    def end(self) -> int:
        """Where the last whole fragment ends."""
        return self.fragments[-1].end if self.fragments else self.init_bytes

    @property
    def duration_s(self) -> float:
        return self.fragments[-1].start_s + self.fragments[-1].duration_s if self.fragments else 0.0


def read_index(file: Path) -> FragmentIndex:
    """Return the index of a recording, also of one that still grows or was cut off.

    Only headers are read; the index ends before the first damaged fragment.
    Raises MediaError when it is not a recording of ours, OSError when it cannot be read.
    """
    with file.open("rb", buffering=0) as opened:
        descriptor, size = opened.fileno(), file.stat().st_size
        header, init_bytes = _header(descriptor, size)
        fragments = _fragments(descriptor, init_bytes, size, header)
        return FragmentIndex(init_bytes, header.timescales, tuple(islice(fragments, MAX_FRAGMENTS)))


def read_duration_s(file: Path) -> float:
    """Return how long a recording is, its index's `duration_s`, and of a finished one without reading all of that.

    Raises MediaError when it is not a recording of ours, OSError when it cannot be read.
    """
    with file.open("rb", buffering=0) as opened:
        descriptor, size = opened.fileno(), file.stat().st_size
        header, init_bytes = _header(descriptor, size)
        begin = _last_told(descriptor, size, header.video) or init_bytes
        last = deque(_fragments(descriptor, begin, size, header), maxlen=1)
        return FragmentIndex(init_bytes, header.timescales, tuple(last)).duration_s


def rebase(segment: bytes, offset_s: float, timescales: Mapping[int, int]) -> bytes:
    """Return fragments with the decode times of all their tracks moved by `offset_s` (tfdt, version 1)."""
    moved = bytearray(segment)
    position = 0
    view = memoryview(segment)
    while (moof := find(view, (b"moof",), position)) is not None:
        for traf in find_all(view, b"traf", moof.content, moof.end):
            tfdt = find(view, (b"tfdt",), traf.content, traf.end)
            timescale = timescales.get(_track_of(segment, traf))
            if timescale and tfdt is not None and tfdt.end - tfdt.content >= 12 and moved[tfdt.content] == 1:
                (at,) = struct.unpack_from(">Q", moved, tfdt.content + 4)
                moved_at = min(max(0, at + round(offset_s * timescale)), MAX_TICKS)
                struct.pack_into(">Q", moved, tfdt.content + 4, moved_at)
        position = moof.end
        mdat = find(view, (b"mdat",), position)
        if mdat is None:
            break
        position = mdat.end
    return bytes(moved)


def _header(descriptor: int, size: int) -> tuple[Header, int]:
    """Return the header of a recording, and where it ends."""
    position = 0
    while (box := _box_at(descriptor, position, size)) is not None:
        if box.kind == b"moov":
            return read_header(_read(descriptor, box, MAX_INIT_BYTES)), box.end
        position = box.end
    raise MediaError("not a recording of MarengoCam: it has no header")


def _fragments(descriptor: int, position: int, size: int, header: Header) -> Iterator[Fragment]:
    """Yield the fragments from a place on, up to the first damaged one: what lies before it can still be shown."""
    moof, moof_at, before = b"", 0, None
    while (box := _box_at(descriptor, position, size)) is not None:
        if box.kind == b"moof":
            moof, moof_at = _read(descriptor, box, MAX_MOOF_BYTES), position
        elif box.kind == b"mdat" and moof:
            try:
                before = _fragment(moof, moof_at, box.end, header, before)
            except MediaError:
                return
            yield before
            moof = b""
        position = box.end


def _last_told(descriptor: int, size: int, video: int) -> int | None:
    """Return where the last fragment with pictures is by the table at a finished file's end (mfra), None without."""
    tail = pread(descriptor, MFRO_BYTES, max(0, size - MFRO_BYTES))
    if len(tail) < MFRO_BYTES or tail[4:8] != b"mfro":
        return None
    (length,) = struct.unpack(">I", tail[-4:])
    if not MFRO_BYTES < length <= min(size, MAX_MFRA_BYTES):
        return None
    table = pread(descriptor, length, size - length)
    try:
        mfra = find(table, (b"mfra",))
        tracks = find_all(table, b"tfra", mfra.content, mfra.end) if mfra is not None else []
        for tfra in tracks:
            flags, track, widths, count = struct.unpack_from(">IIII", table, tfra.content)
            if track == video and count:
                form = ">QQ" if flags >> 24 else ">II"
                entry_bytes = struct.calcsize(form) + sum((widths >> shift & 3) + 1 for shift in (0, 2, 4))
                _, offset = struct.unpack_from(form, table, tfra.content + 16 + entry_bytes * (count - 1))
                box = _box_at(descriptor, offset, size) if offset < size else None
                return int(offset) if box is not None and box.kind == b"moof" else None
    except (struct.error, MediaError):
        pass  # it only saves time
    return None


def _box_at(descriptor: int, position: int, size: int) -> MediaBox | None:
    header = pread(descriptor, LARGE_HEADER_BYTES, position)
    if len(header) < HEADER_BYTES:
        return None
    length, kind = struct.unpack_from(">I4s", header)
    content = HEADER_BYTES
    if length == 1 and len(header) == LARGE_HEADER_BYTES:
        (length,) = struct.unpack_from(">Q", header, HEADER_BYTES)
        content = LARGE_HEADER_BYTES
    if length < content or position + length > size:
        return None
    return MediaBox(bytes(kind), position, position + content, position + length)


def _read(descriptor: int, box: MediaBox, limit_bytes: int) -> bytes:
    if box.end - box.start > limit_bytes:
        raise MediaError("not a recording of MarengoCam: a header is too long")
    return pread(descriptor, box.end - box.start, box.start)


def _fragment(moof: bytes, moof_at: int, end: int, header: Header, before: Fragment | None) -> Fragment:
    traf = _picture_track(moof, header)
    if traf is None:
        # Sound only, as when a camera's picture stalls: it belongs to what came before.
        start_s = before.start_s + before.duration_s if before is not None else 0.0
        return Fragment(moof_at, end - moof_at, start_s, 0.0, keyframe=False)
    try:
        start = _decode_time(moof, traf)
        duration, flags = _track_defaults(moof, traf, header.defaults.get(header.video, (0, 0)))
        total, first_flags = _samples(moof, traf, duration, flags)
    except struct.error:
        raise MediaError("a fragment of the recording is damaged") from None
    timescale = header.timescales[header.video]
    return Fragment(moof_at, end - moof_at, start / timescale, total / timescale, not first_flags & NON_SYNC)


def _picture_track(moof: bytes, header: Header) -> MediaBox | None:
    """Return the part of a fragment that holds pictures; raises MediaError when it has no part at all."""
    moof_box = find(moof, (b"moof",))
    tracks = find_all(moof, b"traf", moof_box.content, moof_box.end) if moof_box is not None else []
    if not tracks:
        raise MediaError("a fragment of the recording is damaged")
    return next((traf for traf in tracks if _track_of(moof, traf) == header.video), None)


def _track_of(data: bytes, traf: MediaBox) -> int:
    """Return the number of the track that a part of a fragment belongs to, 0 when it does not say."""
    tfhd = find(data, (b"tfhd",), traf.content, traf.end)
    if tfhd is None or tfhd.end - tfhd.content < 8:
        return 0
    return int(struct.unpack_from(">I", data, tfhd.content + 4)[0])


def _decode_time(moof: bytes, traf: MediaBox) -> int:
    tfdt = find(moof, (b"tfdt",), traf.content, traf.end)
    if tfdt is None:
        return 0
    form = ">Q" if moof[tfdt.content] == 1 else ">I"
    return int(struct.unpack_from(form, moof, tfdt.content + 4)[0])


def _track_defaults(moof: bytes, traf: MediaBox, defaults: tuple[int, int]) -> tuple[int, int]:
    duration, flags = defaults
    tfhd = find(moof, (b"tfhd",), traf.content, traf.end)
    if tfhd is None:
        return duration, flags
    present = struct.unpack_from(">I", moof, tfhd.content)[0] & 0xFFFFFF
    position = tfhd.content + 8
    position += 8 if present & _TFHD_BASE_OFFSET else 0
    position += 4 if present & _TFHD_DESCRIPTION else 0
    if present & _TFHD_DURATION:
        duration = struct.unpack_from(">I", moof, position)[0]
        position += 4
    position += 4 if present & _TFHD_SIZE else 0
    if present & _TFHD_FLAGS:
        flags = struct.unpack_from(">I", moof, position)[0]
    return duration, flags


def _samples(moof: bytes, traf: MediaBox, duration: int, flags: int) -> tuple[int, int]:
    """Return the duration of all samples and the flags of the first."""
    trun = find(moof, (b"trun",), traf.content, traf.end)
    if trun is None:
        return 0, flags
    present, count = struct.unpack_from(">II", moof, trun.content)
    present &= 0xFFFFFF
    position = trun.content + 8
    position += 4 if present & _TRUN_OFFSET else 0
    first_flags = None
    if present & _TRUN_FIRST_FLAGS:
        first_flags = struct.unpack_from(">I", moof, position)[0]
        position += 4
    fields = [bit for bit in (_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_CTS) if present & bit]
    width = 4 * len(fields)
    if position + width * count > trun.end:
        raise MediaError("a fragment of the recording is damaged")
    if first_flags is None:
        at = position + 4 * fields.index(_TRUN_FLAGS) if _TRUN_FLAGS in fields and count else None
        first_flags = flags if at is None else struct.unpack_from(">I", moof, at)[0]
    if _TRUN_DURATION not in fields:
        return duration * count, first_flags
    total = sum(struct.unpack_from(">I", moof, position + width * number)[0] for number in range(count))
    return total, first_flags
