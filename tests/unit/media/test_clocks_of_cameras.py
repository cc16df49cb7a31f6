"""Cameras whose clocks jump: when they are still followed, and how pieces of many pictures are dated."""

import itertools
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from types import SimpleNamespace

import pytest

from marengocam.media.faults import Fault, StreamError
from marengocam.media.first_piece import first_piece
from marengocam.media.timeline import JUMPS_WITHIN_S, MAX_AHEAD_S, MAX_JUMPS, ClockTrust, Timeline

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def later(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def test_a_clock_that_is_set_now_and_then_is_followed():
    trust = ClockTrust()
    assert not any(trust.is_lost(jump * JUMPS_WITHIN_S) for jump in range(10))


def test_a_clock_that_always_jumps_is_not():
    trust = ClockTrust()
    assert [trust.is_lost(float(jump)) for jump in range(MAX_JUMPS)] == [False] * (MAX_JUMPS - 1) + [True]


class Packet:
    """As much of a packet as is looked at."""

    time_base = Fraction(1, 90_000)
    stream = SimpleNamespace(type="video")
    pts = dts = None


def piece(times_s: list[float | None], waits_s: list[float]):
    """Read a first piece whose packets come after these waits; return the times given, and the newest."""
    moments = itertools.accumulate([0.0, *waits_s])
    packets = iter([(Packet(), time_s) for time_s in times_s])
    following, newest = first_piece(packets, lambda: later(next(moments)), pause_s=0.25, step_s=0.1)
    return [time_s for _, time_s in following], newest


def test_the_last_picture_of_what_is_there_at_once_was_filmed_just_now():
    times_s, newest = piece([10.0, 11.0, 12.0, 13.0, 14.0], [0, 0, 0, 2.0, 0])
    assert times_s == [10.0, 11.0, 12.0, 13.0, 14.0]
    assert newest == (12.0, NOON)
    assert Timeline(newest).place(10.0, NOON).at == later(-2.0)


@pytest.mark.parametrize("first_s", [None, 3.3])
def test_a_first_picture_without_a_believable_time_gets_the_one_before_its_successor(first_s):
    times_s, newest = piece([first_s, 0.1, 0.2, 0.3], [0, 0, 0, 2.0])
    assert times_s == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert newest == (0.2, NOON)


def test_what_is_not_there_yet_is_no_part_of_the_piece_but_follows():
    assert piece([None, 0.1], [0, 2.0]) == ([0.0, 0.1], (0.0, NOON))


def test_pieces_that_come_whole_do_not_draw_their_pictures_towards_their_arrival():
    piece_s, pictures_s = 4.0, 0.1
    timeline = Timeline((piece_s, later(piece_s)), in_pieces=True)
    placed = [
        (number * pictures_s, timeline.place(number * pictures_s, later((number // 40 + 1) * piece_s)))
        for number in range(8000)
    ]
    assert not any(moment.jumped for _, moment in placed)
    assert all(moment.at == later(stream_s) for stream_s, moment in placed)


def test_what_came_before_the_stream_broke_is_handed_over_first():
    def breaking():
        yield Packet(), 1.0
        yield Packet(), 1.1
        raise StreamError(Fault.STALLED)

    following, newest = first_piece(breaking(), lambda: NOON, pause_s=0.25, step_s=0.1)
    assert newest == (1.1, NOON)
    assert [time_s for _, time_s in itertools.islice(following, 2)] == [1.0, 1.1]
    with pytest.raises(StreamError):
        next(following)


def test_a_stream_that_ends_before_its_first_picture_has_no_piece():
    assert piece([], []) == ([], None)


@pytest.mark.parametrize("speed", [1.5, 5.0, 40.0])
def test_a_clock_that_floods_is_dropped_before_much_too_much_is_recorded(speed):
    """So many pictures more than there is time for: what they claim to show lies ahead of now, and cannot be."""
    trust, timeline, recorded_s, arrived_s = ClockTrust(), Timeline(), 0.0, 0.0
    for number in range(100_000):
        arrived_s = number / 15
        moment = timeline.place(number * speed / 15, later(arrived_s))
        assert moment.at <= later(arrived_s + MAX_AHEAD_S)
        recorded_s += 0.0 if moment.jumped else speed / 15
        if moment.jumped and trust.is_lost(arrived_s):
            break
    assert recorded_s - arrived_s < MAX_JUMPS * (MAX_AHEAD_S + 1)


def test_a_stream_whose_first_picture_came_late_begins_anew_once_and_is_then_followed():
    timeline = Timeline()
    timeline.place(0.0, later(4.0))
    jumped = [timeline.place(number / 15, later(number / 15)).jumped for number in range(61, 2000)]
    assert jumped == [True] + [False] * 1938


def test_a_clock_that_drifts_is_followed_without_a_jump():
    timeline = Timeline()
    assert not any(timeline.place(number * 1.05 / 15, later(number / 15)).jumped for number in range(15 * 3600))
