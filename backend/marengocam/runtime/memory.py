"""How much memory the C library keeps for itself, and what the collector need not look at."""

import contextlib
import ctypes
import gc
from collections.abc import Iterator

MAX_ARENAS = 2  # glibc makes up to 8 per processor core; a service with a few threads a camera fills them all
_M_ARENA_MAX = -8  # malloc.h


def keep_few_arenas() -> None:
    """Have all threads share a few heaps. Call it before threads start; other C libraries than glibc are left alone."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, MAX_ARENAS)


def give_back() -> None:
    """Hand freed memory back to the system, as after models were loaded."""
    with contextlib.suppress(AttributeError):  # not glibc
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Have the collector wait for the end of a block whose many small values nearly all go by themselves with it.

    Within, it would look at tens of thousands of them, all in use: 5 to 14 ms each time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def spare_what_stays() -> None:
    """Leave what is loaded by now, modules above all, out of every later collection: each held the event loop."""
    gc.collect()
    gc.freeze()
