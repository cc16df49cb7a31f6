"""Frames of several cameras in one call: on a GPU a batch costs little more than one picture."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from marengocam.core.errors import ModelError
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Detector, Picture, answers

MAX_BATCH = 16
GATHER_S = 0.004  # so long the first waits for others
ANSWER_LIMIT_S = 15.0


@dataclass(eq=False, slots=True)
class _Job:
    pictures: Sequence[Picture]
    min_score: float
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    found: list[list[Detection]] | None = None
    error: Exception | None = None


class BatchingDetector:
    """Whoever comes first looks for all who wait; `detect` may be called by any number of threads."""

    def __init__(self, detector: Detector, max_batch: int = MAX_BATCH, gather_s: float = GATHER_S) -> None:
        self._detector = detector
        self._max_batch = max_batch
        self._gather_s = gather_s
        self._lock = threading.Lock()
        self._waiting: deque[_Job] = deque()
        self._led = False

    @property
    def name(self) -> str:
        return self._detector.name

    @property
    def why(self) -> str:
        """Why it is this one, where there was a choice."""
        return str(getattr(self._detector, "why", ""))

    @property
    def problem(self) -> str:
        """What is wrong with the detector behind, empty while all is well."""
        return str(getattr(self._detector, "problem", ""))

    def detect(self, pictures: Sequence[Picture], min_score: float) -> list[list[Detection]]:
        """Return the objects of each picture; raises what the detector raises, ModelError when it does not answer."""
        job = _Job(pictures, min_score)
        with self._lock:
            self._waiting.append(job)
            job.leads, self._led = not self._led, True
        if not job.leads:
            self._wait(job)
        if job.leads:
            self._lead(job)
        if job.error is not None:
            raise job.error
        assert job.found is not None
        return job.found

    def _wait(self, job: _Job) -> None:
        if job.woken.wait(ANSWER_LIMIT_S):
            return
        with self._lock:
            if not job.woken.is_set():
                if job in self._waiting:
                    self._waiting.remove(job)
                raise ModelError("The detector does not answer; it is asked again with the next picture.")

    def _lead(self, own: _Job) -> None:
        """Look for all who wait, one batch; then hand the lead to the next."""
        if self._gather_s:
            time.sleep(self._gather_s)
        batch: list[_Job] = []
        try:
            with self._lock:
                while self._waiting and sum(len(job.pictures) for job in batch) < self._max_batch:
                    batch.append(self._waiting.popleft())
            self._look(batch)
        finally:
            with self._lock:
                successor = self._waiting[0] if self._waiting else None
                self._led = successor is not None
                if successor is not None:
                    successor.leads = True
                    successor.woken.set()
            for job in batch:
                if job is not own:
                    job.woken.set()

    def _look(self, batch: Sequence[_Job]) -> None:
        pictures = [picture for job in batch for picture in job.pictures]
        try:
            found = answers(self._detector, pictures, min(job.min_score for job in batch))
        except Exception as error:  # noqa: BLE001 - raised in each thread that waits for it
            for job in batch:
                job.error = error
            return
        for job in batch:
            mine, found = found[: len(job.pictures)], found[len(job.pictures) :]
            job.found = [[one for one in objects if one.score >= job.min_score] for objects in mine]
