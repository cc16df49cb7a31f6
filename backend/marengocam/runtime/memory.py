"""How much memory the C library keeps for itself, and what the collector need not look at."""

import contextlib
import ctypes
import gc

MAX_ARENAS = 2  # glibc makes up to 8 per processor core; a service with a few threads a camera fills them all
COLLECT_AFTER_OBJECTS = 20_000  # Python's own 700 are soon made by decisions
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


def collect_rarely() -> None:
    """Have the collector look after so many more objects: work on many small values, none of them large, waits less."""
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *gc.get_threshold()[1:])


def spare_what_stays() -> None:
    """Leave what is loaded by now, modules above all, out of every later collection: each held the event loop."""
    gc.collect()
    gc.freeze()
