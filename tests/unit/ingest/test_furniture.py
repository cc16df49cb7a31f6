"""Learned furniture: a thing that stands for hours stops being a person, a person in its place does not."""

import json
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.ingest.furniture import LEARNED_AFTER, LEARNED_KEPT, Furniture

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
