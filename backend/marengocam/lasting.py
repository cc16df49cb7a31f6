"""What a power cut must not take: files and folders that are there for good."""

import os
from pathlib import Path


def settle(partial: Path, whole: Path) -> None:
    """Give a written file its name, so that a power cut leaves all of it or nothing: bytes, then name, then folder."""
    fsync(partial)
    partial.replace(whole)
    fsync(whole.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it so that a power cut does not take them with what was put in since."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in reversed(missing):
        fsync(one.parent)


def fsync(path: Path) -> None:
    """Have a file's bytes, or a folder's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
