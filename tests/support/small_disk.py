"""A small disk of its own, to be filled, made read-only or taken away; needs root."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

MEGABYTE = 1 << 20


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int, files: int = 0) -> Iterator[Path]:
    """Mount a disk of this size in RAM while the block runs; the test is skipped where that cannot be done.

    With `files` it takes only so many files and folders, however large it is.
    """
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    options = f"size={megabytes}m,nr_inodes={files},mode=0777"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Fill a disk with a file of something else; return it."""
    file = folder / "something_else"
    with file.open("wb", buffering=0) as writing, contextlib.suppress(OSError):
        while True:
            seen = os.statvfs(folder)
            room = seen.f_bavail * seen.f_frsize - leave_bytes
            if room <= 0:
                break
            writing.write(bytes(min(room, MEGABYTE)))
    return file


def fill_with_files(folder: Path, leave: int = 0) -> Path:
    """Fill a disk with empty files until only so many more find room; return their folder."""
    others = folder / "other_things"
    with contextlib.suppress(OSError):
        others.mkdir()
        for number in range(max(os.statvfs(folder).f_favail - leave, 0)):
            (others / str(number)).touch()
    return others


def remount(folder: Path, how: str) -> None:
    """Make a disk read-only (`ro`) or writable again (`rw`); needs no open writers for `ro`."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)
