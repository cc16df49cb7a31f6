"""The demo command itself, as a new user runs it: cameras to Home Assistant."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUN_LIMIT_S = 420  # set-up of Home Assistant's environment included
SHARED_VARIABLES = ("MARENGOCAM_MODELS", "MARENGOCAM_MODELS_DIR", "MARENGOCAM_FOOTAGE", "MARENGOCAM_FACES")


def _run_demo(data: Path, environment: dict[str, str]) -> dict:
    data.chmod(0o755)
    report = data / "report.json"
    finished = subprocess.run(
        [ROOT / "script/demo", "--once", "--json", report, "--data", data],
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT_S,
        check=False,
    )
    assert finished.returncode == 0, f"{finished.stdout[-4000:]}\n{finished.stderr[-4000:]}"
    return json.loads(report.read_text())


def _check(report: dict) -> None:
    assert report["home_assistant"]["events"]["marengocam_person_confirmed"] >= 1
    assert report["home_assistant"]["automation_runs"] >= 1
    assert report["confirmed_persons"]
    assert len(report["cameras"]) >= 2
    for camera in report["recordings"].values():
        assert camera["chunks"] >= 1
        assert camera["decoded"] == camera["chunks"]


@pytest.mark.timeout(RUN_LIMIT_S + 30)
def test_without_any_download_composed_scenes_reach_home_assistant(short_data_folder):
    environment = {name: value for name, value in os.environ.items() if name not in SHARED_VARIABLES}
    # Empty, not absent: the scripts would find ../shared by themselves.
    environment |= dict.fromkeys(SHARED_VARIABLES, "") | {"MARENGOCAM_DOWNLOAD_MODELS": "false"}
    report = _run_demo(short_data_folder, environment)
    _check(report)
    assert report["world"] == "composed scenes"
    assert "hog" in report["models"]["detector"]


@pytest.mark.timeout(RUN_LIMIT_S + 30)
@pytest.mark.skipif(not os.environ.get("MARENGOCAM_FOOTAGE"), reason="needs real clips: MARENGOCAM_FOOTAGE")
def test_real_clips_reach_home_assistant_by_face(short_data_folder):
    report = _run_demo(short_data_folder, dict(os.environ))
    _check(report)
    assert report["world"] == "real clips"
    assert "Alice" in report["enrolled"]
