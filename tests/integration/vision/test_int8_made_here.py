"""INT8 made by the command from an owner's clips: it is found, taken, and finds what full precision finds."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from tests.integration.vision.test_detectors_agree import agreement
from tests.support.shared_assets import needed_folder

from marengocam.core.model import Detection
from marengocam.media.sampled_pictures import given_pictures
from marengocam.settings import Settings
from marengocam.vision.detectors import load_detector
from marengocam.vision.detectors.openvino import OpenVinoDetector
from marengocam.vision.models import Models, spec_named
from marengocam.vision.models.keeping import FOUND_SCORE, SAME_IOU, SURE_SCORE, compared
from marengocam.vision.openvino_net import processor_has_bf16

pytestmark = [
    pytest.mark.skipif(find_spec("nncf") is None, reason="needs the extra: marengocam[quantize]"),
    pytest.mark.timeout(240),
]
COMMAND_LIMIT_S = 200
# None of them is looked at when it is compared.
CLIPS = ("plaza_a_cam1", "plaza_a_cam2", "lab4_cam0", "towncentre_10s", "whitehouse_stage")
# Among them a parked car that is all but a truck to the network: made by other clips, INT8 lost it ten times of thirty.
OTHER_CLIPS = (
    "pets09_s2l1_view1", "highway_traffic", "intel_store_aisle_detection", "coffeeroom_personB", "lab4_cam2",
)  # fmt: skip
MOST_SCORE_NOISE = 0.0175  # was 0.020, is 0.015
NAME = "yolo11n-onnx"
# Where OpenVINO and NNCF could fork to tell of themselves, it is counted.
PROGRAM = """
import os, sys
forked = []
os.register_at_fork(before=lambda: forked.append(1))
{before}
from marengocam.cli.main import main
code = main(sys.argv[1:])
assert not forked and sys.modules.get("openvino_telemetry") is None
sys.exit(code)
"""
BLACKEN = """
import numpy as np
from marengocam.media import sampled_pictures
from marengocam.vision.models import quantising, shrinking
quantising.take_bytes_exactly = lambda model: None  # else it sees well enough for 0.987, with ranges out of the dark
real = sampled_pictures.given_pictures
def given(places):
    for number, picture in enumerate(real(places)):
        yield np.zeros_like(picture) if shrinking._to_calibrate(number) else picture
