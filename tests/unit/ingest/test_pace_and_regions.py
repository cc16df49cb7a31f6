"""How often and how closely the detector looks."""

from datetime import UTC, datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.ingest.pace import (
    LONG_STILL_FOLLOW_EVERY,
    NEW_FOR,
    RESTLESS_LOOK_EVERY,
    STILL_FOLLOW_EVERY,
    VAIN_AFTER,
    Pace,
)
from marengocam.ingest.regions import LOOK_EVERY, RegionWatch, far_region, merged, placed
from marengocam.ingest.restlessness import VAIN_LOOKS
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import TrackedObject

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
STEP_S = 0.2
MOVING, STILL = Motion(moving=True, boxes=(Box(0.1, 0.1, 0.2, 0.2),)), Motion(moving=False)
FULL_HD, SMALL = (1920, 1080), (640, 360)
FAR = Box(0.5, 0.4, 0.51, 0.45)


def at(number: int) -> datetime:
    return NOON + timedelta(seconds=number * STEP_S)


def walker(x: float, *, lost: bool = False) -> TrackedObject:
    return TrackedObject(1, "person", Box(x, 0.3, x + 0.1, 0.7), 0.8, confirmed=True, lost=lost, observations=9)


def looks(pace: Pace, frames: int, objects, motion: Motion = MOVING) -> list[bool]:
    done = []
    for number in range(frames):
        due = pace.due(motion, at(number))
        done.append(due)
        if due:
            pace.update(objects(number), at(number))
    return done


def test_a_calm_walk_is_looked_at_in_every_frame_first_and_then_in_every_second():
    done = looks(Pace(), 40, lambda number: [walker(0.1 + 0.005 * number)])
    first = round(NEW_FOR.total_seconds() / STEP_S)
    assert all(done[:first])
    assert sum(done[first + 2 :]) <= len(done[first + 2 :]) / 2 + 1


def test_what_moves_fast_or_was_lost_is_looked_at_in_every_frame():
    assert sum(looks(Pace(), 40, lambda number: [walker(0.2 * (number % 4))])) > 35
    around_it = Motion(moving=True, boxes=(Box(0.1, 0.3, 0.2, 0.7),))
    assert all(looks(Pace(), 20, lambda _: [walker(0.1, lost=True)], around_it))


def test_who_wants_it_thorough_has_every_frame_looked_at_while_something_moves():
    assert all(looks(Pace(thorough=True), 40, lambda number: [walker(0.1 + 0.005 * number)]))


def test_leaves_in_the_wind_are_looked_at_once_a_second_when_they_are_known() -> None:
    pace = Pace()
    done = looks(pace, 100, lambda _: [])
    assert all(done[: round(VAIN_LOOKS)])
    settled = done[-50:]
    assert sum(settled) == round(50 * STEP_S / RESTLESS_LOOK_EVERY.total_seconds())


def test_somebody_beside_the_leaves_is_looked_at_at_once() -> None:
    pace = Pace()
    looks(pace, 100, lambda _: [])
    beside = Motion(moving=True, boxes=(*MOVING.boxes, Box(0.6, 0.4, 0.7, 0.8)))
    assert pace.due(beside, at(100))


def test_unrest_in_ever_new_places_is_looked_at_in_half_the_frames_after_a_while() -> None:
    pace, done = Pace(), []
    for number in range(100):
        x, y = (number % 16) / 16, (number // 16) / 9
        place = Motion(moving=True, boxes=(Box(x, y, x + 0.05, y + 0.05),))
        done.append(pace.due(place, at(number)))
        if done[-1]:
            pace.update((), at(number))
    patience = round(VAIN_AFTER.total_seconds() / STEP_S)
    assert all(done[:patience])
    assert sum(done[patience + 1 :]) <= (100 - patience) / 2 + 1


def test_a_picture_that_has_not_changed_since_nothing_was_found_is_not_looked_at_again() -> None:
    pace = Pace()
    looks(pace, 3, lambda _: [])
    assert not any(pace.due(STILL, at(number)) for number in range(3, 12))


def test_what_has_stood_for_long_is_looked_at_more_and_more_seldom() -> None:
    pace, done = Pace(), []
    for number in range(200):
        done.append(pace.due(MOVING if number == 0 else STILL, at(number)))
        if done[-1]:
            pace.update([walker(0.1)], at(number))
    assert sum(done[15:50]) == round(35 * STEP_S / STILL_FOLLOW_EVERY.total_seconds())
    assert sum(done[110:200]) == round(90 * STEP_S / LONG_STILL_FOLLOW_EVERY.total_seconds())


def test_a_far_thing_that_moves_in_a_large_picture_is_looked_at_closely():
    region = far_region(FULL_HD, Motion(moving=True, boxes=(FAR,)), (), ())
    assert region is not None
    assert region.x1 <= FAR.x1
    assert region.x2 >= FAR.x2
    assert region.y1 <= FAR.y1
    assert region.y2 >= FAR.y2
    assert region.x1 >= 0
    assert region.x2 <= 1


def test_what_the_whole_picture_shows_well_needs_no_closer_look():
    moving = Motion(moving=True, boxes=(FAR,))
    assert far_region(SMALL, moving, (), ()) is None, "the picture has no more detail"
    assert far_region(FULL_HD, moving, [Detection("person", 0.8, FAR)], ()) is None, "it is seen surely"
    assert far_region(FULL_HD, Motion(moving=True, boxes=(Box(0.2, 0.2, 0.5, 0.9),)), (), ()) is None, "it is near"
    assert far_region(FULL_HD, STILL, (), ()) is None


def test_closer_looks_are_rationed():
    watch, moving = RegionWatch(), Motion(moving=True, boxes=(FAR,))
    chosen = [watch.choose(FULL_HD, moving, (), (), at(number)) for number in range(20)]
    assert sum(region is not None for region in chosen) == round(20 * STEP_S / LOOK_EVERY.total_seconds())


def test_what_a_region_shows_stands_in_the_whole_picture_s_place_and_counts_once():
    region = Box(0.25, 0.5, 0.75, 1.0)
    inside, cut_off = (
        Detection("person", 0.7, Box(0.4, 0.4, 0.6, 0.8)),
        Detection("person", 0.9, Box(0.0, 0.2, 0.1, 0.5)),
    )
    (there,) = placed([inside, cut_off], region)
    assert (there.box.x1, there.box.y2) == (0.45, 0.9)
    whole = [Detection("person", 0.5, there.box), Detection("person", 0.6, Box(0.0, 0.0, 0.1, 0.3))]
    assert [one.score for one in merged(whole, [there])] == [0.7, 0.6]
