"""Whose turn it is: of several automation processes one publishes and has rules act, the others stand by."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from marengocam.runtime.context import ServiceContext
from marengocam.runtime.leases import LeaseKeeper

LEASE = "automation"
RENEW_S = 2.0  # a quarter of the lease


class Turn:
    """A lease that is renewed while `kept`; over an outage of the hub whoever has it keeps it."""

    def __init__(self, context: ServiceContext, is_dead: Callable[[str], bool]) -> None:
        self._context = context
        self._keeper = LeaseKeeper(context.hub, context.instance, is_dead)
        self._refreshing = asyncio.Lock()
        self._refreshed_s = float("-inf")

    @contextlib.asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Ask for the turn and renew it while the block runs; give it up at its end."""
        renewing = asyncio.create_task(self._renew())
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._keeper.release_all()

    async def is_ours(self) -> bool:
        """Return whether this process has the turn; one that was frozen for long asks anew before it goes on."""
        if self._context.clock.monotonic_s() - self._refreshed_s > 2 * RENEW_S:
            await self._refresh()
        return LEASE in self._keeper.held

    async def _renew(self) -> None:
        while True:
            await self._refresh()
            await asyncio.sleep(RENEW_S)

    async def _refresh(self) -> None:
        async with self._refreshing:
            await self._keeper.refresh([LEASE])
            self._refreshed_s = self._context.clock.monotonic_s()
