"""A start of ingest loads nothing of what only other services need: cameras are not recorded until it is through."""

import subprocess
import sys

STRANGERS = ("jinja2", "markupsafe", "scipy", "openvino", "onnxruntime", "torch", "ultralytics", "wsdiscovery", "zeep")


def test_it_loads_nothing_of_others() -> None:
    told = "import marengocam.cli.main, marengocam.ingest.service, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.split()
    assert "marengocam.ingest.service" in loaded
    assert [name for name in loaded if name.partition(".")[0] in STRANGERS] == []
