"""Pictures to tune a detector by are spread over cameras, day and night."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clips import write_counter_clip

from marengocam.core.errors import BadInputError
from marengocam.media.names import RecordingName
from marengocam.media.sampled_pictures import KEYFRAMES_A_CLIP, LONG_SIDE_PX, given_pictures, recorded_pictures, spread

START = datetime(2026, 11, 1, tzinfo=UTC)


def names(cameras: int, hours: int, each: int = 3) -> list[RecordingName]:
    return [
        RecordingName(f"camera{camera}", START + timedelta(hours=hour, minutes=number), uuid4())
        for camera in range(cameras)
        for hour in range(hours)
        for number in range(each)
    ]


def test_a_short_beginning_holds_all_cameras_and_day_and_night():
    begun = spread(names(4, 48))[:32]
    assert {one.camera_id for one in begun} == {f"camera{number}" for number in range(4)}
    hours = sorted({one.started_at.hour for one in begun})
    assert len(hours) == 8
    assert max(later - sooner for sooner, later in zip(hours, [*hours[1:], hours[0] + 24], strict=True)) <= 4
    assert all(one.started_at >= START + timedelta(hours=24) for one in begun), "the latest first"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100)), max_size=60))
def test_nothing_is_lost_or_taken_twice(given_names):
    some = [RecordingName(f"c{camera}", START + timedelta(hours=hour), uuid4()) for camera, hour in given_names]
    assert sorted(one.chunk_id for one in spread(some)) == sorted(one.chunk_id for one in some)


def test_the_first_picture_of_each_recording_is_read_and_what_is_broken_passed_over(tmp_path: Path):
    for name in names(2, 2, 1):
        file = tmp_path / name.path
        file.parent.mkdir(parents=True)
        write_counter_clip(file, 20)
    broken = names(1, 1, 1)[0]
    (tmp_path / broken.path).write_bytes(b"no video")
    (tmp_path / "recordings" / "camera0" / "notes.mp4").write_bytes(b"the owner's own")
    pictures = list(recorded_pictures(tmp_path))
    assert [picture.shape for picture in pictures] == [(96, 192, 3)] * 4


def test_pictures_and_clips_of_a_folder_are_taken_in_turn_and_made_smaller(tmp_path: Path):
    write_counter_clip(tmp_path / "clip.mp4", 400)
    cv2.imwrite(str(tmp_path / "large.jpg"), np.full((1200, 1600, 3), 200, np.uint8))
    (tmp_path / "words.txt").write_text("no picture")
    pictures = list(given_pictures([tmp_path]))
    assert 2 <= len(pictures) <= KEYFRAMES_A_CLIP + 1
    assert max(max(picture.shape) for picture in pictures) == LONG_SIDE_PX
    assert [picture.shape for picture in pictures[:2]] == [(96, 192, 3), (480, 640, 3)]


def test_a_place_without_pictures_is_told(tmp_path: Path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(BadInputError, match="no pictures or clips"):
            list(given_pictures([place]))
