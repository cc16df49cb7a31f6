"""Cameras whose clocks jump: when they are still followed, and how pieces of many pictures are dated."""

from datetime import UTC, datetime, timedelta

from marengocam.media.timeline import JUMPS_WITHIN_S, MAX_JUMPS, ClockTrust, Timeline, first_piece

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def later(second: float) -> datetime:
    return NOON + timedelta(seconds=second)


def test_a_clock_that_is_set_now_and_then_is_followed():
    trust = ClockTrust()
    assert not any(trust.is_lost(jump * JUMPS_WITHIN_S) for jump in range(10))


def test_a_clock_that_always_jumps_is_not():
    trust = ClockTrust()
    assert [trust.is_lost(float(jump)) for jump in range(MAX_JUMPS)] == [False] * (MAX_JUMPS - 1) + [True]


def test_pictures_of_a_piece_were_filmed_before_it_came():
    arrivals = iter([NOON, NOON, NOON, NOON, later(2.0), later(2.0)])  # the first is when reading began
    packets = iter([("a", 10.0), ("b", 11.0), ("c", 12.0), ("d", 13.0), ("e", 14.0)])
    following, newest = first_piece(packets, lambda: next(arrivals))
    assert newest == (12.0, NOON)
    assert [name for name, _ in following] == ["a", "b", "c", "d", "e"]
    timeline = Timeline(newest)
    assert timeline.place(10.0, NOON).at == later(-2.0)
    assert timeline.place(12.0, NOON).at == NOON


def test_pieces_that_come_whole_do_not_draw_their_pictures_towards_their_arrival():
    piece_s, pictures_s = 4.0, 0.1
    timeline = Timeline((piece_s, later(piece_s)))
    placed = [
        (number * pictures_s, timeline.place(number * pictures_s, later((number // 40 + 1) * piece_s)))
        for number in range(8000)
    ]
    assert not any(moment.jumped for _, moment in placed)
    assert all(moment.at == later(stream_s) for stream_s, moment in placed)


def test_a_stream_that_ends_before_its_first_picture_has_no_piece():
    following, newest = first_piece(iter([]), lambda: NOON)
    assert (list(following), newest) == ([], None)
