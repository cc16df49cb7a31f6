"""What a name said on shared footage is worth: by who holds which part of the picture, when."""

import pytest
from tests.bench.footage_truth import FootageTruth, Part, Place, Worth

from marengocam.core.geometry import Box

ALWAYS = float("inf")


def place(at_s: float, middle: float) -> Place:
    return Place(at_s, Box(middle - 0.1, 0.2, middle + 0.1, 0.9))


@pytest.fixture
def stage() -> FootageTruth:
    """Ann, then after a cut at 2 s Bea on the left and somebody nobody knows on the right."""
    return FootageTruth(
        [Part("Ann", 0.0, 1.0, 0.0, 2.0), Part("Bea", 0.0, 0.5, 2.0, ALWAYS), Part(None, 0.8, 1.0, 2.0, ALWAYS)]
    )


def test_a_name_is_right_where_that_person_is_and_wrong_where_another_is(stage: FootageTruth) -> None:
    assert stage.worth("Ann", [place(1.0, 0.5)]) is Worth.RIGHT
    assert stage.worth("Bea", [place(1.0, 0.5)]) is Worth.WRONG


def test_a_name_is_wrong_where_nobody_enrolled_is(stage: FootageTruth) -> None:
    assert stage.worth("Bea", [place(3.0, 0.65)]) is Worth.WRONG
    assert FootageTruth([]).worth("Ann", [place(1.0, 0.5)]) is Worth.WRONG


def test_where_the_truth_does_not_say_who_it_is_a_name_is_neither(stage: FootageTruth) -> None:
    assert stage.worth("Bea", [place(3.0, 0.9)]) is Worth.UNTOLD


def test_a_track_that_a_cut_hands_on_may_be_called_by_either(stage: FootageTruth) -> None:
    handed_on = [place(0.5, 0.3), place(1.0, 0.3), place(1.5, 0.3), place(2.5, 0.3)]
    assert stage.worth("Bea", handed_on) is Worth.RIGHT
    assert stage.worth("Ann", handed_on) is Worth.RIGHT
    assert stage.whose(handed_on) == "Ann"
    assert stage.whose(handed_on[-2:]) is None  # nobody has most of it
    assert stage.met(handed_on) == {"Ann", "Bea"}


def test_who_stands_where_is_read_in_frames_of_the_clip() -> None:
    stage = FootageTruth.of("whitehouse_stage", 30.0)
    assert stage.people == {"Miranda", "Lacamoire", "Obama"}
    assert stage.whose([place(81 / 30, 0.8)]) == "Lacamoire"
    assert stage.whose([place(82 / 30, 0.8)]) == "Miranda"
    assert FootageTruth.of("plaza_a_cam1", 20.0).people == set()
