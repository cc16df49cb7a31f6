"""Of which picture a saved state tells: by the crop of its new face, else by the last sight."""

from datetime import timedelta
from pathlib import Path, PurePosixPath
from uuid import UUID

import numpy as np
import pytest
from tests.bench.sufficing import Saved, pictured_at
from tests.support.resolver_scenes import NOON, track

from marengocam.core.model import Chunk
from marengocam.demo.video import VideoFile
from marengocam.vision.crops import to_jpeg

FPS, SECONDS = 5, 3
SAW = 7  # the frame that the face was seen in


def picture(number: int) -> np.ndarray:
    """Return coarse noise that a square walks over."""
    noise = np.random.default_rng(5).integers(40, 160, (12, 16, 3), dtype=np.uint8)
    frame = noise.repeat(16, 0).repeat(16, 1)
    frame[64:128, 8 + 12 * number : 56 + 12 * number] = 230
    return frame


@pytest.fixture
def chunk(tmp_path: Path) -> Chunk:
    with VideoFile(tmp_path / "one.mp4", 256, 192, FPS) as video:
        for number in range(FPS * SECONDS):
            video.write(picture(number))
    return Chunk(UUID(int=1), "front", NOON, SECONDS, 1, PurePosixPath("one.mp4"), "h264", 256, 192)


def saved(face_jpeg: bytes | None) -> Saved:
    seen = track(end_s=2.0)
    return Saved(seen, seen.last_seen_at + timedelta(seconds=0.3), face_jpeg)


def test_a_new_face_is_of_the_recorded_picture_that_its_crop_was_cut_from(chunk: Chunk, tmp_path: Path) -> None:
    crop = to_jpeg(picture(SAW)[48:144, 64:200])
    at = pictured_at(saved(crop), tmp_path, [chunk])
    assert at is not None
    assert (at - NOON).total_seconds() == pytest.approx(SAW / FPS)


def test_without_a_new_face_it_is_the_last_sight(chunk: Chunk, tmp_path: Path) -> None:
    one = saved(None)
    assert pictured_at(one, tmp_path, [chunk]) == one.track.last_seen_at


def test_a_crop_of_another_picture_has_no_date(chunk: Chunk, tmp_path: Path) -> None:
    elsewhere = np.random.default_rng(9).integers(0, 255, (96, 128, 3), dtype=np.uint8)
    assert pictured_at(saved(to_jpeg(elsewhere)), tmp_path, [chunk]) is None
