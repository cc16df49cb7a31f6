"""Client programs that others published for face services, as they can be installed."""

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).resolve().parents[2] / "script/setup-clients"


@pytest.fixture(scope="session")
def published_clients() -> None:
    """Let them be imported, or skip where they cannot be had; what is ours comes before what they bring."""
    told = subprocess.run([SETUP], capture_output=True, text=True, check=False)
    if told.returncode:
        pytest.skip(f"published clients are not to be had here: {told.stderr[-300:]}")
    folder = told.stdout.strip()
    if folder not in sys.path:
        sys.path.append(folder)
