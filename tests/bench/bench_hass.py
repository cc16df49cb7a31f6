"""The integration with 64 cameras and 200 persons: set-up, memory, writes, latency, recorder rows, what is left."""

import json
import os
import subprocess
import sys

from tests.bench.measuring import ROOT, arguments_of, at_most, tell

RUN_LIMIT_S = 900.0
PYTHON = "MARENGOCAM_HASS_PYTHON"


def main() -> int:
    """Measure in Home Assistant's own Python and tell."""
    arguments = arguments_of(__doc__, reloads=100).parse_args()
    done = subprocess.run(
        [os.environ[PYTHON], ROOT / "tests" / "hass" / "large_home.py", str(arguments.reloads)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=RUN_LIMIT_S,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'tests' / 'hass'}{os.pathsep}{ROOT}"},
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    targets = [
        at_most("H1", "CPU of setting up 64 cameras and 200 persons, s", figures["set_up_cpu_s"], 2.0),
        at_most("H2", "state writes in 20 s of hints without news", figures["quiet_writes"], 0),
        at_most("H3", "event from the backend's socket to the bus, p99 ms", figures["event_p99_ms"], 100.0),
        at_most("H4", "event from before its write to the bus, p99 ms", figures["backend_to_bus_p99_ms"], 200.0),
        at_most("H5", "objects left behind a reload", figures["objects_left_a_reload"], 5.0),
        at_most("H6", "objects left behind when an entry is added and removed", figures["objects_left_a_removal"], 5.0),
        at_most("H7", "recorder rows a day, 20 passages a camera", figures["recorder_rows_a_day"], 100_000.0),
    ]
    tell("hass", arguments.json, figures, targets, [])
    return 0


if __name__ == "__main__":
    sys.exit(main())
