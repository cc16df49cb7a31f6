"""OpenVINO tells nobody that it was started, and forks no copy of the process that loads it."""

import subprocess
import sys
from pathlib import Path

LOAD = """
import os, sys
from pathlib import Path
forked = []
os.register_at_fork(before=lambda: forked.append(1))
from marengocam.vision.openvino_net import OpenVinoNet
try:
    OpenVinoNet(Path(sys.argv[1]), None, Path(sys.argv[1]).parent)
except Exception:  # there is no such file; openvino is loaded before it is missed
    pass
assert "openvino" in sys.modules
sys.exit(len(forked) or sys.modules.get("openvino_telemetry") is not None)
"""


def test_loading_openvino_forks_nothing_and_loads_no_telemetry(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOAD, str(tmp_path / "none.xml")], check=False, timeout=60)
    assert done.returncode == 0
