"""What a replay found that live did not, and the other way round: tracks, boxes, identities, events."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from marengocam.core.geometry import Box
from marengocam.core.model import PathPoint
from marengocam.core.rules.place import Place
from marengocam.replay.difference import compare, told
from marengocam.replay.page import difference_page
from marengocam.replay.sides import Side, SideEvent, SideTrack
from marengocam.replay.summary import summary

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LEFT, RIGHT = Box(0.1, 0.2, 0.2, 0.8), Box(0.7, 0.2, 0.8, 0.8)
BERLIN = Place(zone=ZoneInfo("Europe/Berlin"))
FACE = {"cues": [{"cue": "face", "log_ratio": 7.1}]}


def track(name: str, start_s: float, end_s: float, box: Box = LEFT, label: str = "person", who=None) -> SideTrack:
    begin, end = NOON + timedelta(seconds=start_s), NOON + timedelta(seconds=end_s)
    path = tuple(PathPoint(begin + (end - begin) * (step / 20), box, 0.9) for step in range(21))
    return SideTrack(name, label, begin, end, 0.9, who, 0.97, path, (), FACE, lambda: b"\xff\xd8picture")


def side(*tracks: SideTrack, events: tuple[SideEvent, ...] = (), name: str = "live") -> Side:
    return Side(name, "front", NOON, NOON + timedelta(hours=1), tracks, events)


def event(kind: str, name: str, at_s: float, who: str | None = None, zone: str | None = None) -> SideEvent:
    return SideEvent(kind, name, NOON + timedelta(seconds=at_s), who, zone)


def test_the_same_walk_found_a_little_later_is_in_both() -> None:
    result = compare(side(track("a", 0, 10)), side(track("b", 1, 9)))
    assert [(pair.before.track_id, pair.after.track_id) for pair in result.pairs] == [("a", "b")]
    assert not result.differs
    assert "Nothing differs" in summary(result, BERLIN)


def test_another_time_another_place_and_another_label_are_found_and_lost() -> None:
    for other in (track("b", 20, 30), track("b", 0, 10, RIGHT), track("b", 0, 10, label="dog")):
        result = compare(side(track("a", 0, 10)), side(other))
        assert ([one.track_id for one in result.found], [one.track_id for one in result.lost]) == (["b"], ["a"])


def test_the_likest_are_partners_and_each_has_one_at_most() -> None:
    shifted = Box(0.13, 0.2, 0.23, 0.8)
    result = compare(side(track("a", 0, 10)), side(track("far", 0, 10, shifted), track("near", 0, 10)))
    assert [(pair.after.track_id, pair.mean_iou) for pair in result.pairs] == [("near", 1.0)]
    assert [one.track_id for one in result.found] == ["far"]


def test_moved_boxes_and_another_name_are_told() -> None:
    result = compare(side(track("a", 0, 10, who="Bob")), side(track("b", 0, 10, Box(0.13, 0.2, 0.23, 0.98))))
    assert len(result.moved) == len(result.renamed) == 1
    assert "Bob is now unknown" in summary(result, BERLIN)


def test_events_are_compared_by_what_they_tell_of_the_same_track() -> None:
    before = (
        event("person_detected", "a", 1),
        event("person_confirmed", "a", 2, "Bob"),
        event("zone_entered", "a", 3, zone="Drive"),
        event("person_detected", "gone", 40),
    )
    after = (
        event("person_detected", "b", 1.5),
        event("person_confirmed", "b", 2, "Alice"),
        event("zone_entered", "b", 33, zone="Drive"),
        event("zone_entered", "b", 5, zone="Lawn"),
    )
    result = compare(
        side(track("a", 0, 50), track("gone", 39, 45, RIGHT), events=before), side(track("b", 0, 50), events=after)
    )
    assert result.events_alike == 1
    assert [one.how for one in result.changed] == ["Bob became Alice", "30.0 s later"]
    assert [one.zone for one in result.added] == ["Lawn"]
    assert [one.track_id for one in result.missing] == ["gone"]


def test_a_summary_fits_a_screen_and_the_page_needs_nothing_else() -> None:
    before = side(*(track(f"a{number}", 60 * number, 60 * number + 9) for number in range(30)))
    after = side(*(track(f"b{number}", 60 * number + 30, 60 * number + 39) for number in range(30)), name="<b>run</b>")
    result = compare(before, after)
    assert len(summary(result, BERLIN).splitlines()) <= 30
    page = difference_page(result, BERLIN)
    assert page.count("data:image/jpeg;base64,") == 60, "each with its picture"
    assert page.count("+7.10") == 60, "and its evidence"
    assert "<b>run" not in page
    assert "http" not in page
    assert "<script" not in page
    assert told(result)["differs"] is True


def test_summary_and_page_tell_times_by_the_owners_clock() -> None:
    confirmed = event("person_confirmed", "b", 2, "Bob")
    result = compare(side(), side(track("b", 0, 10), events=(confirmed,)))
    assert "2026-06-01 14:00:00 to 15:00:00 (CEST)" in summary(result, BERLIN)
    assert "14:00:02 person_confirmed Bob" in summary(result, BERLIN)
    page = difference_page(result, BERLIN)
    assert "14:00:00 to 14:00:10" in page
    assert "12:00:0" not in page
    assert told(result)["tracks_found"][0]["first_seen_at"] == "2026-06-01T12:00:00+00:00", "for programs, UTC"
