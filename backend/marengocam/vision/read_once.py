"""Giving back what a library read once from a file that it keeps mapped."""

import contextlib
import ctypes
import os
from pathlib import Path

MAPS = Path("/proc/self/maps")
_DONTNEED = 4  # MADV_DONTNEED in Linux's mman-common.h
_SIX_FIELDS = 5  # splits: the path comes last and may hold spaces


def let_go_of(folder: Path) -> None:
    """Hand back the memory of files in `folder` that are mapped for reading; what is used again is read again.

    OpenVINO maps a compiled network, copies its weights into the order that the processor likes best, and keeps the
    file mapped.
    """
    if not MAPS.is_file():  # not Linux
        return
    for line in MAPS.read_text(errors="surrogateescape").splitlines():
        fields = line.split(maxsplit=_SIX_FIELDS)
        if len(fields) <= _SIX_FIELDS or "w" in fields[1] or not Path(fields[5]).is_relative_to(folder):
            continue
        first, end = (int(place, 16) for place in fields[0].split("-"))
        ctypes.CDLL(None).madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), _DONTNEED)
        with contextlib.suppress(OSError):
            _leave_the_cache(fields[5])


def _leave_the_cache(file: str) -> None:
    """Have the system keep nothing of a file that nobody maps, of which it knows no better than that it was read."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)
