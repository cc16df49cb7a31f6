"""Pictures from the network are judged by their header before a byte is decoded."""

import contextlib
import struct
import zlib

import cv2
import numpy as np
import pytest

from marengocam.core.errors import BadInputError
from marengocam.vision.pictures import MAX_BYTES, decode, picture_size


def encoded(suffix: str, width: int = 64, height: int = 48) -> bytes:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 2] = 255  # red, as OpenCV counts
    return cv2.imencode(suffix, picture)[1].tobytes()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing: a decompression bomb's outside."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp"])
def test_known_formats_are_measured_and_decoded_to_rgb(suffix: str) -> None:
    content = encoded(suffix)
    assert picture_size(content) == (64, 48)
    picture = decode(content)
    assert picture.shape == (48, 64, 3)
    red, _, blue = picture[24, 32].tolist()
    assert red > 240
    assert blue < 20


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty: choose it again"),
        (b"hello", "no JPEG"),
        (b"\xff\xd8", "no JPEG"),
        (b"\xff\xd8\xff\xe0\x00\x04", "no JPEG"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 2000, "no JPEG"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "no JPEG"),
        (png_header(100_000, 100_000), "40 megapixels"),
        (png_header(0, 10), "40 megapixels"),
        (png_header(10, 10), "damaged"),
        (encoded(".jpg") + bytes(MAX_BYTES), "at most 8 MB"),
        (b"GIF89a" + bytes(100), "GIF pictures are not taken: save it as JPEG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no JPEG"),
        (b"\x00\x00\x00\x1cftypavif" + bytes(100), "AVIF pictures"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(100), "HEIC pictures are not taken: save it as JPEG"),
        (b"\x00\x00\x00\x18ftypmif1" + bytes(100), "HEIC pictures"),
        (b"II*\x00" + bytes(100), "TIFF pictures"),
        (b"#?RADIANCE\n" + bytes(100), "no JPEG"),
        (b"BM" + struct.pack("<16xii", 60_000, -60_000) + bytes(100), "40 megapixels"),
        (encoded(".jpg")[:-2] + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" * 70 + b"\xff\xd9", "many scans"),
    ],
)
def test_what_is_no_picture_or_too_much_of_one_is_refused_with_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        decode(content)


def test_cut_off_pictures_never_crash() -> None:
    generator = np.random.default_rng(3)
    for suffix in (".jpg", ".png", ".bmp", ".webp"):
        whole = encoded(suffix)
        for length in sorted(generator.integers(0, len(whole), 30).tolist()):
            with contextlib.suppress(BadInputError):
                assert decode(whole[:length]).shape[2] == 3
