"""How long a read may wait, at no cost while pictures come: one thread ends the reads that wait too long.

While a limit of PyAV's own holds, FFmpeg asks at each of its polls whether it is over, a thousand times a second and
camera, and to answer PyAV takes the interpreter's lock. So live streams are read without one, which PyAV answers at
once, and a read that has waited too long gets one that is over: FFmpeg's next poll, 0.1 s later at most, ends it as it
would have ended at PyAV's own. PyAV has no call that gives a limit to a read that is under way, so it is written where
PyAV keeps it; where that is, is found out by looking for limits that were given. Not found: PyAV's own limit must do.
"""

import ctypes
import functools
import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av

from marengocam.core.clock import Clock

DOUBLE_BYTES = 8
OVER_S = 0.0
UNLIKELY_S = (86_413.062_5, 97_327.281_25)  # nothing else in a container looks like both
SOME_SOUND = bytes(4096)  # what any FFmpeg can read without a file


class Waiting:
    """One reader's waiting for its next picture, or, until there was one, for anything."""

    def __init__(self, container: Any, limit_s: float, clock: Clock) -> None:
        self._container = container
        self._limit_s = limit_s
        self._clock = clock
        self._begun = False
        self._since_s = self._came_s = clock.monotonic_s()
        self._limited_since_s: float | None = self._since_s  # None: not while it is at work on what it has

    def came(self) -> float:
        """Say that something came, on which there is work to do now; return when."""
        self._came_s, self._limited_since_s = self._clock.monotonic_s(), None
        return self._came_s

    @property
    def was_too_long(self) -> bool:
        """Whether it had waited for too long when something came."""
        return self._came_s - self._since_s >= self._limit_s

    def goes_on(self, *, picture: bool) -> None:
        """Say that the work on what came is done; if that was no picture, it still waits for one."""
        now_s = self._clock.monotonic_s()
        self._begun = self._begun or picture
        self._since_s = self._since_s + now_s - self._came_s if self._begun and not picture else now_s
        self._limited_since_s = self._since_s

    def enforce(self) -> float:
        """End the read if it has waited too long; return after how many seconds to look again at the earliest."""
        since_s = self._limited_since_s
        left_s = self._limit_s if since_s is None else since_s + self._limit_s - self._clock.monotonic_s()
        if left_s > 0:
            return left_s
        place = place_of_limit()
        if place is not None and self._container.read_timeout is None:
            ctypes.c_double.from_address(id(self._container) + place).value = OVER_S
        return self._limit_s


class _Watch:
    """The thread that looks at all who wait: it sleeps until one of them can be over, for good when there is none."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._all: set[Waiting] = set()
        self._thread: threading.Thread | None = None

    def add(self, waiting: Waiting) -> None:
        with self._changed:
            self._all.add(waiting)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="limit of reads", daemon=True)
                self._thread.start()
            self._changed.notify()

    def remove(self, waiting: Waiting) -> None:
        with self._changed:
            self._all.discard(waiting)

    def _run(self) -> None:
        with self._changed:
            while True:
                self._changed.wait(min((one.enforce() for one in list(self._all)), default=None))


_WATCH = _Watch()


@contextmanager
def limited(container: Any, limit_s: float, clock: Clock) -> Iterator[Waiting]:
    """End the reads in here that wait longer; PyAV raises ExitError then, as at its own limit."""
    waiting = Waiting(container, limit_s, clock)
    _WATCH.add(waiting)
    try:
        yield waiting
    finally:
        _WATCH.remove(waiting)


@functools.cache
def place_of_limit() -> int | None:
    """Return where in a container PyAV keeps the limit of the read it is at, None if that is not sure."""
    try:
        first, second = (_places(limit_s) for limit_s in UNLIKELY_S)
    except (av.FFmpegError, ValueError):  # an FFmpeg without raw sound
        return None
    return first[0] if len(first) == 1 and first == second else None


def _places(limit_s: float) -> list[int]:
    with av.open(io.BytesIO(SOME_SOUND), "r", format="u8", timeout=(None, limit_s)) as container:
        reading = container.demux()
        next(reading)  # from here on the limit holds
        count = type(container).__basicsize__ // DOUBLE_BYTES
        seen = struct.unpack(f"{count}d", ctypes.string_at(id(container), count * DOUBLE_BYTES))
        return [place * DOUBLE_BYTES for place, value in enumerate(seen) if value == limit_s]
