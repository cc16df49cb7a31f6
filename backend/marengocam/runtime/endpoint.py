"""The HTTP server every process has: /health and /metrics, and the routes of services that serve more."""

import contextlib
from collections.abc import AsyncIterator, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from marengocam.core.errors import ConflictError
from marengocam.runtime.health import HealthReport

CLIENT_MAX_BYTES = 12 * 1024 * 1024
SHUTDOWN_LIMIT_S = 2.0
IDLE_LIMIT_S = 60.0  # for a request's header, and between two requests; a slow client is closed then
Describe = Callable[[], tuple[HealthReport, dict[str, object]]]


def add_own_routes(app: web.Application, describe: Describe, metrics: CollectorRegistry) -> None:
    """Add /health and /metrics."""

    async def health(_request: web.Request) -> web.Response:
        report, facts = describe()
        body = {**facts, "status": report.status, "reason": report.reason, "detail": report.detail}
        return web.json_response(body, status=503 if report.status == "failing" else 200)

    async def figures(_request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/health", health)
    app.router.add_get("/metrics", figures)


@contextlib.asynccontextmanager
async def serving(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve while the block runs, and yield the port; raises ConflictError when the port is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_LIMIT_S, keepalive_timeout=IDLE_LIMIT_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConflictError(
                f"Port {port} on {host} cannot be used ({error.strerror}): another program has it; set another port."
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
