"""Learned furniture: a thing that stands for hours stops being a person, a person in its place does not."""

import json
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.ingest.furniture import (
    LEARNED_AFTER,
    LEARNED_KEPT,
    SAME_PLACE_IOU,
    Furniture,
    beginnings,
    likeness,
    patch_of,
)

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
PLACE = Box(0.4, 0.3, 0.5, 0.7)
RNG = np.random.default_rng(5)


def scene() -> np.ndarray:
    blurred = cv2.GaussianBlur(RNG.random((180, 320)), (0, 0), 6)
    return cv2.normalize(blurred, None, 20, 220, cv2.NORM_MINMAX)


ROOM, SITTER = scene(), scene()


def shown(light: float = 1.0, noise_seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(noise_seed).normal(0, 2, ROOM.shape)
    return np.clip(ROOM * light + noise, 0, 255).astype(np.uint8)


def hours_of_chair(furniture: Furniture, hours: float, every_s: float = 10, seen_share: float = 0.4) -> datetime:
    """Let a chair be called a person now and then, with a wavering score and box; return when that ended."""
    rng = np.random.default_rng(2)
    at = NOON
    while at < NOON + timedelta(hours=hours):
        found = []
        if rng.random() < seen_share:
            x, y = rng.normal(0, 0.002, 2)
            box = Box(PLACE.x1 + x, PLACE.y1 + y, PLACE.x2 + x, PLACE.y2 + y)
            found = [Detection("person", float(rng.uniform(0.3, 0.6)), box)]
        furniture.sift(found, shown(noise_seed=int(at.timestamp()) % 997), at)
        at += timedelta(seconds=every_s)
    return at


def chair(score: float = 0.5) -> Detection:
    return Detection("person", score, PLACE)


@pytest.fixture(scope="module")
def learned() -> str:
    furniture = Furniture()
    hours_of_chair(furniture, 2.2)
    return json.dumps(furniture.to_json())


def again(learned: str) -> Furniture:
    return Furniture.from_json(json.loads(learned))


LATER = NOON + timedelta(hours=3)


def test_what_stood_for_hours_is_no_person_any_more(learned):
    assert again(learned).sift([chair()], shown(), LATER) == []
    assert len(again(learned).learned) == 1


def test_it_takes_hours():
    furniture = Furniture()
    at = hours_of_chair(furniture, LEARNED_AFTER.total_seconds() / 3600 - 0.1)
    assert furniture.sift([chair()], shown(), at) == [chair()]


def test_dimmer_light_does_not_bring_it_back(learned):
    assert again(learned).sift([chair()], shown(light=0.6), LATER) == []


def test_somebody_who_sits_down_in_it_is_a_person(learned):
    sitting = shown()
    x1, y1, x2, y2 = PLACE.pixels(320, 180)
    sitting[y1:y2, x1:x2] = SITTER[y1:y2, x1:x2]
    assert again(learned).sift([chair()], sitting, LATER) == [chair()], "it looks different"
    taller = Detection("person", 0.5, Box(0.38, 0.1, 0.52, 0.7))
    assert again(learned).sift([taller], shown(), LATER) == [taller], "it is larger"
    assert again(learned).sift([chair(0.85)], shown(), LATER) == [chair(0.85)], "it is surer than the chair ever was"


def test_other_things_in_its_place_are_not_touched(learned):
    car = Detection("car", 0.5, PLACE)
    assert again(learned).sift([car], shown(), LATER) == [car]


def test_what_is_gone_for_days_is_forgotten(learned):
    furniture = again(learned)
    furniture.sift([], shown(), LATER + LEARNED_KEPT + timedelta(hours=1))
    assert furniture.learned == ()


def test_what_is_not_its_own_memory_is_refused():
    for nonsense in ([{}], [{"label": "person"}], [1]):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Furniture.from_json(nonsense)


def test_whoever_sits_there_for_hours_and_stirs_now_and_then_stays_a_person():
    """At a desk, say: seen surely in every look, always in one place, in much the same clothes."""
    furniture, at, rng = Furniture(), NOON, np.random.default_rng(4)
    x1, y1, x2, y2 = PLACE.pixels(320, 180)
    while at < NOON + timedelta(hours=7):
        sitting = shown(noise_seed=int(at.timestamp()) % 997)
        turned = int((at - NOON) / timedelta(minutes=4)) % 3  # to the screen, to the papers, to the telephone
        part = slice(y1, y1 + (y2 - y1) // 4), slice(x1, x2)
        sitting[part] = np.roll(SITTER, 40 * turned, axis=1)[part]
        found = Detection("person", float(np.clip(rng.normal(0.85, 0.03), 0, 0.95)), PLACE)
        assert furniture.sift([found], sitting, at) == [found], f"not seen any more after {at - NOON}"
        at += timedelta(seconds=3)


def test_a_statue_that_is_called_a_person_surely_is_none_after_a_night():
    furniture, at = Furniture(), NOON
    while at < NOON + timedelta(hours=6.1):
        furniture.sift([chair(0.88)], shown(noise_seed=int(at.timestamp()) % 997), at)
        at += timedelta(seconds=5)
    assert furniture.sift([chair(0.88)], shown(), at) == []


def test_a_chair_is_learned_in_the_busiest_of_streets():
    """Three at a time pass without a pause, each with a look of their own; the chair is put there after ten minutes."""
    furniture, at, rng = Furniture(), NOON, np.random.default_rng(6)
    put_there, looks = NOON + timedelta(minutes=10), 0
    while at < put_there + timedelta(hours=2.1):
        picture, found = shown(noise_seed=looks % 97), []
        for lane in range(3):
            x, y = ((looks % 25) / 30 + 0.31 * lane + 0.004 * rng.random()) % 0.85, 0.05 + 0.02 * rng.random()
            walker = Detection("person", 0.8, Box(x, y, x + 0.06, y + 0.22))
            x1, y1, x2, y2 = walker.box.pixels(320, 180)
            picture[y1:y2, x1:x2] = np.roll(SITTER, int(rng.integers(320)), axis=1)[y1:y2, x1:x2]
            found.append(walker)
        if at >= put_there and rng.random() < 0.3:
            found.append(chair(float(rng.uniform(0.3, 0.6))))
        assert {one.score for one in found if one.score == 0.8} <= {
            one.score for one in furniture.sift(found, picture, at)
        }
        at += timedelta(seconds=0.8)
        looks += 1
    assert furniture.sift([chair()], shown(), at) == []
    assert len(furniture.learned) == 1, "whoever passes is none"


def test_a_chair_that_is_moved_is_seen_at_once_and_learned_anew(learned):
    furniture, at = again(learned), LATER
    moved = Box(PLACE.x1 + 0.06, PLACE.y1, PLACE.x2 + 0.06, PLACE.y2)
    found = Detection("person", 0.5, moved)
    assert furniture.sift([found], shown(), at) == [found]
    while at < LATER + LEARNED_AFTER + timedelta(minutes=5):
        furniture.sift([found], shown(noise_seed=int(at.timestamp()) % 997), at)
        at += timedelta(seconds=10)
    assert furniture.sift([found], shown(), at) == []


def test_day_and_night_are_two_looks_of_which_both_are_kept(learned):
    """The camera switches to infra-red at once: dark clothes are bright in it, and shadows fall elsewhere."""
    furniture, at = again(learned), LATER
    night = np.clip(255 - 0.5 * ROOM + 40 * np.sin(np.arange(320) / 9), 0, 255).astype(np.uint8)
    assert furniture.sift([chair()], night, at) == [chair()], "the first night it is not known yet"
    while at < LATER + timedelta(hours=3):
        furniture.sift([chair()], night, at)
        at += timedelta(seconds=10)
    for day in range(1, 5):
        for picture in (shown(noise_seed=day), night):
            at += timedelta(hours=12)
            assert furniture.sift([chair()], picture, at) == []


def test_a_camera_that_is_turned_sees_whoever_stands_where_something_stood(learned):
    furniture = again(learned)
    turned = np.roll(shown(), 60, axis=1)
    assert furniture.sift([chair()], turned, LATER) == [chair()]


def test_what_was_known_before_joins_what_was_learned_since(learned):
    furniture = Furniture()
    other = Detection("person", 0.4, Box(0.7, 0.2, 0.8, 0.6))
    furniture.sift([other], shown(), LATER)
    furniture.remember(again(learned))
    kept = Furniture.from_json(json.loads(json.dumps(furniture.to_json())))
    for one in (furniture, kept):
        assert one.sift([chair(), other], shown(), LATER) == [other]


SIDES = st.floats(0.02, 1)
SHIFTS = st.floats(-0.4, 0.4)
STRETCHES = st.floats(0.6, 1.6)


@given(st.floats(0, 1), SIDES, SHIFTS, STRETCHES)
def test_no_place_that_could_be_the_same_is_left_out_for_where_it_begins(
    left: float, width: float, shift: float, stretch: float
) -> None:
    box = Box(left, 0.2, left + width, 0.8)
    begin = left + shift * width
    place = Box(begin, 0.2, begin + stretch * width, 0.8)
    assume(place.iou(box) >= SAME_PLACE_IOU)
    first, last = beginnings(box)
    assert first <= place.x1 <= last


def test_where_a_place_can_begin_is_told_closely() -> None:
    box = Box(0.4, 0.2, 0.5, 0.8)
    first, last = beginnings(box)
    assert Box(first, 0.2, 0.5, 0.8).iou(box) == pytest.approx(SAME_PLACE_IOU)
    assert Box(last, 0.2, 0.5, 0.8).iou(box) == pytest.approx(SAME_PLACE_IOU)


def test_a_patch_has_mean_0_and_deviation_1_and_likeness_is_their_correlation() -> None:
    one, other = patch_of(shown(), PLACE), patch_of(shown(0.5), Box(0.41, 0.3, 0.51, 0.7))
    assert one is not None
    assert other is not None
    assert (one.mean(), one.std()) == pytest.approx((0, 1), abs=1e-5)
    assert likeness(one, other) == pytest.approx(np.corrcoef(one.ravel(), other.ravel())[0, 1], abs=1e-5)
    assert patch_of(np.full((180, 320), 90, np.uint8), PLACE) is None, "nothing to be told apart"
    assert likeness(one, np.zeros_like(one)) == 0
