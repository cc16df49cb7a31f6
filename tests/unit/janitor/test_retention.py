"""What has to go."""

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.model import Chunk
from marengocam.janitor.retention import RELIEVED_SHARE, Limits, survival_mode, to_condemn, to_sacrifice
from marengocam.media.store import Space

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def chunks(ages_h, size=100):
    return [
        Chunk(uuid4(), "c", NOW - timedelta(hours=age), 60, size, PurePosixPath("x"), "h264", 1, 1) for age in ages_h
    ]


def test_age_and_size_are_both_limits():
    oldest = chunks([50, 40, 10, 1])
    assert to_condemn(oldest, 400, Limits(timedelta(hours=30), 0), NOW) == oldest[:2]
    assert to_condemn(oldest, 400, Limits(timedelta(hours=100), 250), NOW) == oldest[:2]
    assert to_condemn(oldest, 400, Limits(timedelta(hours=100), 0), NOW) == []


def test_a_full_disk_costs_the_oldest_until_it_is_relieved():
    oldest = chunks([9, 8, 7, 6], size=40)
    assert to_sacrifice(oldest, Space(1000, 80)) == oldest[:2]
    assert to_sacrifice(oldest, Space(1000, 500)) == []


def test_survival_mode_does_not_flap():
    assert not survival_mode(Space(1000, 110), before=False)
    assert survival_mode(Space(1000, 90), before=False)
    assert survival_mode(Space(1000, 110), before=True)
    assert not survival_mode(Space(1000, 200), before=True)


@given(st.lists(st.integers(1, 10**9), max_size=50), st.integers(1, 10**12), st.floats(0, 1))
def test_a_sacrifice_is_never_larger_than_needed(sizes, total, free_share):
    oldest = [Chunk(uuid4(), "c", NOW, 60, size, PurePosixPath("x"), "h264", 1, 1) for size in sizes]
    space = Space(total, int(total * free_share))
    going = to_sacrifice(oldest, space)
    needed = (space.used_share - RELIEVED_SHARE) * total
    assert sum(chunk.size_bytes for chunk in going[:-1]) < max(needed, 1)
