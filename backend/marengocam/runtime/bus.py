"""Wake-ups between services: hints only, with a poll behind each."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from marengocam.db.hub import Hub

CHANNELS = ("local_track", "event", "camera", "replay", "chunk", "person", "health", "camera_status", "rule")
POLL_S = 2.0


@dataclass(slots=True)
class Subscription:
    """One listener's view of a channel: how often it rang and what came last."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    payload: str = ""

    async def wait(self, timeout_s: float = POLL_S) -> bool:
        """Return at the next hint since the last return, or when the poll is due; True for a hint."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self.woken.wait()
        rang = self.woken.is_set()
        self.woken.clear()
        return rang


class Bus:
    """Wake-ups of the hub's channels for any number of listeners in one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._subscriptions: dict[str, list[Subscription]] = defaultdict(list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Bus"]:
        """Listen while the block runs; without a database only polls wake."""
        async with self._hub.listen(CHANNELS, self._ring):
            yield self

    @contextlib.contextmanager
    def subscribed(self, channel: str) -> Iterator[Subscription]:
        """Lend a subscription to one channel, for one listener; what rings while it works is there at its next wait."""
        subscription = Subscription()
        self._subscriptions[channel].append(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[channel].remove(subscription)

    def _ring(self, channel: str, payload: str) -> None:
        for subscription in self._subscriptions[channel]:
            subscription.payload = payload
            subscription.woken.set()
