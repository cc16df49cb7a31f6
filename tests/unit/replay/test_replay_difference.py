"""What a replay found that live did not, and the other way round."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from marengocam.core.geometry import Box
from marengocam.core.model import LocalTrack, PathPoint
from marengocam.replay.difference import Difference, compare

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEFT, RIGHT = Box(0.1, 0.2, 0.2, 0.8), Box(0.7, 0.2, 0.8, 0.8)


def track(start_s: float, end_s: float, box: Box = LEFT, label: str = "person") -> LocalTrack:
    begin, end = NOON + timedelta(seconds=start_s), NOON + timedelta(seconds=end_s)
    path = tuple(PathPoint(begin + (end - begin) * share, box, 0.9) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    return LocalTrack(uuid4(), "front", label, begin, end, False, 0.9, 5, path=path)


def test_the_same_walk_found_a_little_later_is_in_both() -> None:
    assert compare([track(0, 10)], [track(1, 9)]) == Difference(1, (), ())


def test_another_time_another_place_and_another_label_are_differences() -> None:
    for other in (track(20, 30), track(0, 10, RIGHT), track(0, 10, label="dog")):
        result = compare([track(0, 10)], [other])
        assert result.in_both == 0
        assert result.only_replay == (f"{other.label} {other.first_seen_at.isoformat()}",)
        assert result.only_live == (f"person {NOON.isoformat()}",)


def test_one_live_track_is_the_partner_of_one_replayed_track_only() -> None:
    result = compare([track(0, 10)], [track(0, 5), track(5, 10)])
    assert (result.in_both, len(result.only_replay), result.only_live) == (1, 1, ())
