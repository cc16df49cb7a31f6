"""The detector's part of a GPU's memory."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from marengocam.settings import Settings, load_settings
from marengocam.vision.vram import GB, memory_fraction, shares_of


@pytest.fixture
def settings(tmp_path) -> Settings:
    return load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path)})


def test_the_detector_has_3_of_8_gb(settings):
    shares = shares_of(settings)
    assert (shares.system_gb, shares.face_gb, shares.detector_gb, shares.buffer_gb) == (1, 3, 3, 1)
    assert memory_fraction(shares.detector_gb, shares, 8 * GB) == pytest.approx(3 / 8)


def test_a_larger_card_keeps_the_share_and_a_smaller_one_divides_alike(settings):
    shares = shares_of(settings)
    assert memory_fraction(3, shares, 24 * GB) == pytest.approx(3 / 24)
    parts = [memory_fraction(part, shares, 4 * GB) for part in (1, 3, 3, 1)]
    assert sum(parts) == pytest.approx(1)
    assert parts[2] == pytest.approx(3 / 8)
    only = shares_of(load_settings({"MARENGOCAM_DATA_DIR": "/x", "MARENGOCAM_VRAM_DETECTOR_GB": "7.5"}))
    assert memory_fraction(only.detector_gb, only, 1) <= 1


def test_the_limit_is_set_before_the_first_model_is_loaded(settings, monkeypatch, tmp_path):
    """There is no GPU here: torch and ultralytics are stood in for, in the order they are called."""
    from marengocam.vision.detectors.ultralytics import UltralyticsDetector  # noqa: PLC0415 - after the stand-ins

    calls = []
    torch = ModuleType("torch")
    torch.cuda = SimpleNamespace(
        is_available=lambda: True,
        get_device_properties=lambda device: SimpleNamespace(total_memory=12 * GB, name=f"card {device}"),
        set_per_process_memory_fraction=lambda fraction, device: calls.append(("limit", fraction, device)),
    )
    yolo = ModuleType("ultralytics")
    yolo.YOLO = lambda file, task: calls.append(("model", task))
    configuration = ModuleType("ultralytics.cfg")
    configuration.DEFAULT_CFG_DICT = {}
    for module in (torch, yolo, configuration):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    UltralyticsDetector(tmp_path / "yolo.pt", "yolo", shares_of(settings))
    assert calls == [("limit", 3 / 12, 0), ("model", "detect")]
