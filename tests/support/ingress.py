"""Home Assistant's side of ingress: our ingress port served for real, and a proxy that treats requests as it does."""

import asyncio
import contextlib
import ipaddress
from dataclasses import dataclass, replace

import aiohttp
from aiohttp import web

from marengocam.runtime.bus import Bus
from marengocam.runtime.context import CONTEXT
from marengocam.settings import Settings
from marengocam.web.service import WebService
from tests.support.ports import free_port
from tests.support.web_app import service_context

PREFIX = "/api/hassio_ingress/s3ss10n"
PANEL = f'<!doctype html><title>Home Assistant</title><iframe src="{PREFIX}/" width="1200" height="800"></iframe>'
DROPPED = {
    "content-length", "transfer-encoding", "content-encoding", "connection", "upgrade", "host",
    "sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions", "sec-websocket-protocol",
    "x-remote-user-id", "x-remote-user-name", "x-remote-user-display-name",
}  # fmt: skip


@dataclass
class Ingress:
    """The ingress port of a web service."""

    address: str
    context: object


@contextlib.asynccontextmanager
async def serving_ingress(hub, settings: Settings, peers="127.0.0.1"):
    """Run a web service whose ingress port lets `peers` in; yields an Ingress."""
    port = free_port()
    settings = replace(settings, ingress_port=port, ingress_peers=(ipaddress.ip_network(peers),))
    async with Bus(hub).running() as bus:
        context = service_context(hub, settings, bus)
        service, app = WebService(), web.Application()
        app[CONTEXT] = context
        service.routes(app)
        job = asyncio.create_task(service.run(context))
        try:
            await _listening(port)
            yield Ingress(f"http://127.0.0.1:{port}", context)
        finally:
            context.stopping.set()
            await job


async def _listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def home_assistant(ingress: Ingress, user="Anna"):
    """Serve a panel that frames the page, through a proxy with Home Assistant's and the Supervisor's headers."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def panel(_request):
            return web.Response(text=PANEL, content_type="text/html")

        async def proxied(request):
            target = f"{ingress.address}/{request.match_info['path']}"
            headers = {name: value for name, value in request.headers.items() if name.lower() not in DROPPED}
            headers |= {
                "X-Ingress-Path": PREFIX, "X-Forwarded-For": request.remote, "X-Forwarded-Host": request.host,
                "X-Forwarded-Proto": "http", "X-Remote-User-Display-Name": user,
            }  # fmt: skip
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await _bridge(request, session, target, headers)
            asked = session.request(
                request.method, target, params=request.query, headers=headers, data=await request.read()
            )
            async with asked as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in DROPPED}
                return web.Response(status=answer.status, headers=kept, body=await answer.read())

        app = web.Application()
        app.router.add_get("/", panel)
        app.router.add_route("*", f"{PREFIX}/{{path:.*}}", proxied)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def _bridge(request, session, target, headers):
    try:
        opened = await session.ws_connect(f"{target}?{request.query_string}", headers=headers)
    except aiohttp.WSServerHandshakeError as error:
        return web.Response(status=error.status)
    async with opened as upstream:
        browser = web.WebSocketResponse()
        await browser.prepare(request)

        async def back():
            async for message in browser:
                await upstream.send_str(message.data)

        reading = asyncio.create_task(back())
        try:
            async for message in upstream:
                await browser.send_str(message.data)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return browser
