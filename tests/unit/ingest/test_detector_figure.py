"""Which detector looks now, and why, stands among the figures for Prometheus."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from tests.support.hung_calls import Hang, HangingDetector
from tests.support.squares import SquareDetector

from marengocam.core.errors import ModelError, NoAnswerError
from marengocam.ingest.answering_eyes import AnsweringDetector
from marengocam.ingest.metrics import show_detector
from marengocam.vision.detectors import Detector
from marengocam.vision.detectors.batching import BatchingDetector
from marengocam.vision.detectors.stepping import SteppingDetector

PICTURE = np.zeros((180, 320, 3), np.uint8)
ON_PROCESSOR = 'marengocam_detector_info{because="this processor has BF16",name="on-processor"} 1.0'
ON_GPU = 'marengocam_detector_info{because="",name="on-gpu"} 1.0'
POLL_S = 0.02


def showing(detector: Detector) -> Callable[[], list[str]]:
    """Return what gives the lines about a detector as they are at the moment."""
    registry = CollectorRegistry()
    show_detector(registry, detector)

    def lines() -> list[str]:
        told = generate_latest(registry).decode().splitlines()
        return [line for line in told if line.startswith("marengocam_detector_info{")]

    return lines


class OnProcessor(SquareDetector):
    name = "on-processor"
    why = "this processor has BF16"


class FullGpu(SquareDetector):
    name = "on-gpu"

    def detect(self, pictures, min_score):
        raise RuntimeError("CUDA out of memory")


def test_the_detector_and_the_reason_for_it_are_shown():
    assert showing(AnsweringDetector(OnProcessor(), OnProcessor, on_gpu=False))() == [ON_PROCESSOR]


def test_after_a_step_to_the_processor_that_one_is_shown_alone():
    gpu = BatchingDetector(SteppingDetector(FullGpu(), 1, OnProcessor))
    detector = AnsweringDetector(gpu, OnProcessor, on_gpu=True)
    shown = showing(detector)
    assert shown() == [ON_GPU]
    detector.detect([PICTURE], 0.4)
    assert shown() == [ON_PROCESSOR]


def test_while_neither_gpu_nor_processor_can_look_none_is_shown():
    def nothing() -> SquareDetector:
        raise ModelError("no network for the processor is here")

    detector = AnsweringDetector(BatchingDetector(SteppingDetector(FullGpu(), 1, nothing)), OnProcessor, on_gpu=True)
    shown = showing(detector)
    assert shown() == [ON_GPU]
    with pytest.raises(ModelError):
        detector.detect([PICTURE], 0.4)
    assert shown() == []


def test_while_one_hangs_none_is_shown_and_then_the_one_in_its_place(monkeypatch):
    monkeypatch.setattr("marengocam.vision.answering.ANSWER_LIMIT_S", 1)
    hang, load = Hang(on=True), Hang(on=True)

    def another() -> SquareDetector:
        load.pass_through()
        return OnProcessor()

    detector = AnsweringDetector(HangingDetector(hang), another, on_gpu=False)
    shown = showing(detector)
    with pytest.raises(NoAnswerError):
        detector.detect([PICTURE], 0.4)
    assert shown() == []
    load.let_go()
    while not shown():
        time.sleep(POLL_S)
    assert shown() == [ON_PROCESSOR]
    hang.let_go()
