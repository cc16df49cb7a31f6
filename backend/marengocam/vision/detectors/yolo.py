"""YOLO's input and output: letterbox, and boxes out of the raw [84, anchors] answer."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import LABELS, Picture

NMS_IOU = 0.5
MAX_BOXES = 100
GREY = 114  # what YOLO was trained with around the picture
STRIDE_PX = 32

_WANTED = np.array(sorted(LABELS))


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into the network's input."""

    scale: float
    left_px: int
    top_px: int
    width_px: int
    height_px: int


def fit(picture: Picture, width_px: int, height_px: int) -> tuple[npt.NDArray[np.float32], Letterbox]:
    """Return the picture as [3, height, width] 0 to 1, its shape kept, and how it was fitted."""
    height, width = picture.shape[:2]
    scale = min(width_px / width, height_px / height)
    inner = (round(width * scale), round(height * scale))
    if inner != (width, height):
        picture = np.asarray(cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR), np.uint8)
    left, top = (width_px - inner[0]) // 2, (height_px - inner[1]) // 2
    canvas = np.full((height_px, width_px, 3), GREY, np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = picture
    planes = canvas.transpose(2, 0, 1).astype(np.float32)
    planes *= 1 / 255
    return planes, Letterbox(scale, left, top, width, height)


def read(output: npt.NDArray[np.float32], placed: Letterbox, min_score: float) -> list[Detection]:
    """Return the objects of one picture from the network's [84, anchors] output."""
    scores = output[4 + _WANTED]
    best = scores.argmax(axis=0)
    best_scores = scores[best, np.arange(scores.shape[1])]
    kept = np.flatnonzero(best_scores >= min_score)
    if kept.size == 0:
        return []
    centre_x, centre_y, width, height = output[:4, kept]
    corners = np.stack([centre_x - width / 2, centre_y - height / 2, width, height], axis=1)
    classes, sure = best[kept], best_scores[kept]
    chosen = cv2.dnn.NMSBoxesBatched(corners.tolist(), sure.tolist(), classes.tolist(), min_score, NMS_IOU)
    found = []
    for index in np.array(chosen).flatten()[:MAX_BOXES]:
        x, y, wide, high = corners[index]
        box = _box(x, y, wide, high, placed)
        if box.area > 0:
            found.append(Detection(LABELS[int(_WANTED[classes[index]])], float(min(sure[index], 1.0)), box))
    return found


def _box(x: float, y: float, wide: float, high: float, placed: Letterbox) -> Box:
    def share(value: float, start_px: int, length_px: int) -> float:
        return float(min(max((value - start_px) / placed.scale / length_px, 0.0), 1.0))

    return Box(
        share(x, placed.left_px, placed.width_px),
        share(y, placed.top_px, placed.height_px),
        share(x + wide, placed.left_px, placed.width_px),
        share(y + high, placed.top_px, placed.height_px),
    )
