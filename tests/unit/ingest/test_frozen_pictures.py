"""A camera that sends one picture for ever is told of; a still room, and film that comes again, are not."""

from datetime import UTC, datetime, timedelta

import numpy as np

from marengocam.ingest.frozen import FROZEN_AFTER, FrozenWatch

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
SIZE_PX = (360, 640)
RANDOM = np.random.default_rng(7)
ROOM = RANDOM.integers(40, 200, SIZE_PX, dtype=np.uint8)


def noisy(picture: np.ndarray, levels: int) -> np.ndarray:
    noise = RANDOM.integers(-levels, levels + 1, SIZE_PX)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def somebody_at(x_px: int) -> np.ndarray:
    picture = ROOM.copy()
    picture[120:280, x_px : x_px + 60] = 20
    return picture


def frozen_at_last(pictures: list[np.ndarray], fps: float = 5.0) -> bool:
    """Show pictures round and round for two minutes; return what the watch says then."""
    watch, said = FrozenWatch(), False
    for number in range(int(2 * FROZEN_AFTER.total_seconds() * fps)):
        said = watch.update(pictures[number % len(pictures)], NOON + timedelta(seconds=number / fps))
    return said


def test_one_picture_for_ever_is_frozen_though_its_encoder_draws_it_in_some_ways():
    assert frozen_at_last([ROOM])
    assert frozen_at_last([noisy(ROOM, 3) for _ in range(20)])


def test_a_still_room_seen_by_a_living_sensor_is_not():
    watch = FrozenWatch()
    said = [watch.update(noisy(ROOM, 1), NOON + timedelta(seconds=number)) for number in range(200)]
    assert not any(said)


def test_film_of_a_moving_person_that_comes_again_is_not():
    assert not frozen_at_last([somebody_at(x_px) for x_px in range(0, 560, 10)])


def test_it_thaws_with_the_first_new_picture():
    watch = FrozenWatch()
    assert [watch.update(ROOM, NOON + timedelta(seconds=number)) for number in range(61)][-1]
    assert not watch.update(somebody_at(100), NOON + timedelta(seconds=61))


def test_a_camera_that_goes_back_to_an_earlier_size_has_changed():
    watch = FrozenWatch()
    shown = [ROOM, ROOM[::2, ::2], ROOM]
    said = [watch.update(picture, NOON + number * FROZEN_AFTER) for number, picture in enumerate(shown)]
    assert said == [False, False, False]
