"""YOLO's input and output: letterbox, and boxes out of the raw [84, anchors] answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
NAMES = tuple(LABELS[number] for number in sorted(LABELS))
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

    @property
    def numbers(self) -> tuple[float, ...]:
        """Across and down each: where the picture begins, its scale, its length."""
        return self.left_px, self.top_px, self.scale_x, self.scale_y, self.width_px, self.height_px


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
    if inner != (width_px, height_px):
        canvas = np.full((height_px, width_px, 3), GREY, np.uint8)
        canvas[placed.rows, placed.columns] = picture
        picture = canvas
    planes = np.array(cv2.split(picture), np.float32)  # bytes are quicker to part than numbers four times as long
    planes *= 1 / 255
    return planes, placed


def read(output: npt.NDArray[np.float32], placed: Letterbox, min_score: float) -> list[Detection]:
    """Return the objects of one picture from the rows READ of the network's output, [len(READ), anchors]."""
    maybe = np.flatnonzero((output[BOX_ROWS:] >= min_score).any(axis=0))  # few of thousands
    few = output[:, maybe]
    scores = few[BOX_ROWS:]
    best = scores.argmax(axis=0)
    sure = scores[best, np.arange(maybe.size)]
    kept = np.flatnonzero(sure >= min_score)  # a NaN is the best of its anchor, and no object
    return _objects(few[:BOX_ROWS, kept].T, best[kept], sure[kept], np.zeros_like(kept), [placed], min_score)[0]


def read_best(answers: npt.NDArray[np.float32], placed: Sequence[Letterbox], min_score: float) -> list[list[Detection]]:
    """Return the objects of each picture of a batch from [pictures, 6, anchors].

    The rows are the box, the best score of WANTED, and which of them it is.
    """
    maybe = np.flatnonzero(answers[:, BOX_ROWS] >= min_score)
    numbers, anchors = np.divmod(maybe, answers.shape[2])  # an eighth of the time of `nonzero` for two axes
    few = answers[numbers, :, anchors]
    return _objects(few[:, :BOX_ROWS], few[:, -1].astype(int), few[:, BOX_ROWS], numbers, placed, min_score)


def _objects(
    boxes: npt.NDArray[np.float32],
    best: npt.NDArray[np.integer],
    sure: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.integer],
    placed: Sequence[Letterbox],
    min_score: float,
) -> list[list[Detection]]:
    """Return the objects of each picture from [candidates, 4] boxes, the best of WANTED for each, and its score.

    `numbers` tells of which picture each is, in order. NumPy is called for all pictures at once: a call costs more than
    the few numbers that one picture has.
    """
    found: list[list[Detection]] = [[] for _ in placed]
    if best.size == 0:
        return found
    corners = np.array(boxes)
    corners[:, :2] -= corners[:, 2:] / 2
    chosen = _without_overlap(corners, best, sure, numbers, len(placed), min_score)
    edges = _edges(corners[chosen], np.array([one.numbers for one in placed], np.float32)[numbers[chosen]])
    inside = (edges[:, 2:] > edges[:, :2]).all(axis=1)
    chosen, edges = chosen[inside], edges[inside]
    scores = np.minimum(sure[chosen], 1.0)
    columns = (values.tolist() for values in (numbers[chosen], best[chosen], scores, edges))
    for number, kind, score, edge in zip(*columns, strict=True):
        found[number].append(Detection(NAMES[kind], score, Box(*edge)))
    return found


def _without_overlap(
    corners: npt.NDArray[np.float32],
    best: npt.NDArray[np.integer],
    sure: npt.NDArray[np.float32],
    numbers: npt.NDArray[np.integer],
    pictures: int,
    min_score: float,
) -> npt.NDArray[np.integer]:
    """Return which candidates stay, picture by picture, the surest first."""
    rectangles, scores, kinds = corners.tolist(), sure.tolist(), best.tolist()
    chosen: list[int] = []
    for start, end in pairwise(np.searchsorted(numbers, np.arange(pictures + 1)).tolist()):
        if start < end:
            part = slice(start, end)
            stay = cv2.dnn.NMSBoxesBatched(rectangles[part], scores[part], kinds[part], min_score, NMS_IOU)
            chosen += [start + int(index) for index in stay[:MAX_BOXES]]
    return np.array(chosen, int)


def _edges(rectangles: npt.NDArray[np.float32], placed: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return [boxes, 4] edges as shares of the picture from corners and sizes in the network's input."""
    edges = rectangles.reshape(-1, 2, 2)
    edges[:, 1] += edges[:, 0]
    edges -= placed[:, None, 0:2]
    edges /= placed[:, None, 2:4]
    edges /= placed[:, None, 4:6]
    return np.minimum(np.maximum(edges, 0.0), 1.0).reshape(-1, 4)
