"""How often and how closely the detector looks."""

from datetime import UTC, datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.ingest.pace import NEW_FOR, VAIN_AFTER, Pace
from marengocam.ingest.regions import LOOK_EVERY, RegionWatch, far_region, merged, placed
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


def looks(pace: Pace, frames: int, objects) -> list[bool]:
    done = []
    for number in range(frames):
        due = pace.due(MOVING, at(number))
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
    assert all(looks(Pace(), 20, lambda _: [walker(0.1, lost=True)]))


def test_who_wants_it_thorough_has_every_frame_looked_at_while_something_moves():
    assert all(looks(Pace(thorough=True), 40, lambda number: [walker(0.1 + 0.005 * number)]))


def test_leaves_in_the_wind_are_looked_at_in_half_the_frames_after_a_while():
    done = looks(Pace(), 100, lambda _: [])
    patience = round(VAIN_AFTER.total_seconds() / STEP_S)
    assert all(done[:patience])
    assert sum(done[patience + 1 :]) <= (100 - patience) / 2 + 1


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
