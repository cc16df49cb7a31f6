"""What every service is given."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry

from marengocam.core.clock import Clock
from marengocam.db.hub import Hub
from marengocam.runtime.bus import Bus, Subscription
from marengocam.runtime.health import HealthReport
from marengocam.runtime.watchdog import Watchdog
from marengocam.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceContext:
    """The collaborators of a running service; `stopping` is set when it is to end."""

    settings: Settings
    clock: Clock
    hub: Hub
    bus: Bus
    stopping: asyncio.Event
    service: str
    instance: str
    started_at: datetime
    metrics: CollectorRegistry
    watchdog: Watchdog

    async def pause(self, seconds_s: float) -> bool:
        """Wait, but no longer than until the service is to end; return whether it goes on."""
        try:
            async with asyncio.timeout(seconds_s):
                await self.stopping.wait()
        except TimeoutError:
            return True
        return False

    async def woken(self, hints: Subscription, limit_s: float) -> None:
        """Wait for a hint, but no longer than the limit or until the service is to end."""
        waits = {asyncio.create_task(hints.wait(limit_s)), asyncio.create_task(self.stopping.wait())}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


class Service(Protocol):
    """A service: made without arguments, run once."""

    async def run(self, context: ServiceContext) -> None:
        """Do the job until `context.stopping` is set, then finish what is under way and return."""

    def health(self) -> HealthReport:
        """Return how it is doing."""


class HttpService(Service, Protocol):
    """A service that also answers HTTP on the address every service has for /health."""

    def routes(self, app: web.Application) -> None:
        """Add its routes, before the server starts; `app[CONTEXT]` is there."""


CONTEXT = web.AppKey("context", ServiceContext)
