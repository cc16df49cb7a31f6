"""What every detector does."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.core.model import Detection

Picture = npt.NDArray[np.uint8]  # H x W x 3, RGB

# COCO's classes that matter around a house, by their number.
LABELS = {
    0: "person",
    1: "bicycle",
    2: "car",
    3: "motorcycle",
    5: "bus",
    7: "truck",
    14: "bird",
    15: "cat",
    16: "dog",
    17: "horse",
    18: "sheep",
    19: "cow",
    21: "bear",
    24: "backpack",
    26: "handbag",
    28: "suitcase",
}


class Detector(Protocol):
    """Finds people, vehicles and animals; may be called by several threads."""

    @property
    def name(self) -> str:
        """Model, back-end, precision and size, such as yolo11n-openvino-bf16-640x384."""

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture, boxes normalised; raises ModelError."""


def answers(detector: Detector, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
    """Return the objects of each picture; raises ModelError, too, when it did not answer once for each."""
    found = detector.detect(pictures, min_score)
    if len(found) != len(pictures):  # whose answers these are cannot be told
        raise ModelError(f"Asked about {len(pictures)} pictures, the detector answered for {len(found)}.")
    return found
