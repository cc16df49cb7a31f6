"""Survival mode: when it begins, how it climbs, and how it finds its way out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.survival import LADDER, LAST_LEVEL
from marengocam.janitor.survival import (
    FULL_SHARE,
    LAGGING_S,
    LOWER_AFTER_S,
    RAISE_AFTER_S,
    RELIEVED_SHARE,
    Reading,
    Survival,
    advance,
    resumed,
)

ROUND_S = 5.0
CALM = Reading(0.5, 0.0)
READINGS = st.builds(
    Reading, st.none() | st.floats(0, 1, allow_nan=False), st.none() | st.floats(0, 60, allow_nan=False)
)


def after(readings, state=Survival(), now_s=0.0):  # noqa: B008 - frozen
    states = []
    for reading in readings:
        state = advance(state, reading, now_s)
        states.append(state)
        now_s += ROUND_S
    return states


def test_it_begins_above_the_brief_s_limits_and_not_at_them():
    assert not after([Reading(FULL_SHARE, LAGGING_S)])[-1].on
    assert after([Reading(FULL_SHARE + 0.001, 0.0)])[-1].reasons == ("disk",)
    assert after([Reading(0.5, LAGGING_S + 0.1)])[-1].reasons == ("lag",)
    assert after([Reading(0.95, 9.0)])[-1].reasons == ("disk", "lag")


def test_lag_that_goes_on_climbs_the_whole_ladder_step_by_step():
    states = after([Reading(0.1, 20.0)] * 40)
    assert sorted({state.level for state in states}) == list(range(1, LAST_LEVEL + 1))
    assert [state.step for state in states][-1] == LADDER[-1]
    twos = [number for number, state in enumerate(states) if state.level == 2]
    assert twos[0] * ROUND_S >= RAISE_AFTER_S


def test_a_disk_that_is_only_just_full_costs_one_step_however_long_it_takes_to_empty_it():
    assert {state.level for state in after([Reading(0.905, 0.0)] * 500)} == {1}
    assert after([Reading(0.99, 0.0)] * 10)[-1].level == LAST_LEVEL


def test_it_ends_only_well_below_the_limit_and_a_step_at_a_time():
    high = after([Reading(0.99, 0.0)] * 10)
    held = after([Reading(RELIEVED_SHARE + 0.01, 0.0)] * 200, high[-1], 100.0)
    assert held[-1].level == 1, "it climbs down to the first step and stays there while the disk is not relieved"
    out = after([CALM] * 100, high[-1], 100.0)
    levels = [state.level for state in out]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == 0
    assert levels.index(0) * ROUND_S >= LOWER_AFTER_S * LAST_LEVEL


def test_what_an_earlier_janitor_left_is_taken_up():
    assert resumed(3, 7.0).level == 3
    assert after([CALM] * 60, resumed(3, 0.0))[-1].level == 0
    for nonsense in (None, "3", -1, 99, 0):
        assert resumed(nonsense, 0.0) == Survival()


@given(st.lists(READINGS, max_size=60))
def test_it_moves_one_step_at_a_time_and_never_leaves_the_ladder(readings):
    levels = [0, *(state.level for state in after(readings))]
    assert all(0 <= level <= LAST_LEVEL for level in levels)
    assert all(abs(b - a) <= 1 for a, b in pairwise(levels))


@given(st.lists(READINGS, max_size=60))
def test_it_is_on_at_every_moment_above_a_limit_and_off_after_a_long_calm(readings):
    states = after(readings)
    for reading, state in zip(readings, states, strict=True):
        if (reading.used_share or 0) > FULL_SHARE or (reading.lag_s or 0) > LAGGING_S:
            assert state.on
    calm = after([CALM] * 60, states[-1] if states else Survival(), 1e6)
    assert not calm[-1].on


@given(st.lists(st.sampled_from([FULL_SHARE - 0.001, FULL_SHARE + 0.001]), min_size=2, max_size=100))
def test_a_disk_that_wavers_about_the_limit_does_not_flap(shares):
    on = [state.on for state in after([Reading(share, 0.0) for share in shares])]
    assert sum(a != b for a, b in pairwise(on)) <= 1
