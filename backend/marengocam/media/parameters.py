"""Parameter sets inside a stream: a camera whose picture size is changed tells it only in front of a keyframe."""

from collections.abc import Iterator
from typing import cast

import av

from marengocam.media.opening import SIZE_LIMIT

H264, HEVC = "h264", "hevc"
MJPEG = "mjpeg"
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's markers that begin a picture: SOF0 to SOF15
START_CODE = b"\x00\x00\x01"
MAX_SETS_BYTES = 65_536
_SETS = {H264: (7, 8), HEVC: (32, 33, 34)}  # H.264: SPS, PPS; H.265: VPS, SPS, PPS
_DECISIVE = {H264: (7,), HEVC: (32, 33)}  # picture parameters alone may come and go within one recording


class ParameterWatch:
    """Follows the parameter sets of an H.264 or H.265 stream in Annex B form, as it comes over a network."""

    def __init__(self, codec: str, extradata: bytes) -> None:
        self._codec = codec
        # Files carry length-prefixed units, whose parameters cannot change: their extradata begins with version 1.
        self._watching = codec in _SETS and extradata[:1] != b"\x01"
        self._known = self._sets(extradata) if self._watching else {}

    def changed(self, keyframe: bytes) -> bytes | None:
        """Return the new extradata when this keyframe brings other parameters than those before it, else None."""
        if not self._watching:
            return None
        found = self._sets(keyframe)
        differs = any(kind in found and found[kind] != self._known.get(kind) for kind in _DECISIVE[self._codec])
        self._known |= found
        if not differs:
            return None
        return b"".join(
            b"\x00" + START_CODE + unit for kind in _SETS[self._codec] for unit in self._known.get(kind, ())
        )

    def _sets(self, annex_b: bytes) -> dict[int, tuple[bytes, ...]]:
        found: dict[int, tuple[bytes, ...]] = {}
        for unit in _leading_units(annex_b[:MAX_SETS_BYTES]):
            kind = unit[0] & 0x1F if self._codec == H264 else (unit[0] >> 1) & 0x3F
            if kind in _SETS[self._codec]:
                # Once each: some cameras send a set twice, from their encoder and from their server.
                found[kind] = tuple(dict.fromkeys((*found.get(kind, ()), unit)))
            elif 1 <= kind <= 5 if self._codec == H264 else kind < 32:
                break  # the picture itself begins
        return found


def comes_later(codec: str, extradata: bytes | None) -> bool:
    """Return whether a stream's parameters are not known yet, and will be with a keyframe."""
    return codec in _SETS and not extradata


def picture_size(codec: str, extradata: bytes, keyframe: bytes) -> tuple[int, int] | None:
    """Return the width and height in pixels that a keyframe decodes to, None when it does not decode."""
    decoder = cast("av.VideoCodecContext", av.CodecContext.create(codec, "r"))
    decoder.extradata = extradata
    decoder.options = dict(SIZE_LIMIT)
    try:
        frames = [*decoder.decode(av.Packet(keyframe)), *decoder.decode(None)]
    except av.FFmpegError:
        return None
    return (frames[0].width, frames[0].height) if frames else None


def jpeg_size(jpeg: bytes | memoryview) -> tuple[int, int] | None:
    """Return the width and height in pixels that a JPEG's header tells, None when it tells none."""
    at = 2
    while at + 9 <= len(jpeg) and jpeg[at] == 0xFF:
        if jpeg[at + 1] in _JPEG_FRAMES:
            height, width = (int.from_bytes(jpeg[at + begin : at + begin + 2], "big") for begin in (5, 7))
            return (width, height) if width and height else None
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return None


def _leading_units(annex_b: bytes) -> Iterator[bytes]:
    begin = annex_b.find(START_CODE)
    while begin >= 0:
        following = annex_b.find(START_CODE, begin + len(START_CODE))
        unit = annex_b[begin + len(START_CODE) : following if following >= 0 else None].rstrip(b"\x00")
        if unit:
            yield unit
        begin = following
