"""A real web process's application on a real hub, in this process."""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry

from marengocam.core.clock import SystemClock
from marengocam.media.store import Store
from marengocam.runtime.bus import Bus
from marengocam.runtime.context import CONTEXT, ServiceContext
from marengocam.runtime.watchdog import Watchdog
from marengocam.web.service import WebService


@dataclass
class Api:
    """A client of the API."""

    address: str
    token: str | None
    session: aiohttp.ClientSession
    context: ServiceContext
    desk: Any = None
    server: Any = None

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = self.address + (path if path.startswith("/api") else f"/api/v1{path}")
        async with self.session.request(method, url, json=body, headers=headers, **more) as answer:
            if answer.content_type == "application/json":
                return answer.status, await answer.json()
            return answer.status, await answer.read()

    def with_token(self, token: str | None) -> "Api":
        return replace(self, token=token)


def service_context(hub, settings, bus, service="web") -> ServiceContext:
    clock = SystemClock()
    return ServiceContext(
        settings=settings,
        clock=clock,
        hub=hub,
        bus=bus,
        stopping=asyncio.Event(),
        service=service,
        instance=f"test {service}",
        started_at=clock.now(),
        metrics=CollectorRegistry(),
        watchdog=Watchdog(clock),
    )


@contextlib.asynccontextmanager
async def serving_api(hub, settings, scopes=("read", "write", "admin"), port=0):
    """Serve the API on a free port; yields an Api with a token of these scopes."""
    Store(settings.media_dir).prepare(await hub.settings_store.installation_id())  # as ingest does
    async with Bus(hub).running() as bus:
        context = service_context(hub, settings, bus)
        app = web.Application(client_max_size=12 << 20)
        app[CONTEXT] = context
        service = WebService()
        service.routes(app)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        token = await hub.tokens.add("test", list(scopes), context.clock.now())
        async with aiohttp.ClientSession() as session:
            try:
                yield Api(address, token, session, context, service._desk, runner.server)
            finally:
                context.stopping.set()
                await runner.cleanup()