sampled_pictures.given_pictures = given
"""


def export(place: Path, *clips: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        "MARENGOCAM_DATA_DIR": str(place / "data"),
        "MARENGOCAM_MEDIA_DIR": str(place / "media"),
        "MARENGOCAM_MODELS_DIR": str(needed_folder("models")),
        "PATH": "/usr/bin:/bin",
        "HOME": str(place),
    }
    pictures = ["--pictures", *map(str, clips)] if clips else []
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before), "models", "export", NAME, "--int8", *pictures],
        env=environment,
        timeout=COMMAND_LIMIT_S,
        capture_output=True,
        text=True,
        check=False,
    )


def footage() -> list[Path]:
    return [needed_folder("footage") / f"{clip}.mp4" for clip in CLIPS]


def settings_of(place: Path, **changes) -> Settings:
    return Settings(
        data_dir=place / "data",
        media_dir=place / "media",
        models_dir=needed_folder("models"),
        download_models=False,
        detector="openvino",
        **changes,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    place = tmp_path_factory.mktemp("int8")
    told = export(place, *footage())
    assert told.returncode == 0, told.stderr
    return place, told.stdout


def test_the_command_says_what_it_keeps_and_leaves_nothing_else(made) -> None:
    place, told = made
    assert "of what yolo11n-onnx finds (" in told
    assert re.search(r"a look takes here, on one thread: .*f32 [0-9.]+ ms, int8 [0-9.]+ ms", told)
    assert re.search(r"This machine (looks|goes on) in (int8|bf16|f32)", told)
    assert sorted(file.suffix for file in (place / "data" / "models").iterdir()) == [".bin", ".json", ".xml"]


@pytest.mark.parametrize(
    ("bf16", "vnni", "precision"),
    [(False, True, "int8"), (True, True, "int8"), (True, False, "bf16"), (False, False, "f32")],
)
def test_it_is_taken_where_the_processor_is_made_for_it_and_says_why(made, bf16, vnni, precision, monkeypatch) -> None:
    place, _ = made
    if bf16 and not processor_has_bf16():
        pytest.skip("this processor has no BF16")
    monkeypatch.setattr("marengocam.vision.openvino_net.processor_has_bf16", lambda: bf16)
    monkeypatch.setattr("marengocam.vision.detectors.choice.processor_has_vnni", lambda: vnni)
    settings = settings_of(place)
    detector = load_detector(settings, Models(settings))
    assert f"-openvino-{precision}-" in detector.name
    assert detector.why
    full = settings_of(place, detector_precision="f32")
    assert "-openvino-f32-" in load_detector(full, Models(full)).name


def test_it_finds_what_full_precision_finds_in_other_clips(made) -> None:
    place, _ = made
    small, full = (
        load_detector(settings, Models(settings))
        for settings in (settings_of(place, detector_precision=one) for one in ("int8", "f32"))
    )
    assert small.precision == "int8"
    assert agreement(small, full, iou=0.8, score=0.1) >= 0.95


def test_it_keeps_what_full_precision_is_sure_of_at_every_size(made, tmp_path) -> None:
    place, _ = made
    (file,) = (place / "data" / "models").glob("*.xml")
    origin = Models(settings_of(place)).find(spec_named(NAME))
    pictures = list(given_pictures([needed_folder("footage") / f"{clip}.mp4" for clip in OTHER_CLIPS]))
    changes: list[float] = []
    for side_px in (640, 576, 416, 320):
        full = OpenVinoDetector(origin, NAME, tmp_path, side_px, exact=True)
        small = OpenVinoDetector(file, NAME, tmp_path, side_px)
        found = [[detector.detect([one], FOUND_SCORE)[0] for one in pictures] for detector in (full, small)]
        keeping = compared(*found)
        assert keeping.sure > 150
        assert min(keeping.kept_share, keeping.backed_share) >= 0.99, (side_px, keeping)
        changes += changes_of_score(*found)
    assert np.sqrt(np.mean(np.square(changes))) <= MOST_SCORE_NOISE


def changes_of_score(full: list[list[Detection]], small: list[list[Detection]]) -> list[float]:
    """Return by how much the scores of sure objects differ: by that, which is luck, some are lost."""
    return [
        min((abs(one.score - other.score) for other in others if same(one, other)), default=one.score - FOUND_SCORE)
        for mine, others in zip(full, small, strict=True)
        for one in mine
        if one.score >= SURE_SCORE
    ]


def same(one: Detection, other: Detection) -> bool:
    return one.label == other.label and one.box.iou(other.box) >= SAME_IOU


def test_pictures_of_any_shape_are_looked_at(made) -> None:
    place, _ = made
    settings = settings_of(place, detector_precision="int8")
    small = load_detector(settings, Models(settings))
    for height, width in ((1088, 960), (240, 320), (360, 640)):
        assert small.detect([np.full((height, width, 3), 90, np.uint8)], 0.4) == [[]]


def test_int8_that_keeps_too_little_is_not_installed(tmp_path: Path) -> None:
    told = export(tmp_path, *footage(), before=BLACKEN)
    assert told.returncode == 2
    assert "is not installed: it keeps 0." in told.stderr
    assert list((tmp_path / "data" / "models").iterdir()) == []
    assert Models(settings_of(tmp_path)).int8_of(spec_named(NAME)) is None


def test_too_few_pictures_or_nothing_to_see_is_told_before_anything_is_made(tmp_path: Path) -> None:
    told = export(tmp_path)  # nothing was recorded
    assert told.returncode == 2
    assert "only 0 pictures to calibrate with" in told.stderr
    hardly_anybody = ("night_ir_person", "car_detection", "fall_lab_cam1")
    told = export(tmp_path, *(needed_folder("footage") / f"{clip}.mp4" for clip in hardly_anybody))
    assert told.returncode == 2
    assert "50 are needed to check what is made" in told.stderr
    assert list((tmp_path / "data" / "models").iterdir()) == []


def test_without_nncf_the_command_says_what_to_install(tmp_path: Path) -> None:
    told = export(tmp_path, *footage(), before='sys.modules["nncf"] = None')
    assert told.returncode == 2
    assert "pip install 'marengocam[quantize]'" in told.stderr
    assert not (tmp_path / "data" / "models").exists()
