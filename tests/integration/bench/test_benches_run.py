"""Each bench in its shortest mode: it runs to its end and tells figures, machine, commit and targets."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LIMIT_S = 170  # on a machine that is busy with other things as well
SHORTEST = {
    "decode": ["--seconds", "1", "--rounds", "1"],
    "motion": ["--seconds", "4", "--rounds", "1"],
    "track": ["--seconds", "2", "--rounds", "1"],
    "record": ["--seconds", "2", "--rounds", "1", "--streams", "1"],
    "ingest": ["--seconds", "1", "--rounds", "1"],
    "latency": ["--seconds", "2"],
    "kill": ["--rounds", "1"],
    "detect": ["--frames", "1", "--rounds", "1"],
    "replay": ["--seconds", "3", "--repeats", "2", "--rounds", "0", "--workers"],
    "town": ["--people", "3", "--journeys", "1", "--hours", "0.5"],
    "names": [],
    "announce": ["--seconds", "1"],
    "bus": ["--events", "3", "--slow", "1"],
    "resolver": ["--sizes", "300", "--tracks", "30", "--resolvers", "2"],
}


@pytest.mark.timeout(LIMIT_S + 10)
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="benches compare with ffmpeg, which is not here")
@pytest.mark.parametrize("name", list(SHORTEST))
def test_a_bench_tells_figures_machine_commit_and_targets(name: str, tmp_path: Path) -> None:
    told = tmp_path / "figures.json"
    command = [sys.executable, "-m", f"tests.bench.bench_{name}", "--json", str(told), *SHORTEST[name]]
    # Without footage and models: what a checkout alone can do.
    environment = os.environ | {"MARENGOCAM_FOOTAGE": "", "MARENGOCAM_MODELS": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(told.read_text())
    assert set(report) == {"bench", "at", "commit", "machine", "figures", "targets", "notes"}
    assert report["machine"]["cores"] >= 1
    assert report["figures"]
    assert {"id", "text", "measured", "limit", "passed"} == set(report["targets"][0])
    assert all(target["passed"] in {True, False, None} for target in report["targets"])
