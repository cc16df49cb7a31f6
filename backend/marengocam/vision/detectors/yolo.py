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
SQUEEZE = 1.025  # 16:9 at 576 is 320 high instead of 324, for a tenth less of work than a border up to 352

WANTED = np.array(sorted(LABELS))  # of the 80 that the network tells
BOX_ROWS = 4  # of its 84: centre x, centre y, width, height; then a row of scores for each label
READ = np.concatenate([np.arange(BOX_ROWS), BOX_ROWS + WANTED])  # the rows that count


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a picture was fitted into the network's input."""

    scale_x: float
    scale_y: float
    left_px: int
    top_px: int
    width_px: int
    height_px: int

    @property
    def inner_width_px(self) -> int:
        return round(self.width_px * self.scale_x)

    @property
    def inner_height_px(self) -> int:
        return round(self.height_px * self.scale_y)

    @property
    def rows(self) -> slice:
        """Where the picture lies in the input, from top to bottom."""
        return slice(self.top_px, self.top_px + self.inner_height_px)

    @property
    def columns(self) -> slice:
        """Where the picture lies in the input, from left to right."""
        return slice(self.left_px, self.left_px + self.inner_width_px)


def placing(width: int, height: int, width_px: int, height_px: int) -> Letterbox:
    """Return where a picture of `width` and `height` goes in an input: in its middle, with its shape kept.

    It fills the input where that changes its shape by no more than SQUEEZE.
    """
    across, down = width_px / width, height_px / height
    scale = min(across, down)
    if max(across, down) <= scale * SQUEEZE:
        return Letterbox(across, down, 0, 0, width, height)
    left, top = (width_px - round(width * scale)) // 2, (height_px - round(height * scale)) // 2
    return Letterbox(scale, scale, left, top, width, height)


def fit(picture: Picture, width_px: int, height_px: int) -> tuple[npt.NDArray[np.float32], Letterbox]:
    """Return the picture as [3, height, width] 0 to 1, grey around it, and how it was fitted."""
    height, width = picture.shape[:2]
    placed = placing(width, height, width_px, height_px)
    inner = (placed.inner_width_px, placed.inner_height_px)
    if inner != (width, height):
        picture = np.asarray(cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR), np.uint8)
    canvas = np.full((height_px, width_px, 3), GREY, np.uint8)
    canvas[placed.rows, placed.columns] = picture
    planes = canvas.transpose(2, 0, 1).astype(np.float32)
    planes *= 1 / 255
    return planes, placed


def read(output: npt.NDArray[np.float32], placed: Letterbox, min_score: float) -> list[Detection]:
    """Return the objects of one picture from the rows READ of the network's output, [len(READ), anchors]."""
    scores = output[BOX_ROWS:]
    maybe = np.flatnonzero(scores.max(axis=0) >= min_score)  # few of thousands
    scores = scores[:, maybe]
    best = scores.argmax(axis=0)
    return objects(output[:BOX_ROWS, maybe], best, scores[best, np.arange(maybe.size)], placed, min_score)


def objects(
    boxes: npt.NDArray[np.float32],
    best: npt.NDArray[np.integer],
    best_scores: npt.NDArray[np.float32],
    placed: Letterbox,
    min_score: float,
) -> list[Detection]:
    """Return the objects of one picture from [4, anchors] boxes and the best of WANTED for each, with its score."""
    kept = np.flatnonzero(best_scores >= min_score)
    if kept.size == 0:
        return []
    centre_x, centre_y, width, height = boxes[:, kept]
    corners = np.stack([centre_x - width / 2, centre_y - height / 2, width, height], axis=1)
    classes, sure = best[kept], best_scores[kept]
    chosen = cv2.dnn.NMSBoxesBatched(corners.tolist(), sure.tolist(), classes.tolist(), min_score, NMS_IOU)
    found = []
    for index in np.array(chosen).flatten()[:MAX_BOXES]:
        x, y, wide, high = corners[index]
        box = _box(x, y, wide, high, placed)
        if box.area > 0:
            found.append(Detection(LABELS[int(WANTED[classes[index]])], float(min(sure[index], 1.0)), box))
    return found


def _box(x: float, y: float, wide: float, high: float, placed: Letterbox) -> Box:
    def share(value: float, start_px: int, scale: float, length_px: int) -> float:
        return float(min(max((value - start_px) / scale / length_px, 0.0), 1.0))

    return Box(
        share(x, placed.left_px, placed.scale_x, placed.width_px),
        share(y, placed.top_px, placed.scale_y, placed.height_px),
        share(x + wide, placed.left_px, placed.scale_x, placed.width_px),
        share(y + high, placed.top_px, placed.scale_y, placed.height_px),
    )
