"""Folders: one for data with a short path, as sockets have few characters to spend; one for clips that tests share."""

import json
import shutil
import tempfile
from pathlib import Path

import pytest

from marengocam.demo.backend import PORT_OPTIONS
from tests.support.ports import free_port


@pytest.fixture(scope="session")
def composed_clips(tmp_path_factory):
    """Lend the folder in which the composed world is rendered, once for all tests."""
    return tmp_path_factory.mktemp("composed")


@pytest.fixture
def short_data_folder():
    """Lend it; a backend that is started on it gets ports of its own, whoever else runs one on this machine."""
    folder = Path(tempfile.mkdtemp(prefix="mc-"))
    (folder / "ports.json").write_text(json.dumps({name: free_port() for name in PORT_OPTIONS}))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
