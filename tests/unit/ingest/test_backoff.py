"""How long a reader waits before it connects again."""

import pytest

from marengocam.ingest.backoff import FIRST_S, JITTER, LONGEST_S, Backoff

LIMIT_S = 10.0


def test_waits_grow_to_less_than_ten_seconds_and_differ():
    backoff = Backoff()
    waits_s = [backoff.wait_s() for _ in range(200)]
    assert waits_s[0] <= FIRST_S * JITTER[1]
    assert LONGEST_S * JITTER[0] <= min(waits_s[10:]) < max(waits_s[10:]) < LIMIT_S
    assert len(set(waits_s)) > 100, "cameras that went away together do not come back together"


@pytest.mark.parametrize("longest_s", [1.5, 0.2])
def test_a_camera_that_is_away_is_waited_for_no_longer_than_its_limit(longest_s):
    backoff = Backoff()
    assert max(backoff.wait_s(longest_s) for _ in range(50)) <= longest_s * JITTER[1]


def test_begun_anew_it_is_as_short_as_at_first():
    backoff = Backoff()
    for _ in range(10):
        backoff.wait_s()
    backoff.begin_anew()
    assert backoff.wait_s() <= FIRST_S * JITTER[1]
