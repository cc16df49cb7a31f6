"""Times as people type them: understood, or refused with a sentence."""

import argparse
from datetime import UTC, datetime

import pytest

from marengocam.cli.moments import moment, moment_of_today
from marengocam.core.errors import BadInputError

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)


def test_summer_time_and_winter_time_are_told_apart_by_what_stands_behind():
    assert moment("2026-10-25T02:30:00+02:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment("2026-10-25T02:30:00+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2016-12-31T23:59:60Z", "2026-03-29T02:30:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", ""],
)
def test_a_leap_second_no_zone_and_no_year_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        moment(text)
    with pytest.raises(BadInputError):
        moment_of_today(text, NOW)
