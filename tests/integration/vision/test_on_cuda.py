"""The detector on a real card: the same boxes, its share of the memory kept, a step down where there is too little."""

from importlib.util import find_spec

import pytest
from tests.bench.bench_detect import frames, has_torch
from tests.bench.bench_gpu import agreement, card_of, memory_of, on_its_own, steps_taken
from tests.support.shared_assets import needed_folder

from marengocam.vision.detectors.stepping import FEWER, ON_CPU

pytestmark = [
    pytest.mark.skipif(
        not (has_torch() and find_spec("onnxruntime")) or card_of() is None,
        reason="needs a CUDA device and the extras: marengocam[gpu,onnx]",
    ),
    pytest.mark.filterwarnings("default"),  # torch and ultralytics warn about each other
    pytest.mark.timeout(120),
]
SAME = 0.97
TOO_LITTLE_GB, NOTHING_LEFT_GB = 0.92, 0.701


@pytest.fixture(scope="module")
def pictures():
    needed_folder("footage")
    return list(frames(4))


def test_it_finds_what_the_processor_finds_alone_in_batches_and_beside_other_shapes(pictures):
    assert min(on_its_own(agreement, needed_folder("models"), pictures).values()) >= SAME


def test_all_that_its_process_takes_of_the_card_is_within_the_share(pictures):
    assert on_its_own(memory_of, needed_folder("models"), pictures, 1.0)["to_share"] <= 1


@pytest.mark.parametrize(("share_gb", "problem"), [(TOO_LITTLE_GB, FEWER), (NOTHING_LEFT_GB, ON_CPU)])
def test_memory_that_runs_out_for_real_is_a_step_down_and_every_picture_is_looked_at(pictures, share_gb, problem):
    row = on_its_own(steps_taken, needed_folder("models"), pictures, share_gb)
    assert (row["answers"], row["problem"]) == (16, problem)
    assert row["kept"] >= SAME
