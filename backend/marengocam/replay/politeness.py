"""A replay's process gives way to everything else: last in line for processors and disk, one thread for each sum."""

import ctypes
import os
import platform

NICENESS = 19
# Single-threaded sums have one order, and leave the other processors to live cameras. Set before numpy is loaded.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "armv7l": 314}
_WHO_PROCESS = 1
_IDLE_CLASS = 3 << 13


def be_polite() -> None:
    """Put this process last in line."""
    os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:  # where it is refused, the disk's own fairness must do
        ctypes.CDLL(None, use_errno=True).syscall(number, _WHO_PROCESS, 0, _IDLE_CLASS)
