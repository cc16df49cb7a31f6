"""The detector of the extra [gpu], where torch and ultralytics are installed."""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import cv2
import pytest
from tests.support.shared_assets import needed_folder

from marengocam.settings import Settings
from marengocam.vision.detectors import load_detector
from marengocam.vision.models import Models

pytestmark = [
    pytest.mark.skipif(
        find_spec("torch") is None or find_spec("ultralytics") is None, reason="needs the extra: marengocam[gpu]"
    ),
    # Their own: torch and ultralytics warn about each other.
    pytest.mark.filterwarnings("default"),
]


def test_it_finds_what_openvino_finds_also_when_cameras_ask_at_once(tmp_path: Path) -> None:
    import ultralytics  # noqa: PLC0415 - only where it is installed

    bus = cv2.imread(str(Path(ultralytics.__file__).parent / "assets" / "bus.jpg"))
    picture = cv2.cvtColor(bus, cv2.COLOR_BGR2RGB)
    found = {}
    for name in ("ultralytics", "openvino"):
        settings = Settings(
            data_dir=tmp_path,
            media_dir=tmp_path,
            models_dir=needed_folder("models"),
            download_models=False,
            detector=name,
        )
        detector = load_detector(settings, Models(settings))
        assert name in detector.name
        with ThreadPoolExecutor(4) as cameras:
            answers = list(cameras.map(lambda _: detector.detect([picture], 0.5)[0], range(8)))  # noqa: B023 - used at once
        assert all(answer == answers[0] for answer in answers)
        found[name] = sorted((one.label, *(round(value, 1) for value in one.box.centre)) for one in answers[0])
    assert found["ultralytics"] == found["openvino"]
    assert [label for label, *_ in found["openvino"]].count("person") == 4
