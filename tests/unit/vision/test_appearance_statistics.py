"""The encoder that needs no model: clearly different clothes differ, quality tells bad pictures."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from marengocam.core.calibration import appearance_log_ratio
from marengocam.settings import Settings
from marengocam.vision.appearance import ColourTexture, crop_quality, fuse, load_appearance_encoder
from marengocam.vision.models import Models


def dressed(top: tuple[int, int, int], legs: tuple[int, int, int], seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    picture = np.zeros((200, 80, 3), np.float32)
    picture[:40], picture[40:110], picture[110:] = (190, 150, 130), top, legs
    return np.clip(picture * generator.uniform(0.85, 1.1) + generator.normal(0, 6, picture.shape), 0, 255).astype(
        np.uint8
    )


def test_without_models_appearance_falls_back_to_statistics_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(data_dir=tmp_path, media_dir=tmp_path, download_models=False)
    with caplog.at_level(logging.WARNING):
        encoder = load_appearance_encoder(settings, Models(settings))
    assert encoder.model == "colour-texture-1"
    assert "clothes differ" in caplog.text


def test_the_same_clothes_are_liker_than_other_clothes() -> None:
    crops = [dressed((200, 30, 30), (30, 30, 60), seed) for seed in (1, 2)] + [
        dressed((40, 120, 50), (200, 200, 190), 3)
    ]
    first, again, other = ColourTexture().encode(crops)
    same, different = float(first.vector @ again.vector), float(first.vector @ other.vector)

    assert np.linalg.norm(first.vector) == pytest.approx(1, abs=1e-5)
    assert same > different + 0.1
    model = first.model
    assert appearance_log_ratio(model, same, 0.8, 0.8, 60) > 0 > appearance_log_ratio(model, different, 0.8, 0.8, 60)


def test_quality_falls_with_size_blur_and_a_lying_box() -> None:
    sharp = np.random.default_rng(1).integers(0, 255, (200, 80, 3)).astype(np.uint8)
    flat = np.full((200, 80, 3), 90, np.uint8)
    assert crop_quality(sharp) > crop_quality(flat) > crop_quality(flat[:40, :16])
    assert crop_quality(sharp) > crop_quality(np.ascontiguousarray(sharp.transpose(1, 0, 2)))
    assert crop_quality(sharp[:4, :4]) == pytest.approx(0.05)


def test_the_fused_vector_leans_to_the_better_picture() -> None:
    red, green = ColourTexture().encode(
        [dressed((200, 30, 30), (30, 30, 60), 1), dressed((40, 120, 50), (200,) * 3, 2)]
    )
    both = fuse([replace(red, quality=0.9), replace(green, quality=0.1)])
    assert float(both.vector @ red.vector) > float(both.vector @ green.vector)
    assert both.quality == pytest.approx(0.9)
