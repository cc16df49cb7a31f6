"""The web process: API, media, page."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from aiohttp import web

from marengocam.media.store import Store
from marengocam.runtime.context import CONTEXT, ServiceContext
from marengocam.runtime.endpoint import CLIENT_MAX_BYTES, serving
from marengocam.runtime.health import HealthReport
from marengocam.settings import Network, Settings
from marengocam.web.access import Gate
from marengocam.web.announcing import keep_announced
from marengocam.web.answers import Handler, secure
from marengocam.web.exports import clear_exports
from marengocam.web.ingress import IngressGate, only_from
from marengocam.web.limits import Meter, peer_key
from marengocam.web.openapi import document
from marengocam.web.routes import (
    camera_graph,
    cameras,
    cases,
    discovery,
    events,
    media,
    people,
    probing,
    replays,
    rules,
    storage,
    system,
    tracks,
    visits,
    wishes,
    words,
)
from marengocam.web.signing import PURPOSE, Signer
from marengocam.web.table import PREFIX, SPEAKER, Desk, Route

ROUTES: tuple[Route, ...] = (
    *system.ROUTES,
    *wishes.ROUTES,
    *cases.ROUTES,
    *replays.ROUTES,
    *storage.ROUTES,
    *cameras.ROUTES,
    *probing.ROUTES,
    *camera_graph.ROUTES,
    *discovery.ROUTES,
    *media.ROUTES,
    *tracks.ROUTES,
    *people.ROUTES,
    *words.ROUTES,
    *rules.ROUTES,
    *visits.ROUTES,
    *events.ROUTES,
)
PAGE_FOLDER = Path(__file__).parent / "page"
PAGE_MARK = '<html lang="en"'
_LOG = logging.getLogger(__name__)


class WebService:
    """Serves the API and the page until told to end."""

    def __init__(self) -> None:
        self._desk: Desk | None = None

    def routes(self, app: web.Application) -> None:
        """Add every route of the table, the document and the page."""
        context = app[CONTEXT]
        self._desk = Desk(
            context=context,
            store=Store(context.settings.media_dir, context.settings.archive_dir),
            gate=Gate(context.hub, context.clock),
            signer=Signer(context.hub.keyring.signing_key(PURPOSE)),
            views={},
            meters={one.handler.__name__: Meter(one.limit, context.clock) for one in ROUTES if one.limit},
        )
        _add_all(app, self._desk, "'none'", _page_text())

    async def run(self, context: ServiceContext) -> None:
        """Wait for the end; requests are served meanwhile."""
        desk = self._desk
        clearing = asyncio.create_task(clear_exports(desk)) if desk is not None else None  # its disk may hang
        announcing = asyncio.create_task(keep_announced(context))
        async with self._ingress(context.settings):
            await context.stopping.wait()
        await announcing
        if desk is not None and clearing is not None:
            clearing.cancel()
            desk.close()

    @contextlib.asynccontextmanager
    async def _ingress(self, settings: Settings) -> AsyncIterator[None]:
        """Serve Home Assistant's ingress too, where it is asked for; both ports share what they work with."""
        if not settings.ingress_port or self._desk is None:
            yield
            return
        async with serving(ingress_app(self._desk, settings.ingress_peers), settings.bind_host, settings.ingress_port):
            yield

    def health(self) -> HealthReport:
        """Return ok: what the API cannot do without the hub it says per request."""
        return HealthReport()


def ingress_app(desk: Desk, peers: Sequence[Network]) -> web.Application:
    """Return what the ingress port serves: the same, to the Supervisor alone, in a frame of Home Assistant's origin."""
    app = web.Application(client_max_size=CLIENT_MAX_BYTES)
    text = _page_text().replace(PAGE_MARK, f'{PAGE_MARK} data-session="ingress"', 1)
    _add_all(app, replace(desk, gate=IngressGate()), "'self'", text)
    app.middlewares.append(only_from(peers))
    return app


def _add_all(app: web.Application, desk: Desk, frame_ancestors: str, page_text: str) -> None:
    app.middlewares.append(_logged)
    secure(app, frame_ancestors)
    for route in ROUTES:
        app.router.add_route(route.method, PREFIX + route.path, partial(_serve, desk, route))
    described = document(ROUTES)

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(described)

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=page_text, content_type="text/html", headers={"Cache-Control": "no-cache"})

    app.router.add_get(f"{PREFIX}/openapi.json", openapi)
    app.router.add_get("/", page)
    app.router.add_static("/page/", PAGE_FOLDER)


def _page_text() -> str:
    return (PAGE_FOLDER / "index.html").read_text()


async def _serve(desk: Desk, route: Route, request: web.Request) -> web.StreamResponse:
    if route.scope is not None:
        request[SPEAKER] = await desk.gate.check(request, route.scope)
    if route.limit is not None:
        desk.meters[route.handler.__name__].take(peer_key(request))
    return await route.handler(desk, request)


@web.middleware
async def _logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log what changes something, and what went wrong, without queries: signatures stand in them."""
    response = await handler(request)
    if request.method != "GET" or response.status >= 500:
        _LOG.info("%s %s %d", request.method, request.path, response.status)
    return response
