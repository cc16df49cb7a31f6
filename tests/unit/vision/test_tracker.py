"""What the tracker promises: one track an object, through gaps, crossings, doubtful frames and uneven clocks."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from marengocam.core.geometry import Box
from marengocam.core.model import Detection
from marengocam.vision.tracker import CONFIRM_OBSERVATIONS, LOST_LIMIT_S, TrackedObject, Tracker

START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def person(x: float, y: float = 0.5, score: float = 0.8, label: str = "person") -> Detection:
    return Detection(label, score, Box(x - 0.04, y - 0.15, x + 0.04, y + 0.15))


def follow(tracker: Tracker, frames: Iterable[tuple[float, list[Detection]]]) -> list[list[TrackedObject]]:
    return [tracker.update(detections, START + timedelta(seconds=at_s)) for at_s, detections in frames]


def test_one_walker_is_one_track_confirmed_at_the_third_sight() -> None:
    seen = follow(Tracker(), [(n * 0.2, [person(0.1 + 0.02 * n)]) for n in range(20)])

    assert {one.track_id for frame in seen for one in frame} == {1}
    assert [frame[0].confirmed for frame in seen[:4]] == [n >= CONFIRM_OBSERVATIONS for n in (1, 2, 3, 4)]
    assert seen[-1][0].observations == 20
    assert seen[-1][0].box.centre[0] == pytest.approx(0.48, abs=0.01)


def test_a_walker_hidden_for_a_second_keeps_the_track() -> None:
    frames = [(n * 0.2, [person(0.1 + 0.02 * n)] if not 10 <= n < 15 else []) for n in range(25)]
    seen = follow(Tracker(), frames)

    assert {one.track_id for frame in seen for one in frame} == {1}
    assert seen[12][0].lost
    assert not seen[15][0].lost
    assert seen[12][0].box.centre[0] == pytest.approx(0.34, abs=0.03)  # it walks on while hidden


def test_a_track_ends_when_it_stays_away_longer_than_the_limit() -> None:
    tracker = Tracker()
    follow(tracker, [(n * 0.2, [person(0.5)]) for n in range(5)])

    looks = round(LOST_LIMIT_S / 0.2)
    assert all(follow(tracker, [(0.8 + n * 0.2, []) for n in range(1, looks)]))
    assert follow(tracker, [(0.8 + (looks + n) * 0.2, []) for n in range(1, 3)])[-1] == []
    (again,) = tracker.update([person(0.5)], START + timedelta(seconds=5))
    assert again.track_id == 2


def test_while_nobody_looks_a_standing_thing_is_not_lost() -> None:
    tracker = Tracker()
    follow(tracker, [(n * 0.2, [person(0.5)]) for n in range(5)])
    glances = follow(tracker, [(4.0, [person(0.5)]), (7.0, []), (10.0, [person(0.5)])])
    assert [one.track_id for frame in glances for one in frame] == [1, 1, 1]
    assert follow(tracker, [(13.0, []), (16.0, []), (19.0, [])])[-1] == [], "three glances that miss it are enough"


def test_two_who_cross_keep_their_numbers() -> None:
    frames = [(n * 0.2, [person(0.2 + 0.02 * n, 0.45), person(0.8 - 0.02 * n, 0.62)]) for n in range(30)]
    seen = follow(Tracker(), frames)

    by_id = {one.track_id: one.box.centre for one in seen[-1]}
    assert len(by_id) == 2
    assert by_id[1][0] == pytest.approx(0.78, abs=0.02)
    assert by_id[2][0] == pytest.approx(0.22, abs=0.02)


def test_a_doubtful_detection_keeps_a_track_alive_but_begins_none() -> None:
    tracker = Tracker()
    assert tracker.update([person(0.5, score=0.3)], START) == []
    follow(tracker, [(1 + n * 0.2, [person(0.5)]) for n in range(4)])
    (kept,) = tracker.update([person(0.505, score=0.3)], START + timedelta(seconds=1.8))
    assert (kept.lost, kept.score, kept.observations) == (False, 0.3, 5)


def test_a_sure_detection_goes_before_a_doubtful_one_that_is_nearer() -> None:
    tracker = Tracker()
    follow(tracker, [(n * 0.2, [person(0.5), person(0.8)]) for n in range(4)])
    seen = tracker.update(
        [person(0.5, score=0.3), person(0.515), person(0.8, score=0.3)], START + timedelta(seconds=0.8)
    )
    assert [(one.track_id, one.score, one.lost) for one in seen] == [(1, 0.8, False), (2, 0.3, False)]


def test_a_dog_is_never_taken_for_the_person_beside_it() -> None:
    frames = [(n * 0.2, [person(0.5), person(0.5, label="dog")]) for n in range(6)]
    seen = follow(Tracker(), frames)
    assert [(one.track_id, one.label) for one in seen[-1]] == [(1, "person"), (2, "dog")]


def test_a_dog_left_alone_does_not_take_over_the_persons_track() -> None:
    tracker = Tracker()
    follow(tracker, [(n * 0.2, [person(0.5), person(0.5, label="dog")]) for n in range(6)])
    owner, dog = tracker.update([person(0.5, label="dog")], START + timedelta(seconds=1.2))
    assert (owner.label, owner.lost) == ("person", True)
    assert (dog.label, dog.lost) == ("dog", False)


def test_speed_is_per_second_so_uneven_frame_times_do_not_matter() -> None:
    times = [0, 0.1, 0.5, 0.6, 1.0, 1.4, 1.5, 2.1, 2.3, 2.9]
    seen = follow(Tracker(), [(at_s, [person(0.1 + 0.15 * at_s)]) for at_s in times])
    assert {one.track_id for frame in seen for one in frame} == {1}


def test_a_clock_that_steps_back_breaks_nothing() -> None:
    tracker = Tracker()
    follow(tracker, [(n * 0.2, [person(0.5)]) for n in range(4)])
    (one,) = tracker.update([person(0.5)], START - timedelta(seconds=60))
    assert one.track_id == 1


def test_boxes_stay_inside_the_picture() -> None:
    tracker = Tracker()
    follow(tracker, [(n * 0.2, [person(0.75 + 0.05 * n)]) for n in range(5)])
    (gone,) = tracker.update([], START + timedelta(seconds=2.5))
    assert 0 <= gone.box.x1 <= gone.box.x2 <= 1
