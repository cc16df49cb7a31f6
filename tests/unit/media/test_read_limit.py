"""Where PyAV keeps the limit of a read, and what counts as waiting for a picture."""

from types import SimpleNamespace

import pytest

from marengocam.core.clock import ManualClock
from marengocam.media.read_limit import Waiting, place_of_limit

LIMIT_S = 4.0
LIMITED_BY_PYAV = SimpleNamespace(read_timeout=LIMIT_S)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def waiting(clock):
    return Waiting(LIMITED_BY_PYAV, LIMIT_S, clock)


def test_the_place_is_found_in_the_pyav_that_is_installed():
    assert place_of_limit() is not None


def test_work_on_a_packet_is_no_waiting(clock, waiting):
    clock.advance(1.0)
    assert waiting.enforce() == 3.0
    waiting.came()
    clock.advance(10.0)
    assert waiting.enforce() == LIMIT_S
    assert not waiting.was_too_long
    waiting.goes_on(picture=True)
    assert waiting.enforce() == LIMIT_S


@pytest.mark.parametrize(("begun", "left_s"), [(True, 1.0), (False, 3.0)])
def test_sound_is_waiting_on_once_there_was_a_picture(clock, waiting, begun, left_s):
    waiting.came()
    waiting.goes_on(picture=begun)
    clock.advance(2.0)
    waiting.came()
    clock.advance(10.0)  # of work
    waiting.goes_on(picture=False)
    clock.advance(1.0)
    assert waiting.enforce() == left_s


def test_what_comes_too_late_is_told(clock, waiting):
    waiting.came()
    waiting.goes_on(picture=True)
    clock.advance(LIMIT_S)
    waiting.came()
    assert waiting.was_too_long
