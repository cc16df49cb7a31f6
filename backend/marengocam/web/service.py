"""The web process: API, media, page."""

import asyncio
import logging
from functools import partial
from pathlib import Path

from aiohttp import web

from marengocam.media.store import Store
from marengocam.runtime.context import CONTEXT, ServiceContext
from marengocam.runtime.health import HealthReport
from marengocam.web.access import Gate
from marengocam.web.announcing import keep_announced
from marengocam.web.answers import Handler, errors_as_json
from marengocam.web.openapi import document
from marengocam.web.routes import cameras, discovery, events, media, people, system, visits, wishes, words
from marengocam.web.signing import PURPOSE, Signer
from marengocam.web.table import PREFIX, SPEAKER, Desk, Route

ROUTES: tuple[Route, ...] = (
    *system.ROUTES,
    *wishes.ROUTES,
    *cameras.ROUTES,
    *discovery.ROUTES,
    *media.ROUTES,
    *people.ROUTES,
    *words.ROUTES,
    *visits.ROUTES,
    *events.ROUTES,
)
PAGE_FOLDER = Path(__file__).parent / "page"
_LOG = logging.getLogger(__name__)


class WebService:
    """Serves the API and the page until told to end."""

    def routes(self, app: web.Application) -> None:
        """Add every route of the table, the document and the page."""
        context = app[CONTEXT]
        desk = Desk(
            context=context,
            store=Store(context.settings.media_dir),
            gate=Gate(context.hub, context.clock),
            signer=Signer(context.hub.keyring.signing_key(PURPOSE)),
            views={},
        )
        app.middlewares.append(_logged)
        app.middlewares.append(errors_as_json)
        for route in ROUTES:
            app.router.add_route(route.method, PREFIX + route.path, partial(_serve, desk, route))
        described = document(ROUTES)

        async def openapi(_request: web.Request) -> web.Response:
            return web.json_response(described)

        app.router.add_get(f"{PREFIX}/openapi.json", openapi)
        app.router.add_get("/", _page)
        app.router.add_static("/page/", PAGE_FOLDER)

    async def run(self, context: ServiceContext) -> None:
        """Wait for the end; requests are served meanwhile."""
        await asyncio.to_thread(media.clear_clips, Store(context.settings.media_dir))
        announcing = asyncio.create_task(keep_announced(context))
        await context.stopping.wait()
        await announcing

    def health(self) -> HealthReport:
        """Return ok: what the API cannot do without the hub it says per request."""
        return HealthReport()


async def _serve(desk: Desk, route: Route, request: web.Request) -> web.StreamResponse:
    if route.scope is not None:
        request[SPEAKER] = (await desk.gate.check(request, route.scope)).name
    return await route.handler(desk, request)


async def _page(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(PAGE_FOLDER / "index.html", headers={"Cache-Control": "no-cache"})


@web.middleware
async def _logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log what changes something, and what went wrong, without queries: signatures stand in them."""
    response = await handler(request)
    if request.method != "GET" or response.status >= 500:
        _LOG.info("%s %s %d", request.method, request.path, response.status)
    return response
