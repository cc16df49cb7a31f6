"""A data folder with a short path: sockets have few characters to spend."""

import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def short_data_folder():
    folder = Path(tempfile.mkdtemp(prefix="mc-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
