"""A stand-in for Home Assistant's Supervisor: the few calls the app makes, and its ingress. Runs in a container.

Written after the Supervisor's `supervisor/api/{discovery,services,ingress}.py`; `/_seen` and `/_mqtt` are ours.
"""

import asyncio
import os
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = os.environ.get("STANDIN_TOKEN", "")
APP = os.environ.get("STANDIN_APP", "")
INGRESS_PORT = 8099
# What the Supervisor strips from, and sets on, what browsers send.
STRIPPED = {
    "content-length",
    "transfer-encoding",
    "host",
    "x-remote-user-id",
    "x-remote-user-name",
    "x-remote-user-display-name",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
}
SEEN: list[dict[str, Any]] = []
MQTT: dict[str, Any] = {}


def ok(data: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"result": "ok", "data": data or {}})


def refused(message: str, status: int = 400) -> web.Response:
    return web.json_response({"result": "error", "message": message}, status=status)


@web.middleware
async def authorised(request: web.Request, handler: Any) -> web.StreamResponse:
    ours = request.path.startswith(("/_", "/ingress"))
    if not ours and request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return refused("Unauthorized", 401)
    return await handler(request)


async def info(_request: web.Request) -> web.Response:
    return ok({"slug": "local_marengocam", "hostname": APP, "ingress_port": INGRESS_PORT})


async def mqtt(_request: web.Request) -> web.Response:
    return ok(MQTT) if MQTT else refused("Service not enabled")


async def set_mqtt(request: web.Request) -> web.Response:
    MQTT.clear()
    MQTT.update(await request.json())
    return ok()


async def discovery(request: web.Request) -> web.Response:
    SEEN.append(await request.json())
    return ok({"uuid": "0123456789abcdef0123456789abcdef"})


async def seen(_request: web.Request) -> web.Response:
    return web.json_response(SEEN)


async def ingress(request: web.Request) -> web.StreamResponse:
    headers = {name: value for name, value in request.headers.items() if name.lower() not in STRIPPED}
    headers |= {"Host": request.host, "X-Ingress-Path": "/ingress", "X-Remote-User-Display-Name": "Alice"}
    url = f"http://{APP}:{INGRESS_PORT}/{request.match_info['path']}"
    session: aiohttp.ClientSession = request.app["session"]
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await tunnel(request, session, url, headers)
    async with session.request(
        request.method, url, params=request.query, headers=headers, data=await request.read(), allow_redirects=False
    ) as answer:
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in STRIPPED}
        return web.Response(status=answer.status, headers=kept, body=await answer.read())


async def tunnel(
    request: web.Request, session: aiohttp.ClientSession, url: str, headers: dict[str, str]
) -> web.WebSocketResponse:
    browser = web.WebSocketResponse()
    await browser.prepare(request)
    async with session.ws_connect(url, params=request.query, headers=headers) as app:

        async def forward(source: Any, target: Any) -> None:
            async for message in source:
                await target.send_str(message.data)

        ways = [asyncio.create_task(forward(browser, app)), asyncio.create_task(forward(app, browser))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
    return browser


async def with_session(app: web.Application) -> Any:
    async with aiohttp.ClientSession() as session:
        app["session"] = session
        yield


def main() -> None:
    app = web.Application(middlewares=[authorised])
    app.cleanup_ctx.append(with_session)
    app.router.add_get("/addons/self/info", info)
    app.router.add_get("/services/mqtt", mqtt)
    app.router.add_post("/discovery", discovery)
    app.router.add_get("/_seen", seen)
    app.router.add_post("/_mqtt", set_mqtt)
    app.router.add_route("*", "/ingress/{path:.*}", ingress)
    web.run_app(app, host="0.0.0.0", port=80)


if __name__ == "__main__":
    main()
