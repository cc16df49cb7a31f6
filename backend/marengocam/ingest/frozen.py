"""Whether a camera goes on sending one and the same picture: its stream flows, but it has stopped to see."""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

FROZEN_AFTER = timedelta(seconds=60)
SAMPLE_STEP_PX = 8
FROZEN_REASON = "The picture has not changed in the least for a minute: the camera may have hung up; restart it."


class FrozenWatch:
    """Compares samples of the luma plane; even a still room differs, since sensors are noisy and encoders refresh."""

    def __init__(self) -> None:
        self._sample = b""
        self._since: datetime | None = None

    def update(self, luma: npt.NDArray[np.uint8], at: datetime) -> bool:
        """Take in a frame's luma (H x W); return whether the picture is frozen."""
        sample = luma[::SAMPLE_STEP_PX, ::SAMPLE_STEP_PX].tobytes()
        if sample != self._sample or self._since is None or at < self._since:
            self._sample, self._since = sample, at
        return at - self._since >= FROZEN_AFTER
