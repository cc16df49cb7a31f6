"""The hang watchdog: a stuck process prints its stack and ends, so that the supervisor can restart it.

It works even while a C extension holds the interpreter's lock, because faulthandler's timer is a C thread.
"""

import asyncio
import contextlib
import faulthandler
import logging
import os
from collections.abc import AsyncIterator

from marengocam.core.clock import Clock

LIMIT_S = 15.0  # so that a hung process is gone within 20 s, and before the supervisor would kill it without a word
HUNG_STATUS = 1
REARM_S = 2.0
_LOG = logging.getLogger(__name__)


class Watchdog:
    """Ends the process when its event loop, or a thread that promised to move, stands still for `limit_s`."""

    def __init__(self, clock: Clock, limit_s: float = LIMIT_S) -> None:
        self._clock = clock
        self._limit_s = limit_s
        self._fed_s: dict[str, float] = {}

    def feed(self, name: str) -> None:
        """Tell that a thread moves; from its first call on it must do so within every `limit_s`."""
        self._fed_s[name] = self._clock.monotonic_s()

    def forget(self, name: str) -> None:
        """Release a thread from its promise, when it ends."""
        self._fed_s.pop(name, None)

    def starved(self) -> list[str]:
        """Return the threads that have not moved for too long."""
        now_s = self._clock.monotonic_s()
        return [name for name, fed_s in list(self._fed_s.items()) if now_s - fed_s > self._limit_s]

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch while the block runs."""
        task = asyncio.create_task(self._rearm())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            faulthandler.cancel_dump_traceback_later()

    async def _rearm(self) -> None:
        while True:
            starved = self.starved()
            if starved:
                _LOG.error("no progress for %.0f s: %s; the process ends", self._limit_s, ", ".join(starved))
                # At once and without tidying up: what hangs would keep an orderly end from coming.
                faulthandler.dump_traceback(all_threads=True)
                os._exit(HUNG_STATUS)
            faulthandler.dump_traceback_later(self._limit_s, exit=True)
            await asyncio.sleep(min(REARM_S, self._limit_s / 4))
