"""Whether a camera goes on sending one and the same picture: its stream flows, but it has stopped to see."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

FROZEN_AFTER = timedelta(seconds=60)
SAMPLE_STEP_PX = 8
REMEMBERED_SAMPLES = 300
MOVED_BY_LEVELS = 24  # more than the ways differ in which an encoder shows one picture
MOVED_SAMPLES = 4
FROZEN_REASON = "The picture has not changed in the least for a minute: the camera may have hung up; restart it."


class FrozenWatch:
    """Compares samples of the luma plane; even a still room brings new ones, since sensors are noisy.

    An encoder shows what never changes as one picture after a keyframe and as others in between: what has been shown
    before counts as the same, unless something moved in it, as in film that is shown again.
    """

    def __init__(self) -> None:
        self._shown: dict[int, None] = {}
        self._since: datetime | None = None
        self._first: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)  # the sample of `_since`

    def update(self, luma: npt.NDArray[np.uint8], at: datetime) -> bool:
        """Take in a frame's luma (H x W); return whether the picture is frozen."""
        seen = luma[::SAMPLE_STEP_PX, ::SAMPLE_STEP_PX]
        sample = hash(seen.tobytes())
        if sample not in self._shown or self._since is None or at < self._since or self._moved(seen):
            self._since, self._first = at, seen.copy()
            self._shown[sample] = None
            while len(self._shown) > REMEMBERED_SAMPLES:
                del self._shown[next(iter(self._shown))]
        return at - self._since >= FROZEN_AFTER

    def _moved(self, seen: npt.NDArray[np.uint8]) -> bool:
        """Return whether something else is seen than at `_since`, beyond what an encoder makes of it."""
        if seen.shape != self._first.shape:
            return True
        difference = np.abs(seen.astype(np.int16) - self._first)
        return int(np.count_nonzero(difference > MOVED_BY_LEVELS)) >= MOVED_SAMPLES
