"""Where tests find footage, faces and model weights; without them they test with less."""

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[3] / "shared"


def shared_folder(name: str) -> Path | None:
    """Return the folder `models`, `footage` or `faces`: from the environment, else beside the checkout, else None."""
    told = os.environ.get(f"MARENGOCAM_{name.upper()}")
    if told is not None:
        return Path(told) if told and Path(told).is_dir() else None
    folder = BESIDE / name
    return folder if folder.is_dir() else None


def needed_folder(name: str) -> Path:
    """Return such a folder, or skip the test that needs it."""
    folder = shared_folder(name)
    if folder is None:
        pytest.skip(f"set MARENGOCAM_{name.upper()} to a folder of {name} to run this")
    return folder
