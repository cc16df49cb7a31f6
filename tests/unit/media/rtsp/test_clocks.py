"""Times of RTP: stamps that wrap, sound beside the picture, and the order of decoding."""

import random

import pytest

from marengocam.media.rtsp.clocks import WRAP, DecodeOrder, SoundOffset, StampClock

STEP = 6000  # ticks: 15 pictures a second


def test_ticks_go_on_over_a_wrap_and_follow_a_clock_that_is_set():
    clock = StampClock(90_000)
    begin = WRAP - STEP
    assert [clock.ticks((begin + number * STEP) % WRAP) for number in range(4)] == [0, STEP, 2 * STEP, 3 * STEP]
    assert clock.ticks((begin + STEP) % WRAP) == STEP, "backwards"
    assert clock.ticks((begin + 100 * STEP) % WRAP) == 100 * STEP


def test_a_stamp_beside_the_last_is_placed_without_being_counted():
    clock = StampClock(90_000)
    assert clock.seconds_of(5) is None
    clock.ticks(90_000)
    assert clock.seconds_of(180_000) == 1.0
    assert clock.seconds_of(45_000) == -0.5
    assert clock.ticks(90_000) == 0


def test_sound_begins_where_the_picture_was_until_reports_tell_better():
    offset = SoundOffset()
    offset.begins(2.0)
    assert offset.offset_s == 2.0
    offset.sound_report(1000.5, 1.0)
    assert offset.offset_s == 2.0, "nothing is known of the picture's clock"
    offset.picture_report(1000.0, 2.6)
    offset.sound_report(1000.5, 1.0)
    assert offset.offset_s == pytest.approx(2.1)
    offset.sound_report(5000.0, 1.0)
    assert offset.offset_s == pytest.approx(2.1), "no camera's sound is an hour off"


def test_without_reordering_pictures_are_decoded_when_they_are_shown():
    order = DecodeOrder(0, STEP, 90_000)
    assert [order.decoded(number * STEP) for number in range(5)] == [number * STEP for number in range(5)]


@pytest.mark.parametrize(("told", "groups"), [(1, (3, 1, 2)), (2, (4, 2, 1, 3)), (0, (3, 1, 2)), (1, (4, 2, 1, 3))])
def test_b_frames_are_decoded_in_the_order_they_come(told, groups):
    order = DecodeOrder(told, STEP, 90_000)
    shown = [0] + [(start + place) * STEP for start in range(0, 60, len(groups)) for place in groups]
    decoded = [order.decoded(one) for one in shown]
    learned = 12 if told < len(groups) - 2 else 0  # pictures from which the delay is found out
    pairs = list(zip(decoded, shown, strict=True))[learned:]
    assert all(one <= at for one, at in pairs)
    assert [one for one, _ in pairs] == sorted({one for one, _ in pairs})


def test_a_jump_begins_the_order_anew():
    order = DecodeOrder(1, STEP, 90_000)
    for number in range(5):
        order.decoded(number * STEP)
    far = 10_000_000
    assert order.decoded(far) == far - STEP
    assert order.decoded(far + STEP) == far


def test_any_order_of_times_is_taken():
    order, chance = DecodeOrder(0, STEP, 90_000), random.Random(3)
    for _ in range(5000):
        order.decoded(chance.randrange(200_000))
    assert len(order._shown) <= 17
