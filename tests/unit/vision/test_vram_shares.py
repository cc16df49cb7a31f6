"""The detector's part of a GPU's memory."""

import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import pytest

from marengocam.core.errors import ModelError
from marengocam.settings import Settings, load_settings
from marengocam.vision.vram import CUDA_GB, GB, memory_fraction, shares_of


@pytest.fixture
def settings(tmp_path) -> Settings:
    return load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path)})


def test_the_detector_has_3_of_8_gb_with_what_cuda_itself_takes(settings):
    shares = shares_of(settings)
    assert (shares.system_gb, shares.face_gb, shares.detector_gb, shares.buffer_gb) == (1, 3, 3, 1)
    assert memory_fraction(shares.detector_gb, shares, 8 * GB) * 8 + CUDA_GB == pytest.approx(3)


def test_a_larger_card_keeps_the_share_and_a_smaller_one_divides_alike(settings):
    shares = shares_of(settings)
    assert memory_fraction(3, shares, 24 * GB) * 24 + CUDA_GB == pytest.approx(3)
    parts_gb = [memory_fraction(part, shares, 6 * GB) * 6 + CUDA_GB for part in (1, 3, 3, 1)]
    assert sum(parts_gb) == pytest.approx(6)
    assert parts_gb[2] == pytest.approx(3 * 6 / 8)


def test_a_share_that_cuda_itself_takes_leaves_pytorch_nothing(settings):
    shares = shares_of(settings)
    assert memory_fraction(1, shares, 2 * GB) == 0
    only = shares_of(load_settings({"MARENGOCAM_DATA_DIR": "/x", "MARENGOCAM_VRAM_DETECTOR_GB": "1000"}))
    assert memory_fraction(only.detector_gb, only, 8 * GB) <= 1


def test_the_limit_is_set_before_the_first_model_is_loaded(settings, monkeypatch, tmp_path):
    """There is no GPU here: torch and ultralytics are stood in for, in the order they are called."""
    from marengocam.vision.detectors.ultralytics import UltralyticsDetector  # noqa: PLC0415 - after the stand-ins

    calls = []
    torch = ModuleType("torch")
    torch.float16 = "half"
    torch.cuda = SimpleNamespace(
        is_available=lambda: True,
        get_device_properties=lambda device: SimpleNamespace(total_memory=12 * GB, name=f"card {device}"),
        set_per_process_memory_fraction=lambda fraction, device: calls.append(("limit", fraction, device)),
    )
    yolo = ModuleType("ultralytics")
    yolo.YOLO = lambda file, task: calls.append(("model", task)) or SimpleNamespace(model=MagicMock())
    for module in (torch, yolo):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    UltralyticsDetector(tmp_path / "yolo.pt", "yolo", shares_of(settings))
    assert calls == [("limit", pytest.approx((3 - CUDA_GB) / 12), 0), ("model", "detect")]


def test_a_card_on_which_cuda_does_not_start_is_told_and_stops_nothing(settings, monkeypatch, tmp_path):
    """A card that other programs have filled says so by an error of torch's own."""
    from marengocam.vision.detectors.ultralytics import UltralyticsDetector  # noqa: PLC0415 - after the stand-ins

    def full(device):
        raise RuntimeError("CUDA out of memory")

    torch = ModuleType("torch")
    torch.cuda = SimpleNamespace(is_available=lambda: True, get_device_properties=full)
    yolo = ModuleType("ultralytics")
    yolo.YOLO = None
    for module in (torch, yolo):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    with pytest.raises(ModelError, match="CUDA out of memory"):
        UltralyticsDetector(tmp_path / "yolo.pt", "yolo", shares_of(settings))
