"""A data folder with a short path: sockets have few characters to spend."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest

from marengocam.demo.backend import PORT_OPTIONS
from tests.support.ports import free_port


@pytest.fixture
def short_data_folder():
    """Lend it; a backend that is started on it gets ports of its own, whoever else runs one on this machine."""
    folder = Path(tempfile.mkdtemp(prefix="mc-"))
    (folder / "ports.json").write_text(json.dumps({name: free_port() for name in PORT_OPTIONS}))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
