"""YOLO through ultralytics and torch: the default on CUDA, from the extra [gpu]."""

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from marengocam.core.errors import ModelError
from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import LABELS, Picture
from marengocam.vision.detectors.shaped import LONG_SIDE_PX
from marengocam.vision.detectors.yolo import NMS_IOU
from marengocam.vision.vram import VramShares, memory_fraction

_LOG = logging.getLogger(__name__)
DEVICE = 0  # the first of those in CUDA_VISIBLE_DEVICES


class UltralyticsDetector:
    """Batches over cameras, half precision on CUDA, within its share of the GPU's memory."""

    def __init__(self, file: Path, model_name: str, shares: VramShares, long_side_px: int = LONG_SIDE_PX) -> None:
        # No installing, fetching or reporting behind the owner's back.
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        os.environ.setdefault("YOLO_OFFLINE", "true")
        try:
            import torch  # noqa: PLC0415 - several seconds and gigabytes, only where it is used
            from ultralytics import YOLO  # noqa: PLC0415 - as torch
            from ultralytics.cfg import DEFAULT_CFG_DICT  # noqa: PLC0415 - as torch
        except ImportError as error:
            raise ModelError("The detector `ultralytics` needs the extra: pip install 'marengocam[gpu]'.") from error
        self._device = f"cuda:{DEVICE}" if torch.cuda.is_available() else "cpu"
        if self._device != "cpu":
            card = torch.cuda.get_device_properties(DEVICE)
            fraction = memory_fraction(shares.detector_gb, shares, card.total_memory)
            torch.cuda.set_per_process_memory_fraction(fraction, DEVICE)
            _LOG.info("%s: this process takes at most %.2f of its memory", card.name, fraction)
        # Releases since 8.4 call half precision `quantize`; older ones do not know the word.
        half = {"quantize": 16} if "quantize" in DEFAULT_CFG_DICT else {"half": True}
        self._precision = {} if self._device == "cpu" else half
        self._model = YOLO(str(file), task="detect")
        self._model_name = model_name
        self._long_side_px = long_side_px
        self._one_at_a_time = threading.Lock()  # a YOLO object keeps its batch in itself

    @property
    def on_gpu(self) -> bool:
        """Whether it runs on CUDA, where batches pay."""
        return self._device != "cpu"

    @property
    def name(self) -> str:
        return f"{self._model_name}-ultralytics-{self._device.split(':')[0]}-{self._long_side_px}"

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture."""
        # ultralytics takes BGR arrays.
        frames = [np.ascontiguousarray(picture[..., ::-1]) for picture in pictures]
        with self._one_at_a_time:
            results = self._model.predict(
                frames,
                imgsz=self._long_side_px,
                conf=min_score,
                iou=NMS_IOU,
                classes=sorted(LABELS),
                device=self._device,
                **self._precision,
                verbose=False,
            )
            return [_detections(result) for result in results]


def _detections(result: "object") -> list[Detection]:
    boxes = result.boxes  # type: ignore[attr-defined]  # ultralytics ships no types
    corners, scores, classes = boxes.xyxyn.cpu().numpy(), boxes.conf.cpu().numpy(), boxes.cls.cpu().numpy()
    return [
        Detection(LABELS[int(label)], float(score), Box(*(float(value) for value in corner)))
        for corner, score, label in zip(corners, scores, classes, strict=True)
    ]
