"""The detector of the extra [gpu], where torch and ultralytics are installed."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.support.shared_assets import needed_folder

from marengocam.settings import Settings
from marengocam.vision.detectors import load_detector
from marengocam.vision.models import Models, Role

pytestmark = [
    pytest.mark.skipif(
        find_spec("torch") is None or find_spec("ultralytics") is None, reason="needs the extra: marengocam[gpu]"
    ),
    # Their own: torch and ultralytics warn about each other.
    pytest.mark.filterwarnings("default"),
]


def bus() -> np.ndarray:
    import ultralytics  # noqa: PLC0415 - only where it is installed

    picture = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def settings_for(place: Path, detector: str) -> Settings:
    return Settings(
        data_dir=place,
        media_dir=place,
        models_dir=needed_folder("models"),
        download_models=False,
        detector=detector,
    )


def test_it_finds_what_openvino_finds_also_when_cameras_ask_at_once(tmp_path: Path) -> None:
    picture = bus()
    found = {}
    for name in ("ultralytics", "openvino"):
        settings = settings_for(tmp_path, name)
        detector = load_detector(settings, Models(settings))
        assert name in detector.name
        with ThreadPoolExecutor(4) as cameras:
            answers = list(cameras.map(lambda _: detector.detect([picture], 0.5)[0], range(8)))  # noqa: B023 - used at once
        assert all(answer == answers[0] for answer in answers)
        found[name] = sorted((one.label, *(round(value, 1) for value in one.box.centre)) for one in answers[0])
    assert found["ultralytics"] == found["openvino"]
    assert [label for label, *_ in found["openvino"]].count("person") == 4


def test_a_picture_has_its_own_objects_whatever_it_is_looked_at_beside(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "ultralytics")
    detector = load_detector(settings, Models(settings))
    whole = bus()
    pictures = [whole, whole[:, :400], whole, cv2.resize(whole, (480, 640)), whole[:, 300:700], whole, whole[::-1]]
    alone = [detector.detect([picture], 0.4)[0] for picture in pictures]
    assert sum(map(len, alone)) > 15
    for mine, single in zip(detector.detect(pictures, 0.4), alone, strict=True):
        assert [one.label for one in mine] == [one.label for one in single]
        assert all(one.box.iou(other.box) > 0.99 for one, other in zip(mine, single, strict=True))
    assert detector.detect([], 0.4) == []


@pytest.mark.timeout(150)
def test_what_is_exported_is_found_as_detector_without_torch(tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "yolo11n_reconstructed.pt").symlink_to(needed_folder("models") / "yolo11n_reconstructed.pt")
    settings = Settings(data_dir=tmp_path / "data", media_dir=tmp_path, models_dir=weights, download_models=False)
    assert Models(settings).best(Role.DETECTOR) is None
    subprocess.run(
        [sys.executable, "-m", "marengocam.cli", "models", "export", "yolo11n-rebuilt", "--format", "openvino"],
        env=os.environ
        | {
            "MARENGOCAM_DATA_DIR": str(settings.data_dir),
            "MARENGOCAM_MEDIA_DIR": str(tmp_path),
            "MARENGOCAM_MODELS_DIR": str(weights),
        },
        check=True,
        timeout=120,
    )
    spec, file = Models(settings).best(Role.DETECTOR)
    assert (spec.name, file.suffix) == ("yolo11n-rebuilt-exported", ".xml")
    made = load_detector(replace(settings, detector="openvino"), Models(settings))
    known = settings_for(tmp_path, "openvino")
    for picture in (bus(), bus()[:, :400]):
        mine, theirs = (one.detect([picture], 0.5)[0] for one in (made, load_detector(known, Models(known))))
        assert [one.label for one in mine] == [one.label for one in theirs]
        assert all(one.box.iou(other.box) > 0.9 for one, other in zip(mine, theirs, strict=True))
