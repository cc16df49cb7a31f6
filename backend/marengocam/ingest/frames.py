"""A decoded frame as analysis takes it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


@dataclass(slots=True)
class Frame:
    """A decoded frame; RGB is made only when it is needed."""

    at: datetime
    luma: Picture
    to_rgb: Callable[[], Picture]
    _rgb: Picture | None = field(default=None, init=False)

    @property
    def rgb(self) -> Picture:
        if self._rgb is None:
            self._rgb = self.to_rgb()
        return self._rgb


def luma_of(frame: Any) -> Picture:
    """Return the brightness plane of a decoded frame without copying it (planar YUV), else a grey picture."""
    if frame.format.name in {"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "nv12"}:
        plane = frame.planes[0]
        return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    return np.asarray(frame.to_ndarray(format="gray", threads=1), np.uint8)


def rgb_of(frame: Any) -> Picture:
    """Return a decoded frame as RGB."""
    return np.asarray(frame.to_ndarray(format="rgb24", threads=1), np.uint8)
