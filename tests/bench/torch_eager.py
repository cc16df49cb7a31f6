"""YOLO as ultralytics' own `predict` runs it, one picture a call: what a user would pick instead."""

from collections.abc import Sequence
from pathlib import Path

import cv2

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import LABELS, Picture
from marengocam.vision.detectors.yolo import NMS_IOU


class TorchEager:
    """A detector; needs torch and ultralytics."""

    def __init__(self, file: Path, long_side_px: int) -> None:
        from ultralytics import YOLO  # noqa: PLC0415 - only where it is

        self.name = f"{file.stem}-predict-{long_side_px}"
        self._model = YOLO(str(file), task="detect")
        self._long_side_px = long_side_px

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        return [self._one(picture, min_score) for picture in pictures]

    def _one(self, picture: Picture, min_score: float) -> list[Detection]:
        (result,) = self._model.predict(
            cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
            imgsz=self._long_side_px,
            conf=min_score,
            iou=NMS_IOU,
            classes=sorted(LABELS),
            verbose=False,
        )
        corners, scores, classes = (
            part.cpu().numpy() for part in (result.boxes.xyxyn, result.boxes.conf, result.boxes.cls)
        )
        return [
            Detection(LABELS[int(label)], float(score), Box(*(float(value) for value in corner)))
            for corner, score, label in zip(corners, scores, classes, strict=True)
        ]
