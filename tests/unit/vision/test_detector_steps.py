"""Detectors on a GPU: batches over cameras, and what happens when memory runs out."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from marengocam.core.errors import ModelError
from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.detectors.batching import BatchingDetector
from marengocam.vision.detectors.stepping import BLIND, FEWER, ON_CPU, SteppingDetector


class OutOfMemoryError(RuntimeError):
    """Torch's, by name."""


class Gpu:
    """A GPU with room for some pictures at once; tells each picture's first number back."""

    name = "gpu"

    def __init__(self, room: int = 99) -> None:
        self.room = room
        self.batches: list[int] = []
        self.held = threading.Event()
        self.held.set()

    def detect(self, pictures, min_score):
        self.held.wait(10)
        self.batches.append(len(pictures))
        if len(pictures) > self.room:
            raise OutOfMemoryError("CUDA out of memory")
        scores = (0.3, 0.6)
        return [
            [Detection(str(picture[0, 0, 0]), score, Box(0, 0, 1, 1)) for score in scores if score >= min_score]
            for picture in pictures
        ]


def pictures(*numbers: int) -> list[np.ndarray]:
    return [np.full((2, 2, 3), number, np.uint8) for number in numbers]


def labels(found) -> list[str]:
    return [objects[0].label for objects in found]


def test_memory_that_runs_out_halves_the_batch_and_every_picture_is_looked_at():
    gpu = Gpu(room=2)
    stepping = SteppingDetector(gpu, 8, Gpu)
    assert labels(stepping.detect(pictures(*range(8)), 0.1)) == [str(number) for number in range(8)]
    assert gpu.batches == [8, 4, 2, 2, 2, 2]
    assert stepping.problem == FEWER
    stepping.detect(pictures(1, 2, 3), 0.1)
    assert gpu.batches[-2:] == [2, 1], "it remembers"


def test_without_room_for_one_picture_the_processor_looks():
    processor = Gpu()
    processor.name = "processor"
    stepping = SteppingDetector(Gpu(room=0), 4, lambda: processor)
    assert labels(stepping.detect(pictures(5, 6), 0.1)) == ["5", "6"]
    assert (stepping.problem, stepping.name) == (ON_CPU, "processor")


def test_what_was_blind_and_sees_again_says_no_longer_that_it_is_blind():
    def nothing():
        raise ModelError("no model")

    gpu, processor = Gpu(room=0), Gpu(room=0)
    for stepping, detector, afterwards in (
        (SteppingDetector(gpu, 1, nothing), gpu, FEWER),
        (SteppingDetector(Gpu(room=0), 1, lambda: processor), processor, ON_CPU),
    ):
        for _ in range(2):
            with pytest.raises(ModelError):
                stepping.detect(pictures(1), 0.1)
            assert stepping.problem == BLIND
        detector.room = 1
        assert labels(stepping.detect(pictures(7), 0.1)) == ["7"]
        assert stepping.problem == afterwards


def test_without_anything_that_can_look_it_says_so():
    def nothing():
        raise ModelError("no model")

    stepping = SteppingDetector(Gpu(room=0), 1, nothing)
    with pytest.raises(ModelError, match="only movement"):
        stepping.detect(pictures(5), 0.1)
    assert stepping.problem == BLIND


def test_other_errors_are_no_reason_to_step_down():
    class Broken(Gpu):
        def detect(self, pictures, min_score):
            raise ValueError("broken")

    stepping = SteppingDetector(Broken(), 4, Gpu)
    with pytest.raises(ValueError, match="broken"):
        stepping.detect(pictures(1), 0.1)
    assert stepping.problem == ""


def test_cameras_that_ask_at_once_share_batches_and_each_gets_its_own():
    gpu = Gpu()
    batching = BatchingDetector(gpu, max_batch=4, gather_s=0.01)
    gpu.held.clear()
    with ThreadPoolExecutor(9) as cameras:
        jobs = [cameras.submit(batching.detect, pictures(number), 0.5) for number in range(9)]
        gpu.held.set()
        found = [job.result(10) for job in jobs]
    assert [labels(one) for one in found] == [[str(number)] for number in range(9)]
    assert all(len(objects) == 1 for one in found for objects in one), "each by its own least score"
    assert sum(gpu.batches) == 9
    assert max(gpu.batches) <= 4
    assert len(gpu.batches) < 9


def test_one_thread_does_all_the_looking_and_ends_with_the_detector():
    """What CUDA's libraries know of a shape they know in one thread; the next one waits for seconds."""

    class Telling(Gpu):
        def detect(self, pictures, min_score):
            threads.add(threading.current_thread())
            return super().detect(pictures, min_score)

    threads: set[threading.Thread] = set()
    cameras = [BatchingDetector(Telling(), gather_s=0)]
    with ThreadPoolExecutor(4) as asking:
        list(asking.map(lambda number: cameras[0].detect(pictures(number), 0.5), range(20)))
    (thread,) = threads
    assert thread.is_alive()
    cameras.clear()
    assert not thread.is_alive()


def test_a_failure_reaches_everybody_who_waited_and_the_next_is_served():
    gpu = Gpu(room=0)
    batching = BatchingDetector(gpu, gather_s=0.05)
    with ThreadPoolExecutor(3) as cameras:
        jobs = [cameras.submit(batching.detect, pictures(number), 0.5) for number in range(3)]
        for job in jobs:
            with pytest.raises(OutOfMemoryError):
                job.result(10)
    gpu.room = 9
    assert labels(batching.detect(pictures(7), 0.5)) == ["7"]


class Miscounting(Gpu):
    """Answers for more or fewer pictures than it was given."""

    def __init__(self, off: int) -> None:
        super().__init__()
        self.off = off

    def detect(self, pictures, min_score):
        found = super().detect(pictures, min_score)
        return [*found, *found[:1]] if self.off > 0 else found[: self.off]


@pytest.mark.timeout(20)
@pytest.mark.parametrize("off", [-2, -1, 1])
@pytest.mark.parametrize("wrap", [lambda gpu: SteppingDetector(gpu, 8, Gpu), BatchingDetector])
def test_answers_that_are_not_one_for_each_picture_are_none(off, wrap):
    """They would be another camera's; asked again and again for what is missing, ingest would hang."""
    wrapped = wrap(Miscounting(off))
    with pytest.raises(ModelError, match="2 pictures"):
        wrapped.detect(pictures(1, 2), 0.1)
    wrapped = wrap(Gpu())
    assert labels(wrapped.detect(pictures(1, 2), 0.1)) == ["1", "2"]
