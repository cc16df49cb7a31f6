"""Movement that walks is told from what sways, flits or floods, and from what is recognised anyhow."""

from datetime import UTC, datetime, timedelta

import av
import numpy as np
import pytest
from tests.support.shared_assets import needed_folder

from marengocam.core.geometry import Box
from marengocam.ingest.frames import luma_of
from marengocam.ingest.movement import MOVEMENT, MovementWatch
from marengocam.vision.motion import MotionGate
from marengocam.vision.tracker import TrackedObject

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
STEP_S = 0.2
HEIGHT = 0.1


def region(x: float, y: float = 0.4, height: float = HEIGHT) -> Box:
    return Box(x, y, x + height / 3, y + height)


def watch(frames, followed=()) -> list[list[TrackedObject]]:
    watching = MovementWatch()
    return [
        watching.update(regions, followed, NOON + timedelta(seconds=number * STEP_S))
        for number, regions in enumerate(frames)
    ]


def test_who_walks_across_is_one_movement_until_it_is_gone():
    walk = [[region(0.1 + number * 0.006)] for number in range(50)]
    told = watch([*walk, *[[]] * 20])
    ids = {one.track_id for objects in told for one in objects}
    assert len(ids) == 1
    assert {one.label for objects in told for one in objects} == {MOVEMENT}
    assert told[49]
    assert not told[10], "two seconds may be anything"
    assert told[-1] == []


@pytest.mark.parametrize(
    "frames",
    [
        [[region(0.3 + 0.01 * (number % 3))] for number in range(100)],
        [[region(float(x), float(y), 0.06)] for x, y in np.random.default_rng(1).random((100, 2)) * 0.9],
        [[region(number * 0.1 % 0.9)] for number in range(100)],
        [[Box(0, 0, 1, 1)] for _ in range(100)],
    ],
    ids=["a branch that sways", "insects", "headlights", "light"],
)
def test_what_does_not_walk_is_not_told(frames):
    assert not any(watch(frames))


def test_what_is_recognised_is_not_told_again():
    walk = [[region(0.1 + number * 0.006)] for number in range(50)]
    watching = MovementWatch()
    for number, regions in enumerate(walk):
        person = TrackedObject(1, "person", regions[0], 0.8, confirmed=True, lost=False, observations=number)
        assert watching.update(regions, [person], NOON + timedelta(seconds=number * STEP_S)) == []


def test_the_far_person_at_night_whom_the_detector_misses_is_movement():
    frames = needed_folder("footage") / "night_ir_person.mp4"
    told = {}
    watching = MovementWatch()
    for second, boxes in frames_with_motion(frames):
        for one in watching.update(boxes, (), NOON + timedelta(seconds=second)):
            told.setdefault(one.track_id, second)
    assert any(50 < second < 70 for second in told.values()), "the gate is opened at 50 to 70 s"
    assert len(told) <= 4, "what else moves in three minutes, insects and noise, is not told"


def frames_with_motion(file):
    gate, last_s = MotionGate(), -1.0
    with av.open(str(file)) as container:
        for frame in container.decode(video=0):
            if frame.time - last_s >= STEP_S - 0.01:
                last_s = frame.time
                yield frame.time, gate.update(luma_of(frame)).boxes
