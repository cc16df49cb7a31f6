"""A detector on a GPU whose memory may run out: half the batch, then the processor, then movement only."""

import logging
import threading
from collections.abc import Callable, Sequence

from marengocam.core.errors import ModelError
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Detector, Picture, answers

FEWER = "The GPU's memory is short: pictures are looked at in smaller batches. Give it more, or use fewer cameras."
ON_CPU = "The GPU's memory ran out: the processor looks instead, slower. Free GPU memory and restart ingest."
BLIND = "Neither GPU nor processor can look: only movement is noticed. Recording goes on. See the log of ingest."
_LOG = logging.getLogger(__name__)


class SteppingDetector:
    """Goes a step down whenever the GPU's memory runs out; recording never notices.

    `problem` tells the step that was taken last, empty while all is well.
    """

    def __init__(self, on_gpu: Detector, max_batch: int, make_fallback: Callable[[], Detector]) -> None:
        self._detector = on_gpu
        self._fell_back = False
        self._batch = max_batch
        self._make_fallback = make_fallback
        self._on_gpu = True
        self._stepping = threading.Lock()
        self.problem = ""

    @property
    def name(self) -> str:
        return self._detector.name

    @property
    def answers(self) -> bool:
        """Whether there is something that can look."""
        return self.problem != BLIND

    @property
    def why(self) -> str:
        """Why it is this one, where there was a choice."""
        return str(getattr(self._detector, "why", ""))

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture; raises ModelError when nothing is left that can look."""
        found: list[list[Detection]] = []
        while len(found) < len(pictures):
            batch = self._batch
            try:
                found += answers(self._detector, pictures[len(found) : len(found) + batch], min_score)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                self._step_down(batch)
        if self.problem == BLIND:
            self.problem = ON_CPU if self._fell_back else FEWER  # it sees again
        return found

    def _step_down(self, failed_batch: int) -> None:
        with self._stepping:
            if not self._on_gpu:
                self.problem = BLIND
                raise ModelError(BLIND)
            if self._batch < failed_batch:
                return  # another thread stepped down already
            if failed_batch > 1:
                self._batch, self.problem = failed_batch // 2, FEWER
            else:
                self._fall_back()
        _LOG.warning("%s", self.problem)

    def _fall_back(self) -> None:
        self._on_gpu = False
        self.problem = ON_CPU
        try:
            self._detector = self._make_fallback()
            self._fell_back = True
        except ModelError as error:
            self.problem = BLIND
            raise ModelError(BLIND) from error


def is_out_of_memory(error: Exception) -> bool:
    """Return whether a library ran out of GPU memory; torch says so by a class of its own, others in words."""
    return type(error).__name__ == "OutOfMemoryError" or "out of memory" in str(error).lower()
