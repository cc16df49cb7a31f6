"""The order in which recordings were made, as far as what they are dated tells it."""

from datetime import UTC, datetime, timedelta

import pytest

from marengocam.media.runs import in_runs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
EVER = (NOON - timedelta(days=1), NOON + timedelta(days=1))


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def run(name: str, begin_s: float, lengths_s: list[float]) -> list[tuple[str, datetime, datetime]]:
    """Return files that follow one another."""
    files = []
    for number, length_s in enumerate(lengths_s):
        files.append((f"{name}{number}", after(begin_s), after(begin_s + length_s)))
        begin_s += length_s
    return files


def ordered(files: list[tuple[str, datetime, datetime]], within: tuple[datetime, datetime] = EVER) -> str:
    files = sorted(files, key=lambda file: file[1])
    return " ".join(name for name, *_ in in_runs(files, lambda file: file[1:], *within))


def test_without_a_step_of_the_clock_their_beginnings_are_the_order():
    assert ordered([*run("a", 0, [60, 60]), *run("b", 125, [10]), *run("c", 500, [60, 60])]) == "a0 a1 b0 c0 c1"


@pytest.mark.parametrize("jitter_s", [-0.9, -0.02, 0.0, 0.02, 0.9])
@pytest.mark.parametrize("back_s", [60, 90, 150])
def test_what_was_recorded_before_the_clock_was_set_back_comes_whole_before_the_rest(back_s, jitter_s):
    files = [*run("a", 0, [60, 60, 60, 20]), *run("b", 200 - back_s + jitter_s, [60, 60, 60, 60])]
    assert ordered(files) == "a0 a1 a2 a3 b0 b1 b2 b3"


def test_a_break_in_what_was_recorded_before_does_not_put_the_rest_in_between():
    files = [*run("a", 0, [60, 10]), *run("b", 75, [60, 60]), *run("c", 40, [60, 60, 60])]
    assert ordered(files) == "a0 a1 b0 b1 c0 c1 c2"


def test_of_a_stretch_that_begins_amid_both_what_ends_first_is_first():
    files = [*run("a", 0, [60, 60]), *run("b", 0 - 30, [60, 60, 60])]
    assert ordered(files, (after(10), after(150))) == "a0 a1 b0 b1 b2"


def test_a_clock_set_back_twice_makes_three_runs():
    files = [*run("a", 0, [60, 60]), *run("b", 10, [60, 55]), *run("c", 20, [60, 60])]
    assert ordered(files) == "a0 a1 b0 b1 c0 c1"
