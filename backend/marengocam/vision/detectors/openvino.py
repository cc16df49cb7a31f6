"""YOLO on OpenVINO: the default on a CPU."""

import threading
from collections.abc import Sequence
from pathlib import Path

from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Picture
from marengocam.vision.detectors.yolo import STRIDE_PX, fit, read
from marengocam.vision.openvino_net import OpenVinoNet

LONG_SIDE_PX = 640


class OpenVinoDetector:
    """One network per picture shape, compiled at its first use."""

    def __init__(self, file: Path, model_name: str, cache_dir: Path, long_side_px: int = LONG_SIDE_PX) -> None:
        self._file = file
        self._model_name = model_name
        self._cache_dir = cache_dir
        self._long_side_px = long_side_px
        self._nets: dict[tuple[int, int], OpenVinoNet] = {}
        self._compiling = threading.Lock()
        self._net(self._input_size(16, 9))

    @property
    def name(self) -> str:
        precision = next(iter(self._nets.values())).precision
        return f"{self._model_name}-openvino-{precision}-{self._long_side_px}"

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture."""
        found = []
        for picture in pictures:
            size = self._input_size(picture.shape[1], picture.shape[0])
            planes, placed = fit(picture, *size)
            found.append(read(self._net(size).infer(planes[None])[0], placed, min_score))
        return found

    def _input_size(self, width: int, height: int) -> tuple[int, int]:
        """Return the network's input for a picture's shape: whole strides, as little border as possible."""
        scale = self._long_side_px / max(width, height)
        return _strides(width * scale), _strides(height * scale)

    def _net(self, size: tuple[int, int]) -> OpenVinoNet:
        with self._compiling:
            if size not in self._nets:
                self._nets[size] = OpenVinoNet(self._file, (1, 3, size[1], size[0]), self._cache_dir)
            return self._nets[size]


def _strides(length_px: float) -> int:
    return max(STRIDE_PX, -(-round(length_px) // STRIDE_PX) * STRIDE_PX)
