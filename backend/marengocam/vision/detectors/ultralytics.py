"""YOLO through ultralytics and torch: the default on CUDA, from the extra [gpu]."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from marengocam.core.errors import ModelError
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Picture
from marengocam.vision.detectors.recorded_launches import RecordedLaunches
from marengocam.vision.detectors.shaped import LONG_SIDE_PX, Size, input_size
from marengocam.vision.detectors.yolo import GREY, SQUEEZE, WANTED, Letterbox, placing, read_best
from marengocam.vision.vram import VramShares, memory_fraction

_LOG = logging.getLogger(__name__)
DEVICE = 0  # the first of those in CUDA_VISIBLE_DEVICES
SHAPES = ((16, 9), (4, 3))  # of cameras; whatever is higher is looked at in a square
# So many are scaled by one launch of each kernel: two pictures of 640x360, which beside a batch of 8 fit into the 20 MB
# that torch takes of the card's memory at a time.
PIXELS_AT_ONCE = 2 * 640 * 360


class UltralyticsDetector:
    """Batches over cameras, half precision on CUDA, within its share of the GPU's memory.

    ultralytics reads the file and builds the network. What stands before and behind it is ours: its `predict` spends
    five milliseconds of the processor's time on each picture, for which a GPU waits.
    """

    def __init__(self, file: Path, model_name: str, shares: VramShares, long_side_px: int = LONG_SIDE_PX) -> None:
        # No installing, fetching or reporting behind the owner's back.
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        os.environ.setdefault("YOLO_OFFLINE", "true")
        try:
            import torch  # noqa: PLC0415 - several seconds and gigabytes, only where it is used
            from ultralytics import YOLO  # noqa: PLC0415 - as torch
        except ImportError as error:
            raise ModelError("The detector `ultralytics` needs the extra: pip install 'marengocam[gpu]'.") from error
        self._torch = torch
        self._device = f"cuda:{DEVICE}" if torch.cuda.is_available() else "cpu"
        if self.on_gpu:
            _keep_to_share(torch, shares)
        self._number = torch.float16 if self.on_gpu else torch.float32
        self._network: Any = YOLO(str(file), task="detect").model.fuse(verbose=False).eval()
        self._look: Callable[[Any], Any] | None = None
        self._model_name = model_name
        self._long_side_px = long_side_px
        self._one_at_a_time = threading.Lock()  # the network keeps what belongs to a batch's shape in itself

    @property
    def on_gpu(self) -> bool:
        """Whether it runs on CUDA, where batches pay."""
        return self._device != "cpu"

    @property
    def name(self) -> str:
        return f"{self._model_name}-ultralytics-{self._device.split(':')[0]}-{self._long_side_px}"

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture; those that go into one input are looked at together."""
        size_of = few_sizes if self.on_gpu else input_size
        together: dict[Size, list[int]] = {}
        for number in sorted(range(len(pictures)), key=lambda number: pictures[number].shape):
            height, width = pictures[number].shape[:2]
            together.setdefault(size_of(width, height, self._long_side_px), []).append(number)
        found: list[list[Detection]] = [[] for _ in pictures]
        for size, numbers in together.items():
            some = [pictures[number] for number in numbers]
            placed = [placing(picture.shape[1], picture.shape[0], *size) for picture in some]
            objects = read_best(self._answers(some, placed, size), placed, min_score)
            for number, mine in zip(numbers, objects, strict=True):
                found[number] = mine
        return found

    def _answers(self, pictures: Sequence[Picture], placed: Sequence[Letterbox], size: Size) -> npt.NDArray[np.float32]:
        """Return [N, 6, anchors]: box, best score of WANTED, and which of them it is."""
        torch = self._torch
        with self._one_at_a_time, torch.inference_mode():
            if self._look is None:
                self._look = self._moved_in()
            # As few shapes as can be: CUDA's libraries make ready for each one, which takes a second.
            rows = 1 << (len(pictures) - 1).bit_length() if self.on_gpu else len(pictures)
            form = {"dtype": self._number, "device": self._device, "memory_format": torch.channels_last}
            batch = torch.empty((rows, 3, size[1], size[0]), **form).fill_(GREY / 255)
            for part in alike(pictures):
                letterbox = placed[part.start]
                batch[part, :, letterbox.rows, letterbox.columns] = self._scaled(pictures[part], letterbox)
            answers: npt.NDArray[np.float32] = self._look(batch)[: len(pictures)].cpu().numpy()
        return answers

    def _scaled(self, pictures: Sequence[Picture], letterbox: Letterbox) -> Any:
        """Return pictures of one shape on the device as [N, 3, height, width], 0 to 1, as large as they are placed."""
        torch = self._torch
        sent = torch.stack([torch.from_numpy(np.ascontiguousarray(picture)).to(self._device) for picture in pictures])
        planes = sent.permute(0, 3, 1, 2) / 255
        del sent  # memory of the card
        inner = (letterbox.inner_height_px, letterbox.inner_width_px)
        if planes.shape[2:] == inner:
            return planes
        return torch.nn.functional.interpolate(planes, inner, mode="bilinear", align_corners=False)

    def _moved_in(self) -> Callable[[Any], Any]:
        """Bring the network to where it runs; in the first look, where too little memory is a step down."""
        torch = self._torch
        network = self._network.to(self._device, self._number, memory_format=torch.channels_last)
        wanted, head = torch.as_tensor(4 + WANTED, device=self._device), network.model[-1]

        def look(batch: Any) -> Any:
            output = network(batch)[0]
            best, which = output[:, wanted].max(dim=1, keepdim=True)
            return torch.cat((output[:, :4].float(), best.float(), which.float()), dim=1)

        return RecordedLaunches(torch, look, lambda: (head.anchors, head.strides)) if self.on_gpu else look


def alike(pictures: Sequence[Picture]) -> Iterator[slice]:
    """Return parts of neighbours of one shape, none of more than PIXELS_AT_ONCE unless it is one picture."""
    start = 0
    for shape, some in groupby(picture.shape for picture in pictures):
        end = start + sum(1 for _ in some)
        most = max(1, PIXELS_AT_ONCE // (shape[0] * shape[1]))
        for first in range(start, end, most):
            yield slice(first, min(first + most, end))
        start = end


def few_sizes(width: int, height: int, long_side_px: int) -> Size:
    """Return the network's input for pictures of a shape: the flattest of SHAPES that holds it as large as can be."""
    sizes = (input_size(*shape, long_side_px) for shape in SHAPES)
    return next((size for size in sizes if height * size[0] <= width * size[1] * SQUEEZE), (long_side_px, long_side_px))


def _keep_to_share(torch: Any, shares: VramShares) -> None:
    """Limit what this process may take of the card; raises ModelError where CUDA itself cannot start."""
    try:
        card = torch.cuda.get_device_properties(DEVICE)
        fraction = memory_fraction(shares.detector_gb, shares, card.total_memory)
        torch.cuda.set_per_process_memory_fraction(fraction, DEVICE)
    except RuntimeError as error:
        raise ModelError(f"CUDA does not start on this card: {error}") from error
    _LOG.info("%s: this process takes at most %.1f GB of its memory", card.name, shares.detector_gb)
