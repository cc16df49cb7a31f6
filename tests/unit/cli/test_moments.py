"""Times as people type them: by their own clock, understood, or refused with a sentence."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from marengocam.cli.moments import OwnerClock
from marengocam.core.errors import BadInputError
from marengocam.settings import Settings

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
HERE = Path()


def owner_clock(now=NOW, **settings):
    return OwnerClock(Settings(data_dir=HERE, media_dir=HERE, **settings), now)


@pytest.fixture
def berlin():
    return lambda now=NOW: owner_clock(now, time_zone="Europe/Berlin")


def test_summer_time_and_winter_time_are_told_apart_by_what_stands_behind(berlin):
    assert berlin().moment("2026-10-25T02:30:00+02:00") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert berlin().moment("2026-10-25T02:30:00+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_time_without_a_zone_is_by_the_owners_clock(berlin):
    assert berlin().moment("2026-11-24T10:32:00") == datetime(2026, 11, 24, 9, 32, tzinfo=UTC)
    assert berlin().moment("2026-07-24 10:32") == datetime(2026, 7, 24, 8, 32, tzinfo=UTC)
    assert berlin().moment("2026-07-24T10:32Z") == datetime(2026, 7, 24, 10, 32, tzinfo=UTC)


def test_a_time_of_day_is_the_last_one_that_has_been_on_the_owners_clock(berlin):
    assert berlin().moment("10:32") == datetime(2026, 11, 26, 9, 32, tzinfo=UTC)
    assert berlin().moment("11:00") == NOW
    assert berlin().moment("11:00:01") == NOW + timedelta(seconds=1) - timedelta(days=1)
    just_after_midnight = datetime(2026, 11, 25, 23, 10, tzinfo=UTC)
    assert berlin(just_after_midnight).moment("00:05") == datetime(2026, 11, 25, 23, 5, tzinfo=UTC)


def test_a_time_of_day_that_came_twice_is_the_last_and_one_that_was_skipped_is_of_the_day_before(berlin):
    assert berlin(datetime(2026, 10, 25, 6, tzinfo=UTC)).moment("02:30") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert berlin(between).moment("02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert berlin(datetime(2026, 3, 29, 6, tzinfo=UTC)).moment("02:30") == datetime(2026, 3, 28, 1, 30, tzinfo=UTC)


def test_without_a_setting_it_is_the_clock_of_tz_and_without_that_the_machines(monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    assert owner_clock().moment("04:00") == datetime(2026, 11, 26, 9, tzinfo=UTC)
    monkeypatch.setenv("TZ", "EST5")  # a rule of its own, as the C library reads it: no zone by name
    time.tzset()
    try:
        assert owner_clock().moment("04:00") == datetime(2026, 11, 26, 9, tzinfo=UTC)
        assert owner_clock().told(NOW) == "2026-11-26 05:00:00-05:00"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_are_told_by_the_owners_clock_and_as_they_are_told_they_can_be_typed(berlin):
    assert berlin().told(NOW) == "2026-11-26 11:00:00+01:00"
    assert berlin().moment(berlin().told(NOW)) == NOW


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2016-12-31T23:59:60Z", "is no time"),
        ("2026-03-29T02:30:00", "was skipped"),
        ("2026-10-25T02:30:00", r"2026-10-25T02:30:00\+02:00 or 2026-10-25T02:30:00\+01:00"),
        ("0001-01-01T00:00:00+14:00", "is no time"),
        ("0001-01-01T00:00:00", "is no time"),
        ("9999-12-31T23:59:59-14:00", "is no time"),
        ("24:00", "is no time"),
        ("", "is no time"),
    ],
)
def test_what_is_no_time_or_not_one_alone_is_refused_with_the_reason(berlin, text, said):
    with pytest.raises(BadInputError, match=said):
        berlin().moment(text)
