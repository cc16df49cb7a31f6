"""In what an appearance network computes, and by what name it goes; vectors of one model are compared all the same."""

from pathlib import Path

import numpy as np
import pytest

from marengocam.vision import appearance
from marengocam.vision.appearance import ColourTexture, NetAppearance
from marengocam.vision.crops import SHARP_VARIANCE, sharpness


@pytest.fixture
def asked_exact(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Stand in for a processor with BF16; return whether full precision was asked for, network by network."""
    asked: list[bool] = []

    class Net:
        def __init__(self, _file: Path, _shape: tuple[int, ...], _cache: Path, *, exact: bool) -> None:
            asked.append(exact)
            self.precision = "f32" if exact else "bf16"

    monkeypatch.setattr(appearance, "OpenVinoNet", Net)
    return asked


@pytest.mark.parametrize(
    ("model", "exact"), [("omz-reid-0287-256", False), ("osnet-x0_25-msmt17-512", True), ("somebody-elses", True)]
)
def test_only_a_network_that_is_known_to_bear_it_is_rounded(asked_exact: list[bool], model: str, exact: bool) -> None:
    encoder = NetAppearance(Path("file.onnx"), model, Path("cache"))
    assert asked_exact == [exact]
    assert (encoder.model, encoder.name) == (model, f"{model}-{'f32' if exact else 'bf16'}")
    assert ColourTexture().name == ColourTexture.model


def test_sharpness_goes_by_the_variance_of_what_changes_from_pixel_to_pixel() -> None:
    stripes = np.zeros((64, 32, 3), np.uint8)
    stripes[:, ::8] = 10
    across = stripes[:, :, 0].astype(float)
    padded = np.pad(across, 1, mode="reflect")
    laplacian = padded[1:-1, :-2] + padded[1:-1, 2:] + padded[:-2, 1:-1] + padded[2:, 1:-1] - 4 * across
    assert 0 < laplacian.var() < SHARP_VARIANCE
    assert sharpness(stripes) == pytest.approx(laplacian.var() / SHARP_VARIANCE, rel=1e-4)
    assert sharpness(np.full((64, 32, 3), 90, np.uint8)) == 0
