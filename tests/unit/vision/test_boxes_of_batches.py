"""A whole batch's boxes are read at once, and are to the bit those that are read picture by picture, box by box."""

import numpy as np
import pytest
from tests.support.boxes_one_by_one import best_of, objects_of, planes_of

from marengocam.vision.detectors.ultralytics import PIXELS_AT_ONCE, alike
from marengocam.vision.detectors.yolo import BOX_ROWS, MAX_BOXES, READ, fit, placing, read, read_best

ANCHORS = 3780  # of 576x320
MIN_SCORE = 0.24
SIZE = (576, 320)
SHAPES = ((360, 640), (480, 640), (1088, 960), (100, 700), (320, 576))


def output(seed: int, candidates: int) -> np.ndarray:
    """Return the rows READ of an answer with so many candidates, many of them about the same object."""
    random = np.random.default_rng(seed)
    raw = np.zeros((len(READ), ANCHORS), np.float32)
    raw[BOX_ROWS:] = random.uniform(0, MIN_SCORE * 0.99, (len(READ) - BOX_ROWS, ANCHORS))
    raw[:BOX_ROWS] = random.uniform(-50, 700, (BOX_ROWS, ANCHORS))
    at = random.choice(ANCHORS, candidates, replace=False)
    about = random.integers(0, 12, candidates)
    raw[:BOX_ROWS, at] = random.uniform(5, 500, (BOX_ROWS, 12))[:, about] + random.normal(0, 6, (BOX_ROWS, candidates))
    raw[BOX_ROWS + about, at] = random.uniform(MIN_SCORE, 1.01, candidates)
    return raw


def nothing() -> np.ndarray:
    return output(0, 0)


def no_numbers() -> np.ndarray:
    """Return an answer some of whose scores and boxes are none, of whole anchors and beside sure ones."""
    raw = output(1, 200)
    sure = np.flatnonzero(raw[BOX_ROWS:].max(axis=0) >= MIN_SCORE)
    raw[BOX_ROWS:, sure[:50]] = np.nan
    raw[BOX_ROWS + 3, sure[50:100]] = np.nan
    raw[0, sure[100:110]] = np.nan
    return raw


def all_equal() -> np.ndarray:
    raw = output(2, 300)
    raw[BOX_ROWS:][raw[BOX_ROWS:] >= MIN_SCORE] = 0.5
    return raw


def at_the_threshold() -> np.ndarray:
    raw = output(3, 300)
    raw[BOX_ROWS:][raw[BOX_ROWS:] >= MIN_SCORE] = np.float32(MIN_SCORE)
    return raw


def more_than_count() -> np.ndarray:
    """Return an answer with more objects than are told of, none over another."""
    raw = nothing()
    across, down = np.meshgrid(np.arange(20), np.arange(15))
    raw[:BOX_ROWS, : across.size] = 20 * across.ravel() + 10, 20 * down.ravel() + 10, np.full(300, 9), np.full(300, 9)
    raw[BOX_ROWS, : across.size] = np.linspace(0.3, 0.9, across.size)
    return raw


def outside() -> np.ndarray:
    """Return an answer with objects beside the picture, without a width, and turned inside out."""
    raw = output(4, 60)
    sure = np.flatnonzero(raw[BOX_ROWS:].max(axis=0) >= MIN_SCORE)
    raw[0, sure[:20]] = -400
    raw[2, sure[20:30]] = 0
    raw[3, sure[30:40]] *= -1
    return raw


ANSWERS = {
    one.__name__: one() for one in (nothing, no_numbers, all_equal, at_the_threshold, more_than_count, outside)
} | {f"{count} candidates": output(count, count) for count in (1, 2, 30, 800, ANCHORS)}


@pytest.mark.parametrize("name", ANSWERS)
def test_one_picture_has_the_boxes_that_are_read_one_by_one(name: str) -> None:
    for height, width in SHAPES:
        placed = placing(width, height, *SIZE)
        found = read(ANSWERS[name], placed, MIN_SCORE)
        assert repr(found) == repr(objects_of(best_of(ANSWERS[name]), placed, MIN_SCORE))
        if (height, width) == SHAPES[0]:
            assert bool(found) != (name in {"nothing", "at_the_threshold"})


@pytest.mark.parametrize("pictures", [1, 8, 16])
def test_each_picture_of_a_batch_has_the_boxes_that_it_has_alone(pictures: int) -> None:
    for seed in range(10):
        random = np.random.default_rng(seed)
        answers = np.stack([best_of(ANSWERS[name]) for name in random.choice(list(ANSWERS), pictures)])
        shapes = random.choice(SHAPES, pictures).tolist()
        placed = [placing(width, height, *SIZE) for height, width in shapes]
        found = read_best(answers, placed, MIN_SCORE)
        alone = [objects_of(answer, one, MIN_SCORE) for answer, one in zip(answers, placed, strict=True)]
        assert repr(found) == repr(alone)


def test_a_batch_without_any_object_has_an_answer_for_each_picture() -> None:
    placed = [placing(640, 360, *SIZE)] * 3
    assert read_best(np.stack([best_of(nothing())] * 3), placed, MIN_SCORE) == [[], [], []]
    assert read_best(np.zeros((0, 6, ANCHORS), np.float32), [], MIN_SCORE) == []


def test_no_more_objects_are_told_of_than_count_of_each_picture() -> None:
    placed = [placing(640, 360, *SIZE)] * 2
    found = read_best(np.stack([best_of(more_than_count())] * 2), placed, MIN_SCORE)
    assert [len(one) for one in found] == [MAX_BOXES, MAX_BOXES]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_picture_goes_into_the_input_as_planes_that_need_no_copy(shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(5).integers(0, 256, (*shape, 3), np.uint8)
    for seen in (picture, picture[::-1, :, ::-1], picture[2:, 2:]):
        planes, _ = fit(seen, *SIZE)
        assert planes.flags.c_contiguous, "else the network's runtime makes its own copy"
        assert planes.dtype == np.float32
        assert np.array_equal(planes, planes_of(seen, *SIZE))


def test_neighbours_of_one_shape_go_to_the_card_together_but_not_too_many() -> None:
    small, other, large = ((360, 640, 3), (480, 640, 3), (1080, 1920, 3))
    shapes = [small] * 7 + [other] * 3 + [large] * 2 + [small]
    parts = list(alike([np.broadcast_to(np.uint8(0), shape) for shape in shapes]))
    assert [number for part in parts for number in range(part.start, part.stop)] == list(range(len(shapes)))
    assert [part.stop - part.start for part in parts] == [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    for part in parts:
        assert len({shapes[number] for number in range(part.start, part.stop)}) == 1
        pixels = sum(shapes[number][0] * shapes[number][1] for number in range(part.start, part.stop))
        assert pixels <= PIXELS_AT_ONCE or part.stop - part.start == 1
    assert list(alike([])) == []
