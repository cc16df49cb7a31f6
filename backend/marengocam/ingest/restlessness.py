"""Where something moves all the time and nothing is ever found: leaves, a flag, the clock in the picture."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box

COLUMNS, ROWS = 16, 9
VAIN_LOOKS = 6.0  # after so many looks that found nothing there, a place is known to be restless
HALF_LIFE = timedelta(minutes=3)  # the wind dies down
CEILING = 3 * VAIN_LOOKS


class Restlessness:
    """Counts for each place the looks that movement there caused in vain."""

    def __init__(self) -> None:
        self._vain: npt.NDArray[np.float64] = np.zeros((ROWS, COLUMNS))
        self._at: datetime | None = None

    def familiar(self, moving: Sequence[Box]) -> bool:
        """Return whether all that moves does so where it always does."""
        return all(bool((self._vain[_cells(box)] >= VAIN_LOOKS).all()) for box in moving)

    def update(self, moving: Sequence[Box], found: Sequence[Box], at: datetime) -> None:
        """Take in a look: what moved, and what was found. Where something was found is no longer in vain."""
        if self._at is not None:
            self._vain *= 0.5 ** (abs(at - self._at) / HALF_LIFE)
        self._at = at
        for box in moving:
            self._vain[_cells(box)] += 1
        np.minimum(self._vain, CEILING, out=self._vain)
        for box in found:
            self._vain[_cells(box)] = 0


def _cells(box: Box) -> tuple[slice, slice]:
    """Return the rows and columns that a box touches, one at least."""
    top, left = min(int(box.y1 * ROWS), ROWS - 1), min(int(box.x1 * COLUMNS), COLUMNS - 1)
    bottom, right = int(np.ceil(box.y2 * ROWS)), int(np.ceil(box.x2 * COLUMNS))
    return slice(max(top, 0), max(bottom, top + 1)), slice(max(left, 0), max(right, left + 1))
