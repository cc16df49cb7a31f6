"""Leases held by a process: claimed, renewed, shared fairly, kept while the hub is away."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.model import Lease
from marengocam.db.hub import Hub

TTL_S = 8.0  # four rounds of ingest: a busy holder keeps its leases, a frozen one is taken over within 12 s
_LOG = logging.getLogger(__name__)


def own_instance() -> str:
    """Return this process's name: host and process space, number, and something random for each start."""
    space = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    return f"{socket.gethostname()}/{space}:{os.getpid()}:{secrets.token_hex(3)}"


class LeaseKeeper:
    """The leases of one process; `refresh` or `renew` is called every two seconds or so.

    While the hub is away holdings are kept: recording twice is better than not at all, and a stale holder's rows are
    refused by their fence.
    """

    def __init__(self, hub: Hub, holder: str, is_dead: Callable[[str], bool], ttl_s: float = TTL_S) -> None:
        self._hub = hub
        self._holder = holder
        self._is_dead = is_dead
        self._ttl_s = ttl_s
        self._asking = asyncio.Lock()
        self.held: dict[str, Lease] = {}

    async def refresh(self, names: Sequence[str]) -> bool:
        """Renew what is held, give up what is no longer named, claim what is free; False while the hub is away."""
        async with self._asking:
            for name in self.held.keys() - set(names):
                await self._give_up(name)
            try:
                await self._renew()
                if any(name not in self.held for name in names):
                    await self._free_those_of_the_dead()
                for name in names:
                    if name not in self.held:
                        lease = await self._hub.leases.acquire(name, self._holder, self._ttl_s)
                        self.held |= {name: lease} if lease is not None else {}
            except HubUnavailableError:
                return False
        return True

    async def renew(self) -> None:
        """Renew what is held: one question, however much is held and whatever else is asked meanwhile."""
        async with self._asking:
            with contextlib.suppress(MarengoCamError):  # it is tried again soon, and `refresh` tells what is wrong
                await self._renew()

    async def _renew(self) -> None:
        if not self.held:
            return
        kept = await self._hub.leases.renew(list(self.held), self._holder, self._ttl_s)
        for name in self.held.keys() - kept.keys():
            _LOG.warning("%s is served by another process now", name)
        self.held = kept

    async def release_all(self) -> None:
        """Give everything up, at the end of the process."""
        async with self._asking:
            for name in list(self.held):
                await self._give_up(name)

    async def _free_those_of_the_dead(self) -> None:
        """Let go of leases whose holder is known to have ended: a restart need not wait for their end."""
        for lease in await self._hub.leases.list():
            if self._is_dead(lease.holder):
                await self._hub.leases.release(lease)

    async def _give_up(self, name: str) -> None:
        lease = self.held.pop(name)
        try:
            await self._hub.leases.release(lease)
        except HubUnavailableError:
            _LOG.info("%s could not be given back; it expires by itself", name)
