"""Pictures of one object: cut out of a frame, judged, and encoded."""

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.core.geometry import Box

Picture = npt.NDArray[np.uint8]  # H x W x 3, RGB

MARGIN = 0.06  # around a box, as a share of its size
JPEG_QUALITY = 88
THUMBNAIL_QUALITY = 80
FULL_HEIGHT_PX = 220  # a person this tall shows all there is to see
SHARP_VARIANCE = 180.0  # of the Laplacian: a sharp picture
EDGE = 0.004  # a box this near the picture's edge is cut off


def cut(picture: Picture, box: Box, margin: float = MARGIN) -> Picture:
    """Return the part of a picture around a box; at least one pixel."""
    height, width = picture.shape[:2]
    grown = Box(
        box.x1 - margin * box.width,
        box.y1 - margin * box.height,
        box.x2 + margin * box.width,
        box.y2 + margin * box.height,
    )
    x1, y1, x2, y2 = grown.pixels(width, height)
    return picture[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)]


def quality(picture: Picture, box: Box, score: float) -> float:
    """Return how much a sight shows of an object, 0 to 1: size, sharpness, detector's score, whether it is cut off."""
    crop = cut(picture, box, margin=0)
    if crop.shape[0] < 8 or crop.shape[1] < 4:
        return 0.0
    size = min(1.0, crop.shape[0] / FULL_HEIGHT_PX)
    cut_off = sum((box.x1 < EDGE, box.y1 < EDGE, box.x2 > 1 - EDGE, box.y2 > 1 - EDGE))
    return float(size * (0.4 + 0.6 * sharpness(crop)) * score * (0.7**cut_off))


def sharpness(crop: Picture) -> float:
    """Return 0 (blurred) to 1 (sharp), from the variance of the Laplacian at a common size."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    scale = 128 / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))  # a seventh of what NumPy's variance takes
    return min(1.0, float(deviation[0, 0]) ** 2 / SHARP_VARIANCE)


def thumbnail(encoded: bytes, width_px: int, kind: str) -> bytes:
    """Return a picture at most so wide as `jpeg` or `webp`; raises ModelError when it cannot be read or encoded."""
    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ModelError("The picture cannot be read.")
    factor = width_px / picture.shape[1]
    if factor < 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    setting = cv2.IMWRITE_WEBP_QUALITY if kind == "webp" else cv2.IMWRITE_JPEG_QUALITY
    done, written = cv2.imencode(f".{kind}", picture, [setting, THUMBNAIL_QUALITY])
    if not done:
        raise ModelError(f"A picture could not be encoded as {kind}.")
    return written.tobytes()


def to_jpeg(picture: Picture, quality_percent: int = JPEG_QUALITY, max_side_px: int = 1280) -> bytes:
    """Return a picture as JPEG; raises ModelError when it cannot be encoded."""
    longest = max(picture.shape[:2])
    if longest > max_side_px:
        factor = max_side_px / longest
        picture = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    bgr = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality_percent])
    if not done:
        raise ModelError("A picture could not be encoded as JPEG.")
    return encoded.tobytes()
