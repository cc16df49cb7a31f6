"""Frames of several cameras in one call: on a GPU a batch costs little more than one picture."""

import queue
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field

from marengocam.core.errors import ModelError
from marengocam.core.model import Detection
from marengocam.vision.detectors.protocol import Detector, Picture, answers

MAX_BATCH = 16
GATHER_S = 0.004  # so long the first waits for others
ANSWER_LIMIT_S = 15.0
END_LIMIT_S = 1.0


@dataclass(eq=False, slots=True)
class _Job:
    pictures: Sequence[Picture]
    min_score: float
    done: threading.Event = field(default_factory=threading.Event)
    given_up: bool = False
    found: list[list[Detection]] | None = None
    error: Exception | None = None


class BatchingDetector:
    """One thread looks for all who ask, always the same; `detect` may be called by any number of threads.

    CUDA's libraries keep handles, workspaces and what they know of each shape for every thread that calls them, and
    make all that anew for the next.
    """

    def __init__(self, detector: Detector, max_batch: int = MAX_BATCH, gather_s: float = GATHER_S) -> None:
        self._detector = detector
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        thread = threading.Thread(
            target=_look_for_all, args=(detector, self._jobs, max_batch, gather_s), name="detector", daemon=True
        )
        thread.start()
        weakref.finalize(self, _end, thread, self._jobs)

    @property
    def name(self) -> str:
        return self._detector.name

    @property
    def answers(self) -> bool:
        """Whether the detector behind can look."""
        return bool(getattr(self._detector, "answers", True))

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
        self._jobs.put(job)
        if not job.done.wait(ANSWER_LIMIT_S):
            job.given_up = True
            raise ModelError("The detector does not answer; it is asked again with the next picture.")
        if job.error is not None:
            raise job.error
        assert job.found is not None
        return job.found


def _end(thread: threading.Thread, jobs: "queue.SimpleQueue[_Job | None]") -> None:
    """End the thread while Python still runs: what CUDA keeps for it cannot be taken down later, and aborts."""
    jobs.put(None)
    if thread is not threading.current_thread():
        thread.join(END_LIMIT_S)


def _look_for_all(detector: Detector, jobs: "queue.SimpleQueue[_Job | None]", max_batch: int, gather_s: float) -> None:
    """Answer jobs, as many at once as have come, until there is None instead."""
    while (first := jobs.get()) is not None:
        time.sleep(gather_s)
        batch = [first]
        while sum(len(job.pictures) for job in batch) < max_batch:
            try:
                job = jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                jobs.put(None)
                break
            batch.append(job)
        _look(detector, [job for job in batch if not job.given_up])
        for job in batch:
            job.done.set()
        del first, batch  # pictures are not kept while there is nothing to do


def _look(detector: Detector, batch: Sequence[_Job]) -> None:
    if not batch:
        return
    pictures = [picture for job in batch for picture in job.pictures]
    try:
        found = answers(detector, pictures, min(job.min_score for job in batch))
    except Exception as error:  # noqa: BLE001 - raised in each thread that waits for it
        for job in batch:
            job.error = error
        return
    for job in batch:
        mine, found = found[: len(job.pictures)], found[len(job.pictures) :]
        job.found = [[one for one in objects if one.score >= job.min_score] for objects in mine]
