"""YOLO on a network that is compiled for one input shape: one network per picture shape, made at its first use."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Picture
from marengocam.vision.detectors.yolo import READ, SQUEEZE, STRIDE_PX, fit, read

LONG_SIDE_PX = 640
BALANCED_LONG_SIDE_PX = 576  # costs a fifth less and finds 0.97 of what 640 does (docs/design/performance.md)
Size = tuple[int, int]  # width and height in pixels


class Net(Protocol):
    """A network for one input shape; may be called by several threads."""

    @property
    def precision(self) -> str:
        """In what it computes, such as bf16."""

    def infer(self, batch: npt.NDArray[np.float32], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return these rows of the raw [N, 84, anchors] answer for [N, 3, height, width]."""


class ShapedDetector:
    """Looks at pictures one by one: on a processor batches gain nothing (PERFORMANCE.md)."""

    def __init__(
        self, name: str, make_net: Callable[[Size], Net], long_side_px: int = LONG_SIDE_PX, *, square: bool = False
    ) -> None:
        self.why = ""  # it is this one, where there was a choice
        self._name = name
        self._make_net = make_net
        self._long_side_px = long_side_px
        self._square = square
        self._nets: dict[Size, Net] = {}
        self._making = threading.Lock()
        self._net(self._input_size(16, 9))

    @property
    def name(self) -> str:
        return f"{self._name}-{self.precision}-{self._long_side_px}"

    @property
    def precision(self) -> str:
        """In what it computes, such as bf16."""
        return next(iter(self._nets.values())).precision

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture."""
        found = []
        for picture in pictures:
            size = self._input_size(picture.shape[1], picture.shape[0])
            planes, placed = fit(picture, *size)
            found.append(read(self._net(size).infer(planes[None], READ)[0], placed, min_score))
        return found

    def _input_size(self, width: int, height: int) -> Size:
        """Return the network's input for a picture's shape, with as little border as possible."""
        if self._square:
            return self._long_side_px, self._long_side_px
        return input_size(width, height, self._long_side_px)

    def _net(self, size: Size) -> Net:
        with self._making:
            if size not in self._nets:
                self._nets[size] = self._make_net(size)
            return self._nets[size]


def input_size(width: int, height: int, long_side_px: int) -> Size:
    """Return the input for pictures of a shape, in whole strides."""
    scale = long_side_px / max(width, height)
    return _strides(width * scale), _strides(height * scale)


def _strides(length_px: float) -> int:
    """Return a length in whole strides, from which a picture of `length_px` differs by SQUEEZE or has a border."""
    below = int(length_px * SQUEEZE / STRIDE_PX) * STRIDE_PX
    return max(STRIDE_PX, below if below * SQUEEZE >= length_px else below + STRIDE_PX)
