"""Chairs with a wavering score do not keep the detector awake; people do."""

from datetime import UTC, datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.ingest.stillness import CHANCE, FLICKERS, STILL_AFTER, Stillness
from marengocam.vision.tracker import TrackedObject

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def seen(number: int, box: Box, *, confirmed: bool = False, lost: bool = False) -> TrackedObject:
    return TrackedObject(number, "person", box, 0.5, confirmed, lost, 2)


CHAIR = Box(0.4, 0.3, 0.5, 0.7)


def flickered() -> tuple[Stillness, datetime]:
    stillness, at = Stillness(), NOON
    stillness.note_motion([CHAIR], at)
    for number in range(FLICKERS):
        stillness.update([seen(number, CHAIR)], at)
        assert not stillness.holds(at), "it may be somebody"
        at += timedelta(seconds=3)
        stillness.update([], at)
    return stillness, at


def test_what_comes_and_goes_in_one_place_is_no_reason_to_look_at_every_frame():
    stillness, at = flickered()
    stillness.update([seen(99, CHAIR)], at)
    assert stillness.holds(at)


def test_somebody_elsewhere_or_on_the_way_out_of_it_is_one():
    stillness, at = flickered()
    stillness.note_motion([Box(0.7, 0.4, 0.75, 0.5)], at)
    stillness.update([seen(99, CHAIR), seen(100, Box(0.7, 0.3, 0.8, 0.7))], at)
    assert not stillness.holds(at)
    stillness.update([seen(99, Box(0.46, 0.25, 0.56, 0.7), confirmed=True)], at)
    assert not stillness.holds(at)


def test_what_turns_up_where_nothing_moved_gets_a_second_s_chance_only():
    stillness = Stillness()
    stillness.note_motion([Box(0.8, 0.8, 0.9, 0.9)], NOON)
    stillness.update([seen(1, CHAIR)], NOON)
    assert not stillness.holds(NOON)
    assert stillness.holds(NOON + CHANCE)


def test_somebody_who_came_walking_is_watched_closely_for_longer():
    stillness = Stillness()
    stillness.note_motion([Box(0.38, 0.4, 0.45, 0.6)], NOON)
    stillness.update([seen(1, CHAIR)], NOON)
    assert not stillness.holds(NOON + CHANCE)
    assert stillness.holds(NOON + STILL_AFTER)
