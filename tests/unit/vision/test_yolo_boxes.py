"""YOLO's raw output back to boxes of the picture that went in."""

import numpy as np
import pytest

from marengocam.vision.detectors.shaped import input_size
from marengocam.vision.detectors.yolo import GREY, READ, SQUEEZE, fit, placing, read


def output(*rows: tuple[float, float, float, float, int, float]) -> np.ndarray:
    """Return what counts of a raw [84, anchors] with (centre x, centre y, width, height, COCO class, score) each."""
    raw = np.zeros((84, max(len(rows), 1)), np.float32)
    for column, (x, y, width, height, label, score) in enumerate(rows):
        raw[:4, column] = x, y, width, height
        raw[4 + label, column] = score
    return raw[READ]


@pytest.mark.parametrize("shape", [(360, 640), (1080, 1920), (480, 640), (1088, 960), (100, 700)])
def test_a_box_comes_back_where_it_was_in_pictures_of_any_shape(shape: tuple[int, int]) -> None:
    planes, placed = fit(np.full((*shape, 3), 200, np.uint8), 640, 384)
    assert planes.shape == (3, 384, 640)

    whole = (
        placed.left_px + shape[1] * placed.scale_x / 2,
        placed.top_px + shape[0] * placed.scale_y / 2,
        shape[1] * placed.scale_x / 2,
        shape[0] * placed.scale_y / 2,
    )
    (found,) = read(output((*whole, 0, 0.9)), placed, 0.4)
    assert (found.box.x1, found.box.y1, found.box.x2, found.box.y2) == pytest.approx((0.25, 0.25, 0.75, 0.75), abs=0.01)


@pytest.mark.parametrize("shape", [(320, 576), (360, 640), (480, 640)], ids=["as it is", "filling", "with a border"])
def test_a_picture_goes_in_as_three_planes_of_shares_one_after_the_other(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8) + np.array([10, 100, 250], np.uint8)
    planes, placed = fit(picture, 576, 320)
    assert planes.flags.c_contiguous, "the network would put them in order, four bytes for each of ours"
    inside = planes[:, placed.rows, placed.columns]
    assert np.allclose(inside, np.array([10, 100, 250]).reshape(3, 1, 1) / 255)
    beside = np.ones(planes.shape[1:], bool)
    beside[placed.rows, placed.columns] = False
    assert (planes[:, beside] == np.float32(GREY) * np.float32(1 / 255)).all()


def test_overlapping_boxes_of_one_label_become_one_and_other_labels_stay() -> None:
    _, placed = fit(np.zeros((384, 640, 3), np.uint8), 640, 384)
    found = read(
        output((100, 100, 50, 100, 0, 0.9), (104, 102, 50, 100, 0, 0.8), (100, 100, 50, 100, 16, 0.7)), placed, 0.4
    )
    assert [(one.label, round(one.score, 2)) for one in found] == [("person", 0.9), ("dog", 0.7)]


def test_doubtful_boxes_and_labels_nobody_asked_for_are_left_out() -> None:
    _, placed = fit(np.zeros((384, 640, 3), np.uint8), 640, 384)
    chair = 56
    assert read(output((100, 100, 50, 100, 0, 0.3), (300, 100, 50, 100, chair, 0.95)), placed, 0.4) == []


@pytest.mark.parametrize(
    ("shape", "long_side_px", "size"),
    [
        ((640, 360), 576, (576, 320)),
        ((1920, 1080), 640, (640, 352)),
        ((640, 480), 576, (576, 448)),
        ((9, 16), 576, (320, 576)),
    ],
)
def test_a_picture_fills_the_input_where_that_hardly_changes_its_shape(shape, long_side_px, size):
    assert input_size(*shape, long_side_px) == size
    placed = placing(*shape, *size)
    filled = (placed.inner_width_px, placed.inner_height_px) == size
    assert filled == (shape[0] * 3 != shape[1] * 4), "4:3 has a border"
    assert max(placed.scale_x, placed.scale_y) <= min(placed.scale_x, placed.scale_y) * SQUEEZE
