"""The motion gate: is anything moving? A running mean and deviation per cell of a tiny luma picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box, Point

GRID_WIDTH, GRID_HEIGHT = 80, 45
MEAN_RATE = 0.05
DEVIATION_RATE = 0.03
FIRST_DEVIATION = 4.0  # grey levels
MIN_DEVIATION = 1.5
THRESHOLD_DEVIATIONS = 4.0
MIN_DIFFERENCE = 8.0  # grey levels: below lies the noise of cheap sensors
MIN_CELLS = 3
FLOOD_SHARE = 0.7  # more cells than this changed: the light did, not things
WARM_UP_FRAMES = 3


@dataclass(frozen=True, slots=True)
class Motion:
    """Whether something moves, and where."""

    moving: bool
    boxes: tuple[Box, ...] = ()


class MotionGate:
    """Learns what stands still; call it with every analysed frame of one camera. Masked cells do not count."""

    def __init__(self, masks: Sequence[Sequence[Point]] = ()) -> None:
        self.mask(masks)
        self._mean: npt.NDArray[np.float32] | None = None
        self._deviation: npt.NDArray[np.float32] | None = None
        self._seen = 0

    def mask(self, masks: Sequence[Sequence[Point]]) -> None:
        """Leave these areas out from now on."""
        self._open = _open_cells(masks)

    def update(self, luma: npt.NDArray[np.uint8]) -> Motion:
        """Take in a luma picture (H x W, any size) and return what moves in it."""
        cells = _cells(luma)
        if self._mean is None or self._deviation is None:
            self._mean, self._deviation = cells, np.full_like(cells, FIRST_DEVIATION)
            return Motion(moving=False)
        # A lamp or a cloud shifts everything alike; what remains after that shift has moved.
        offset = cells - self._mean
        difference = np.abs(offset - _median(offset))
        changed = difference > np.maximum(THRESHOLD_DEVIATIONS * self._deviation, MIN_DIFFERENCE)
        if self._open is not None:
            changed &= self._open
        self._learn(cells, difference)
        self._seen += 1
        count = int(np.count_nonzero(changed))
        if self._seen < WARM_UP_FRAMES or count < MIN_CELLS:
            return Motion(moving=False)
        if count > FLOOD_SHARE * changed.size:
            self._mean = cells
            return Motion(moving=True, boxes=(Box(0, 0, 1, 1),))
        return _regions(changed)

    def _learn(self, cells: npt.NDArray[np.float32], difference: npt.NDArray[np.float32]) -> None:
        assert self._mean is not None
        assert self._deviation is not None
        cv2.accumulateWeighted(cells, self._mean, MEAN_RATE)
        # Bounded, so that a passer-by does not make the spot blind.
        surprise = np.minimum(difference, 3 * self._deviation + 1)
        self._deviation += DEVIATION_RATE * (surprise - self._deviation)
        np.maximum(self._deviation, MIN_DEVIATION, out=self._deviation)


def _cells(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    height, width = luma.shape
    whole = min(width // GRID_WIDTH, height // GRID_HEIGHT)
    if whole > 1:
        # By a whole number OpenCV is several times faster, by two again; the rest is done on what is small by then.
        rows, columns = height // whole, width // whole
        luma = luma[: rows * whole, : columns * whole]
        while whole % 2 == 0:
            whole //= 2
            luma = _shrunk(luma, columns * whole, rows * whole)
        if whole > 1:
            luma = _shrunk(luma, columns, rows)
    return cv2.resize(luma, (GRID_WIDTH, GRID_HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)


def _shrunk(luma: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _median(values: npt.NDArray[np.float32]) -> float:
    """Return the median of an even number of values; NumPy's own takes twice as long for so few."""
    upper = values.size // 2
    sorted_there = np.partition(values, (upper - 1, upper), axis=None)
    return float(sorted_there[upper - 1] + sorted_there[upper]) / 2


def _open_cells(masks: Sequence[Sequence[Point]]) -> npt.NDArray[np.bool_] | None:
    """Return which cells lie outside every mask; None when there is none."""
    if not masks:
        return None
    closed = np.zeros((GRID_HEIGHT, GRID_WIDTH), np.uint8)
    for mask in masks:
        corners = np.array([(x * GRID_WIDTH, y * GRID_HEIGHT) for x, y in mask])
        cv2.fillPoly(closed, [np.floor(corners).astype(np.int32)], (1,))
    return np.asarray(closed == 0, np.bool_)


def _regions(changed: npt.NDArray[np.bool_]) -> Motion:
    joined = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    boxes = tuple(
        Box(x / GRID_WIDTH, y / GRID_HEIGHT, (x + width) / GRID_WIDTH, (y + height) / GRID_HEIGHT)
        for x, y, width, height, _ in stats[1:count].tolist()
    )
    return Motion(moving=bool(boxes), boxes=boxes)
