"""The first pictures of many cameras come at once: nobody waits for ever."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.shared_assets import needed_folder

ATTEMPTS = 6  # without the remedy half of them hang
ATTEMPT_LIMIT_S = 30
# In a process of its own: the lock is made once in a process. Threads change as often as they can.
PROGRAM = """
import sys, threading
from pathlib import Path
import numpy as np
from marengocam.vision.openvino_net import OpenVinoNet
sys.setswitchinterval(1e-6)
shape = (1, 3, 96, 160)
net = OpenVinoNet(Path(sys.argv[1]), shape, Path(sys.argv[2]))
together = threading.Barrier(8)
def look():
    together.wait()
    net.infer(np.zeros(shape, np.float32))
threads = [threading.Thread(target=look) for _ in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
"""


@pytest.mark.timeout(ATTEMPTS * ATTEMPT_LIMIT_S)
def test_eight_threads_that_look_for_the_first_time_at_once_all_get_an_answer(tmp_path: Path) -> None:
    model = needed_folder("models") / "yolo11n_reconstructed.onnx"
    for _ in range(ATTEMPTS):
        told = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(model), str(tmp_path)],
            timeout=ATTEMPT_LIMIT_S,
            check=False,
            capture_output=True,
            text=True,
        )
        assert told.returncode == 0, told.stderr
