"""The motion gate on pictures whose truth is known."""

import numpy as np
import pytest

from marengocam.vision.motion import MotionGate

WIDTH, HEIGHT = 640, 360


def scene(generator: np.random.Generator, brightness: float = 100.0) -> np.ndarray:
    """A still picture with a cheap sensor's noise."""
    base = np.add.outer(np.linspace(0, 40, HEIGHT), np.linspace(0, 30, WIDTH)) + brightness
    return np.clip(base + generator.normal(0, 4, (HEIGHT, WIDTH)), 0, 255).astype(np.uint8)


@pytest.fixture
def taught() -> tuple[MotionGate, np.random.Generator]:
    gate, generator = MotionGate(), np.random.default_rng(5)
    for _ in range(30):
        gate.update(scene(generator))
    return gate, generator


def test_noise_alone_is_no_motion(taught) -> None:
    gate, generator = taught
    assert not any(gate.update(scene(generator)).moving for _ in range(60))


def test_somebody_far_away_is_noticed_and_placed(taught) -> None:
    gate, generator = taught
    picture = scene(generator)
    picture[180:220, 320:336] = 20
    motion = gate.update(picture)

    assert motion.moving
    (box,) = motion.boxes
    assert box.x1 <= 320 / WIDTH <= 336 / WIDTH <= box.x2
    assert box.y1 <= 180 / HEIGHT <= 220 / HEIGHT <= box.y2
    assert box.area < 0.05


def test_a_cloud_that_darkens_everything_slowly_is_no_motion(taught) -> None:
    gate, generator = taught
    assert not any(gate.update(scene(generator, 100 - step)).moving for step in range(40))


def test_a_lamp_switched_on_is_looked_at_once_and_then_learned(taught) -> None:
    gate, generator = taught
    lit = [gate.update(np.clip(scene(generator).astype(int) * 2, 0, 255).astype(np.uint8)).moving for _ in range(40)]
    assert not any(lit[-10:])


def test_what_is_left_behind_becomes_part_of_the_scene(taught) -> None:
    gate, generator = taught
    moving = []
    for _ in range(300):
        picture = scene(generator)
        picture[200:280, 100:160] = 230
        moving.append(gate.update(picture).moving)
    assert moving[0]
    assert not any(moving[-30:])
