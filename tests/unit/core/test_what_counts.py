"""Which detections count: by label, score, size and place, as the camera's owner wants it."""

import pytest

from marengocam.core.camera_options import Analysis, LabelRule
from marengocam.core.geometry import Box

USUAL = 0.4  # the installation's least score
TALL = Box(0.4, 0.2, 0.5, 0.7)
CARS_ONLY_NEAR = Analysis(labels=(LabelRule("person", min_score=0.7, min_height=0.3), LabelRule("car", min_area=0.1)))


@pytest.mark.parametrize(
    ("label", "score", "box", "counted"),
    [
        ("person", 0.7, TALL, True),
        ("person", 0.69, TALL, False),
        ("person", 0.9, Box(0.4, 0.45, 0.5, 0.7), False),
        ("car", 0.4, Box(0.1, 0.1, 0.6, 0.4), True),
        ("car", 0.39, Box(0.1, 0.1, 0.6, 0.4), False),
        ("car", 0.9, Box(0.1, 0.1, 0.4, 0.4), False),
        ("dog", 0.99, TALL, False),
    ],
)
def test_each_label_has_its_own_least_score_and_size_and_others_are_not_looked_for(label, score, box, counted):
    assert CARS_ONLY_NEAR.counts(label, score, box, USUAL) is counted


def test_without_rules_what_is_usual_counts_from_the_usual_score_at_any_size():
    tiny = Box(0.5, 0.5, 0.501, 0.502)
    assert [Analysis().counts(label, USUAL, tiny, USUAL) for label in ("person", "car", "dog")] == [True] * 3
    assert not Analysis().counts("person", USUAL - 0.01, TALL, USUAL)
    assert not Analysis().counts("chair", 0.99, TALL, USUAL)


def test_what_stands_in_a_mask_does_not_count_however_sure():
    masked = Analysis(masks=(((0.3, 0.6), (0.6, 0.6), (0.6, 0.8), (0.3, 0.8)),))
    assert not masked.counts("person", 0.99, TALL, USUAL)
    assert masked.counts("person", 0.99, Box(0.4, 0.1, 0.5, 0.5), USUAL), "its foot stands beside it"
