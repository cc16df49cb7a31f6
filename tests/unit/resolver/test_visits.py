"""From sights to visits."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.support.resolver_scenes import NOON, ident

from marengocam.core.visits import LEFT_AFTER, VisitSight, visits_of
from marengocam.resolver.leaving import leaving

LEFT_AFTER_S = LEFT_AFTER.total_seconds()


def sight(
    name: str, start_s: float, end_s: float, *, camera: str = "door", of: str | None = None, identity: str = "stranger",
    open_: bool = False, score: float = 0.9, has_crop: bool = True,
) -> VisitSight:  # fmt: skip
    first, last = NOON + timedelta(seconds=start_s), NOON + timedelta(seconds=end_s)
    person_id = ident(of) if of else None
    return VisitSight(ident(name), ident(identity), person_id, of, camera, first, last, open_, score, has_crop)


def test_one_who_is_seen_again_within_minutes_is_still_visiting() -> None:
    (visit,) = visits_of([sight("a", 0, 10), sight("b", 10 + LEFT_AFTER_S - 1, 200, camera="yard")])
    assert [stop.camera_id for stop in visit.path] == ["door", "yard"]
    assert visit.visit_id == ident("a")


def test_one_who_comes_back_later_pays_a_second_visit() -> None:
    visits = visits_of([sight("a", 0, 10), sight("b", 10 + LEFT_AFTER_S, 200)])
    assert [visit.visit_id for visit in visits] == [ident("a"), ident("b")]


def test_a_long_stay_bridges_short_sights_elsewhere() -> None:
    stay, glimpse = sight("stay", 0, 1000, camera="desk"), sight("glimpse", 10, 12, camera="door")
    (visit,) = visits_of([stay, glimpse, sight("out", 1000 + LEFT_AFTER_S - 1, 1300, camera="door")])
    assert [stop.camera_id for stop in visit.path] == ["desk", "door"]
    assert visit.last_seen_at == NOON + timedelta(seconds=1300)


def test_a_person_s_identities_are_one_visit_and_strangers_are_apart() -> None:
    sights = [
        sight("a", 0, 10, of="Alice", identity="one"),
        sight("b", 20, 30, of="Alice", identity="two"),
        sight("c", 5, 15, identity="three"),
    ]
    assert [[one.local_track_id for one in visit.sights] for visit in visits_of(sights)] == [
        [ident("a"), ident("b")],
        [ident("c")],
    ]


def test_nobody_has_left_who_is_still_followed_or_was_seen_just_now() -> None:
    (visit,) = visits_of([sight("a", 0, 10)])
    assert not visit.has_ended(NOON + timedelta(seconds=10 + LEFT_AFTER_S - 1))
    assert visit.has_ended(NOON + timedelta(seconds=10 + LEFT_AFTER_S))
    (followed,) = visits_of([sight("a", 0, 10), sight("b", 5, 8, open_=True)])
    assert not followed.has_ended(NOON + timedelta(hours=1))


def test_the_event_tells_who_left_the_way_and_the_surest_picture() -> None:
    (visit,) = visits_of([
        sight("a", 0, 10, of="Alice", score=0.99, has_crop=False),
        sight("b", 20, 30, of="Alice", camera="yard", score=0.8),
        sight("c", 31, 60, of="Alice", camera="yard", score=0.7),
    ])  # fmt: skip
    event = leaving(visit)
    assert (event.person_name, event.camera_id, event.occurred_at) == ("Alice", "yard", visit.last_seen_at)
    assert [stop["camera_id"] for stop in event.data["path"]] == ["door", "yard"]
    assert (event.data["duration_s"], event.data["tracks"]) == (60.0, 3)
    assert event.data["picture_track_id"] == str(ident("b"))
    assert leaving(visit).event_id == event.event_id


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 600)), min_size=1, max_size=20), st.randoms())
def test_the_order_in_which_sights_come_does_not_matter(spans, random) -> None:
    sights = [sight(f"{n}", start, start + length) for n, (start, length) in enumerate(spans)]
    visits = visits_of(sights)
    random.shuffle(sights)
    assert visits_of(sights) == visits
    assert sum(len(visit.sights) for visit in visits) == len(sights)
    assert all(b.first_seen_at - a.last_seen_at >= LEFT_AFTER for a, b in pairwise(visits))
