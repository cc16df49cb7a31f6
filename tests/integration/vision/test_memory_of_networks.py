"""A network that was compiled here takes no more memory than one that was found compiled, and its file takes none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.shared_assets import needed_folder

LIMIT_S = 60
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
from marengocam.vision.openvino_net import CACHE_FOLDER, OpenVinoNet
shape = (1, 3, 96, 160)
net = OpenVinoNet(Path(sys.argv[1]), shape, Path(sys.argv[2]))
answer = net.infer(np.full(shape, 0.5, np.float32))
resident_kb, ours = 0, False
for line in Path("/proc/self/smaps").read_text().splitlines():
    first = line.split(maxsplit=1)[0]
    if not first.endswith(":"):
        ours = CACHE_FOLDER in line
    elif ours and first == "Rss:":
        resident_kb += int(line.split()[1])
from_cache = bool(net._compiled.get_property("LOADED_FROM_CACHE"))
print(json.dumps({"from_cache": from_cache, "resident_kb": resident_kb, "sum": float(answer.sum(dtype=np.float64))}))
"""


@pytest.mark.timeout(2 * LIMIT_S)
@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="Linux only")
def test_the_first_start_leaves_as_little_in_memory_as_later_ones_and_answers_the_same(tmp_path: Path) -> None:
    model = needed_folder("models") / "yolo11n_reconstructed.onnx"

    def start() -> dict[str, float]:
        command = [sys.executable, "-c", PROGRAM, str(model), str(tmp_path)]
        return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=LIMIT_S).stdout)

    first, second = start(), start()
    assert first["from_cache"], "compiled anew it keeps the file's weights and what making it left"
    assert first == second | {"resident_kb": first["resident_kb"]}
    compiled_kb = sum(file.stat().st_size for file in tmp_path.rglob("*.blob")) // 1024
    assert compiled_kb > 5000
    assert max(first["resident_kb"], second["resident_kb"]) < compiled_kb / 4
