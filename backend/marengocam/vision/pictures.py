"""Pictures from strangers: capped in bytes and pixels before anything is decoded."""

import struct

import cv2
import numpy as np

from marengocam.core.errors import BadInputError
from marengocam.vision.crops import Picture

MAX_BYTES = 8 << 20
MAX_PIXELS = 40_000_000
MAX_SEGMENTS = 500
MAX_SCANS = 64  # of a progressive JPEG, which needs some ten; each costs the whole picture's work, and may be tiny
_HEAD_BYTES = 16
_OTHERS = {  # what people have and send; not taken, since each decoder is one more that strangers can attack
    b"ftyphei": "HEIC",
    b"ftyphev": "HEIC",
    b"ftypmif1": "HEIC",
    b"ftypavif": "AVIF",
    b"GIF8": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
_SCAN = b"\xff\xda"
_JPEG_SIZES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}


def decode(content: bytes) -> Picture:
    """Return an RGB picture; raises BadInputError that says what to send instead."""
    if len(content) > MAX_BYTES:
        raise BadInputError(f"The picture is too large: at most {MAX_BYTES >> 20} MB.")
    size = picture_size(content)
    if size is None:
        raise BadInputError(_not_taken(content))
    if size[0] * size[1] > MAX_PIXELS or min(size) < 1:
        raise BadInputError(f"A picture of {size[0]} x {size[1]} pixels is not taken: at most 40 megapixels.")
    if content.startswith(b"\xff\xd8") and content.count(_SCAN) > MAX_SCANS:
        raise BadInputError("A JPEG of so many scans is not taken: save the picture anew.")
    try:
        decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise BadInputError("The picture is damaged and cannot be read.")
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _not_taken(content: bytes) -> str:
    """Say what to send instead of what is none of the pictures that are taken."""
    if not content:
        return "The picture is empty: choose it again."
    kind = next((name for mark, name in _OTHERS.items() if mark in content[:_HEAD_BYTES]), None)
    if kind is None:
        return "That is no JPEG, PNG, BMP or WebP picture."
    return f"{kind} pictures are not taken: save it as JPEG, PNG, BMP or WebP."


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height from a picture's header, or None when it is no known picture."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack_from(">II", content, 16)
            return width, height
        if content.startswith(b"BM"):
            width, height = struct.unpack_from("<ii", content, 18)
            return abs(width), abs(height)
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _webp_size(content)
        if content.startswith(b"\xff\xd8"):
            return _jpeg_size(content)
    except (struct.error, IndexError):
        return None
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    position = 2
    for _ in range(MAX_SEGMENTS):
        if content[position] != 0xFF:
            return None
        kind = content[position + 1]
        if kind == 0xFF:
            position += 1
            continue
        length = struct.unpack_from(">H", content, position + 2)[0]
        if kind in _JPEG_SIZES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            return width, height
        position += 2 + length
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", content, 21)[0]
        return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    return None
