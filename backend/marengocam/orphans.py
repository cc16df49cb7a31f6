"""No process of ours outlives the one that started it, however that one ends."""

import ctypes
import signal

PR_SET_PDEATHSIG = 1  # of prctl(2)


def end_with_parent(by: signal.Signals) -> None:
    """Have the kernel send this process a signal once the thread that started it is gone.

    One system call, so that a child may do it between fork and exec.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, by)
