"""What has to go, what stays, and what moves."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import PurePosixPath
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.gaps import LEAST_GAP, uncovered
from marengocam.core.model import Chunk
from marengocam.core.retention import CLASSES, Happenings, Policy, Rule
from marengocam.janitor.clock_watch import STEADY_S, ClockWatch, told
from marengocam.janitor.retention import (
    ARCHIVE_FULL_SHARE,
    REVIEW_AFTER,
    Excess,
    as_many_as,
    class_of,
    excesses,
    judge,
    moves_before,
    to_sacrifice,
)
from marengocam.janitor.survival import RELIEVED_SHARE
from marengocam.media.space import Space

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HAPPENED = st.builds(Happenings, *[st.booleans()] * 5)
RULES = st.lists(
    st.builds(
        Rule,
        st.sampled_from(["*", "front", "yard"]),
        st.sampled_from(CLASSES),
        st.none() | st.floats(0.01, 3650, allow_nan=False),
    ),
    max_size=12,
)


def chunk(age_h=1.0, size=100, camera_id="front"):
    return Chunk(uuid4(), camera_id, NOW - timedelta(hours=age_h), 60, size, PurePosixPath(str(uuid4())), "h264", 1, 1)


def test_a_class_without_a_rule_follows_the_more_general_one_and_a_camera_s_rule_goes_first():
    policy = Policy([Rule("*", "continuous", 3), Rule("*", "person", 30), Rule("front", "person", 60)], 14)
    assert policy.keep("yard", "continuous") == policy.keep("yard", "motion") == timedelta(days=3)
    assert policy.keep("yard", "named") == policy.keep("yard", "unknown") == timedelta(days=30)
    assert policy.keep("front", "named") == timedelta(days=60)
    assert policy.keep("front", "favourite") is None
    assert (policy.shortest, policy.longest) == (timedelta(days=3), timedelta(days=60))
    assert Policy([], 14).keep("any", "named") == timedelta(days=14)
    assert Policy([Rule("*", "favourite", 100)], 14).keep("any", "favourite") == timedelta(days=100)


def test_a_recording_is_kept_as_long_as_anything_in_it_wants():
    policy = Policy([Rule("*", "continuous", 1), Rule("*", "person", 9)], 14)
    empty, visited, marked = chunk(48), chunk(48), chunk(4800)
    happened = {visited.chunk_id: Happenings(person=True, motion=True), marked.chunk_id: Happenings(favourite=True)}
    verdict = judge([empty, visited, marked], happened, policy, NOW)
    assert verdict.going == [empty]
    assert verdict.classes == {
        empty.chunk_id: "continuous",
        visited.chunk_id: "person",
        marked.chunk_id: "favourite",
    }
    assert set(verdict.reviews) == {visited.chunk_id, marked.chunk_id}


@given(st.lists(st.floats(0, 9000), max_size=30), HAPPENED, RULES, st.floats(0.01, 3650))
def test_nothing_goes_before_its_time_and_nothing_stays_unreviewed(ages_h, happenings, rules, days):
    policy = Policy(rules, days)
    due = [chunk(age_h) for age_h in ages_h]
    verdict = judge(due, {one.chunk_id: happenings for one in due}, policy, NOW)
    keep = policy.keep_of("front", happenings)
    for one in verdict.going:
        assert keep is not None
        assert NOW - one.ended_at > keep >= policy.shortest
    assert len(verdict.going) + len(verdict.reviews) == len(due)
    assert all(NOW <= at <= NOW + REVIEW_AFTER for at in verdict.reviews.values())
    assert not (happenings.favourite and keep is None and verdict.going)


@given(RULES, st.floats(0.01, 3650), HAPPENED, st.sampled_from(["front", "yard", "new"]))
def test_more_happening_never_shortens_a_life(rules, days, happenings, camera_id):
    policy = Policy(rules, days)
    keep, least = policy.keep_of(camera_id, happenings), policy.keep_of(camera_id, Happenings())
    assert least is not None
    assert keep is None or keep >= least
    assert class_of(happenings) in CLASSES


def test_limits_by_size_are_for_a_camera_and_class_for_a_camera_and_for_all():
    sizes = {("front", "continuous"): 700, ("front", "person"): 300, ("yard", "continuous"): 50}
    rules = [Rule("*", "continuous", None, 600), Rule("yard", "continuous", None, 10), Rule("front", "all", None, 900)]
    assert excesses(sizes, rules, 1000) == [
        Excess("front", "continuous", 100),
        Excess("front", None, 100),
        Excess("yard", "continuous", 40),
        Excess(None, None, 50),
    ]
    assert excesses(sizes, [], 0) == []


@given(st.lists(st.integers(1, 10**9), max_size=50), st.integers(0, 10**11))
def test_no_more_goes_than_is_needed(sizes, needed):
    going = as_many_as([chunk(size=size) for size in sizes], needed)
    assert sum(one.size_bytes for one in going[:-1]) < max(needed, 1)
    assert sum(one.size_bytes for one in going) >= needed or len(going) == len(sizes)


@given(st.lists(st.integers(1, 10**9), max_size=50), st.integers(1, 10**12), st.floats(0, 1))
def test_a_sacrifice_is_never_larger_than_needed(sizes, total, free_share):
    space = Space(total, int(total * free_share))
    going = to_sacrifice([chunk(size=size) for size in sizes], space)
    needed = (space.used_share - RELIEVED_SHARE) * total
    assert sum(one.size_bytes for one in going[:-1]) < max(needed, 1)


def test_a_disk_without_room_for_names_is_full_too():
    oldest = [chunk(), chunk()]
    space = Space(1000, 900, total_files=100, free_files=2)
    assert space.used_share > 0.9
    assert to_sacrifice(oldest, space) == oldest
    assert to_sacrifice(oldest, Space(1000, 900, 100, 90)) == []


def test_the_archive_takes_what_is_old_and_more_while_the_first_disk_fills():
    day = timedelta(days=1)
    assert moves_before(Space(100, 50), day, NOW, early=False) == NOW - day
    assert moves_before(Space(1000, int(1000 * (1 - ARCHIVE_FULL_SHARE)) - 5), day, NOW, early=False) == NOW


def test_a_clock_that_is_set_is_noticed_and_ages_wait_until_it_is_steady():
    watch = ClockWatch()
    assert watch.look(NOW, 100.0) is None
    assert watch.look(NOW + timedelta(seconds=5.5), 105.0) is None, "a clock that is slewed is not set"
    jump = watch.look(NOW + timedelta(hours=1, seconds=10), 110.0)
    assert jump is not None
    assert round(jump.total_seconds()) == 3600 - 1 or round(jump.total_seconds()) == 3600
    assert "forward by 0:59:5" in told(jump) or "forward by 1:00:0" in told(jump)
    assert watch.trusted(111.0), "less than an hour is not worth waiting for" if jump < timedelta(hours=1) else ""
    back = watch.look(NOW - timedelta(days=400), 120.0)
    assert back is not None
    assert told(back).startswith("The clock of this machine was set back")
    assert not watch.trusted(121.0)
    assert watch.trusted(120.0 + STEADY_S)


MOMENTS = st.integers(0, 1000).map(lambda second: NOW + timedelta(seconds=second))
STRETCHES = st.tuples(MOMENTS, MOMENTS).map(lambda pair: (min(pair), max(pair)))


@given(STRETCHES, st.lists(STRETCHES, max_size=20))
def test_a_gap_is_what_no_recording_covers(wanted, covered):
    gaps = uncovered(wanted, covered)
    for begin, end in gaps:
        assert wanted[0] <= begin < end <= wanted[1]
        assert end - begin > LEAST_GAP
        assert not any(a < end and b > begin for a, b in covered)
    assert all(a[1] <= b[0] for a, b in pairwise(gaps))
    lost = sum((end - begin for begin, end in gaps), timedelta(0))
    seconds = range(int((wanted[1] - wanted[0]).total_seconds()))
    middles = [wanted[0] + timedelta(seconds=second + 0.5) for second in seconds]
    bare = sum(1 for middle in middles if not any(a <= middle <= b for a, b in covered))
    assert lost <= timedelta(seconds=bare) <= lost + LEAST_GAP * (len(covered) + 1)
