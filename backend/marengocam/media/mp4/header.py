"""The header of a recording: its tracks, their time scales and what their samples have in common."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from marengocam.core.errors import MediaError
from marengocam.media.mp4.boxes import MediaBox, find, find_all

VIDEO = b"vide"


@dataclass(frozen=True, slots=True)
class Header:
    """What the fragments' times and samples are read with; `video` is the number of the picture's track."""

    video: int
    timescales: Mapping[int, int]
    defaults: Mapping[int, tuple[int, int]]  # default duration and flags of a track's samples


def read_header(moov: bytes) -> Header:
    """Return what a moov box says; raises MediaError when it has no picture track."""
    box = find(moov, (b"moov",))
    if box is None:
        raise MediaError("not a recording of MarengoCam: it has no header")
    try:
        tracks = [_track(moov, trak) for trak in find_all(moov, b"trak", box.content, box.end)]
        defaults = _defaults(moov, box)
    except struct.error:
        raise MediaError("not a recording of MarengoCam: its header is damaged") from None
    video = next((number for number, kind, _ in tracks if kind == VIDEO), None)
    if video is None:
        raise MediaError("not a recording of MarengoCam: its header has no picture track")
    return Header(video, {number: timescale for number, _, timescale in tracks}, defaults)


def _track(moov: bytes, trak: MediaBox) -> tuple[int, bytes, int]:
    """Return a track's number, kind and time scale."""
    tkhd = find(moov, (b"tkhd",), trak.content, trak.end)
    mdhd = find(moov, (b"mdia", b"mdhd"), trak.content, trak.end)
    hdlr = find(moov, (b"mdia", b"hdlr"), trak.content, trak.end)
    if tkhd is None or mdhd is None or hdlr is None or mdhd.end - mdhd.content < 24:
        raise MediaError("not a recording of MarengoCam: its header has no time scale")
    number = struct.unpack_from(">I", moov, tkhd.content + (20 if moov[tkhd.content] == 1 else 12))[0]
    timescale = struct.unpack_from(">I", moov, mdhd.content + (20 if moov[mdhd.content] == 1 else 12))[0]
    if not timescale:
        raise MediaError("not a recording of MarengoCam: its time scale is zero")
    return int(number), bytes(moov[hdlr.content + 8 : hdlr.content + 12]), int(timescale)


def _defaults(moov: bytes, box: MediaBox) -> dict[int, tuple[int, int]]:
    mvex = find(moov, (b"mvex",), box.content, box.end)
    if mvex is None:
        return {}
    found = {}
    for trex in find_all(moov, b"trex", mvex.content, mvex.end):
        if trex.end - trex.content >= 24:
            number, _, duration, _, flags = struct.unpack_from(">IIIII", moov, trex.content + 4)
            found[int(number)] = (int(duration), int(flags))
    return found
