"""OpenCV's built-in people detector (Dalal and Triggs, 2005): needs no download, sees upright whole people by day."""

import threading
from collections.abc import Sequence

import cv2
import numpy as np

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Picture

MAX_WIDTH_PX = 640
WIN_STRIDE_PX = 8
PYRAMID_SCALE = 1.1
SURE_WEIGHT = 2.5  # of the classifier's margin: a clear pedestrian
NMS_IOU = 0.3
# The window keeps 16 of 128 px free above and below a person, and more at the sides.
INNER_HEIGHT = 0.82
INNER_WIDTH = 0.62


class HogDetector:
    """People only."""

    name = "hog-people-opencv"

    def __init__(self) -> None:
        self._local = threading.local()

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the people of each picture."""
        return [self._people(picture, min_score) for picture in pictures]

    def _people(self, picture: Picture, min_score: float) -> list[Detection]:
        height, width = picture.shape[:2]
        scale = min(1.0, MAX_WIDTH_PX / width)
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        if scale < 1:
            grey = cv2.resize(grey, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
        if grey.shape[0] < 128 or grey.shape[1] < 64:
            return []
        boxes, weights = self._descriptor().detectMultiScale(
            grey, winStride=(WIN_STRIDE_PX, WIN_STRIDE_PX), scale=PYRAMID_SCALE
        )
        if len(boxes) == 0:
            return []
        scores = [score_of(float(weight)) for weight in np.asarray(weights).flatten()]
        chosen = cv2.dnn.NMSBoxes([list(map(int, box)) for box in boxes], scores, min_score, NMS_IOU)
        return [
            Detection("person", scores[index], _inner(boxes[index], grey.shape[1], grey.shape[0]))
            for index in np.array(chosen).flatten()
        ]

    def _descriptor(self) -> "cv2.HOGDescriptor":
        if not hasattr(self._local, "descriptor"):
            self._local.descriptor = cv2.HOGDescriptor()
            self._local.descriptor.setSVMDetector(cv2.HOGDescriptor.getDefaultPeopleDetector())
        descriptor: cv2.HOGDescriptor = self._local.descriptor
        return descriptor


def score_of(weight: float) -> float:
    """Return a score 0 to 1 from the classifier's margin; 0.5 in the middle between doubt and a clear pedestrian."""
    return min(max(0.2 + 0.7 * weight / SURE_WEIGHT, 0.0), 0.99)


def _inner(box: Sequence[int], width_px: int, height_px: int) -> Box:
    x, y, wide, high = (float(value) for value in box)
    centre_x, centre_y = x + wide / 2, y + high / 2
    half_w, half_h = wide * INNER_WIDTH / 2, high * INNER_HEIGHT / 2
    return Box(
        max(0.0, (centre_x - half_w) / width_px),
        max(0.0, (centre_y - half_h) / height_px),
        min(1.0, (centre_x + half_w) / width_px),
        min(1.0, (centre_y + half_h) / height_px),
    )
