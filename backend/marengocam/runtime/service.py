"""The life of a service process: set up, run, heartbeats, drain."""

import asyncio
import contextlib
import logging
import signal
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, Histogram, ProcessCollector

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.db.hub import Hub, open_hub
from marengocam.db.migrate import migrate
from marengocam.runtime.bus import Bus
from marengocam.runtime.context import CONTEXT, Service, ServiceContext
from marengocam.runtime.endpoint import CLIENT_MAX_BYTES, add_own_routes, serving
from marengocam.runtime.health import HealthReport
from marengocam.runtime.leases import own_instance
from marengocam.runtime.logs import start_logging
from marengocam.runtime.memory import keep_few_arenas, spare_what_stays
from marengocam.runtime.watchdog import LIMIT_S, Watchdog
from marengocam.settings import Settings

HEARTBEAT_S = 5.0
MIGRATE_RETRY_S = 2.0
DRAIN_LIMIT_S = 10.0
GOODBYE_LIMIT_S = 1.5
POOL_SIZES = {"ingest": 4, "resolver": 3, "automation": 2, "face": 2, "janitor": 2, "web": 6}
DATABASE_CALL_BUCKETS_S = (0.01, 0.1, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a service answers HTTP."""

    host: str
    port: int


def endpoint_of(name: str, settings: Settings) -> Endpoint:
    """Return a service's own address for /health; web and face serve on theirs."""
    ports = {
        "web": settings.web_port,
        "face": settings.face_port,
        "ingest": settings.ingest_health_port,
        "resolver": settings.resolver_health_port,
        "automation": settings.automation_health_port,
        "janitor": settings.janitor_health_port,
    }
    hosts = {"web": settings.bind_host, "face": settings.face_bind_host}
    return Endpoint(hosts.get(name, "127.0.0.1"), ports[name])


def run_service(
    name: str, settings: Settings, service_class: Callable[[], Service], watchdog_limit_s: float = LIMIT_S
) -> int:
    """Run a service until it is told to end; return the process's exit status.

    0: it ended as told; 1: it failed; 3: it did not drain within DRAIN_LIMIT_S.
    """
    keep_few_arenas()
    start_logging(name, settings.log_level, as_json=settings.log_json, secrets=settings.secrets)
    try:
        return asyncio.run(_Life(name, settings, service_class(), watchdog_limit_s).run())
    except MarengoCamError as error:
        _LOG.error("%s", error)
        return 1
    except Exception:  # noqa: BLE001 - the process's own edge: logged with its stack, then it ends
        _LOG.exception("the service failed")
        return 1


class _Life:
    def __init__(self, name: str, settings: Settings, service: Service, watchdog_limit_s: float) -> None:
        self._name = name
        self._settings = settings
        self._service = service
        self._watchdog_limit_s = watchdog_limit_s
        self._clock: Clock = SystemClock()
        self._began_s = self._clock.monotonic_s()
        self._hub_reason = "the database is not prepared yet"
        self._migrated = False

    async def run(self) -> int:
        async with contextlib.AsyncExitStack() as stack:
            context = await self._set_up(stack)
            job = asyncio.create_task(self._service.run(context), name=self._name)
            beats = asyncio.create_task(self._heartbeats(context))
            self._listen_to_signals(context, job)
            spare_what_stays()
            _LOG.info("ready")
            try:
                return await self._until_done(context, job)
            finally:
                beats.cancel()
                await asyncio.gather(beats, return_exceptions=True)
                with contextlib.suppress(MarengoCamError, TimeoutError):
                    async with asyncio.timeout(GOODBYE_LIMIT_S):
                        await context.hub.health.leave(self._name, context.instance)

    async def _set_up(self, stack: contextlib.AsyncExitStack) -> ServiceContext:
        hub = await stack.enter_async_context(open_hub(self._settings, self._name, POOL_SIZES[self._name]))
        bus = await stack.enter_async_context(Bus(hub).running())
        watchdog = Watchdog(self._clock, self._watchdog_limit_s)
        metrics = CollectorRegistry()
        ProcessCollector(registry=metrics)
        calls_s = Histogram(
            "marengocam_database_call_s",
            "How long calls to the database took, waits for a connection included",
            buckets=DATABASE_CALL_BUCKETS_S,
            registry=metrics,
        )
        hub.database.on_done = hub.leases.database.on_done = calls_s.observe
        context = ServiceContext(
            settings=self._settings,
            clock=self._clock,
            hub=hub,
            bus=bus,
            stopping=asyncio.Event(),
            service=self._name,
            instance=own_instance(),
            started_at=self._clock.now(),
            metrics=metrics,
            watchdog=watchdog,
        )
        preparing = asyncio.create_task(self._migrate(context))
        stack.push_async_callback(_end, preparing)
        await stack.enter_async_context(watchdog.watching())
        app = web.Application(client_max_size=CLIENT_MAX_BYTES)
        app[CONTEXT] = context
        add_own_routes(app, lambda: (self._report(), self._facts(context)), metrics)
        routes = getattr(self._service, "routes", None)
        if routes is not None:
            routes(app)
        endpoint = endpoint_of(self._name, self._settings)
        await stack.enter_async_context(serving(app, endpoint.host, endpoint.port))
        return context

    async def _migrate(self, context: ServiceContext) -> None:
        """Bring the schema up to date, as soon as the database answers."""
        while True:
            try:
                async with context.hub.database.admission.asked():
                    await migrate(context.settings)
            except HubUnavailableError as error:
                self._hub_reason = str(error)
                await asyncio.sleep(MIGRATE_RETRY_S)
            except MarengoCamError as error:
                self._hub_reason = str(error)
                _LOG.error("%s", error)
                await asyncio.sleep(MIGRATE_RETRY_S * 5)
            else:
                self._migrated = True
                return

    async def _heartbeats(self, context: ServiceContext) -> None:
        while True:
            try:
                report = self._report()
                await context.hub.health.beat(
                    self._name, context.instance, report.status, report.reason, context.started_at, report.detail
                )
            except MarengoCamError as error:
                _LOG.debug("no heartbeat: %s", error)
            except Exception:  # noqa: BLE001 - who gives no sign of life loses its work to others; it is logged
                _LOG.exception("no heartbeat")
            await asyncio.sleep(HEARTBEAT_S)

    def _report(self) -> HealthReport:
        report = self._service.health()
        if report.status == "ok" and not self._migrated:
            return HealthReport("degraded", self._hub_reason, report.detail)
        return report

    def _facts(self, context: ServiceContext) -> dict[str, object]:
        return {
            "service": self._name,
            "instance": context.instance,
            "started_at": context.started_at.isoformat(),
            "uptime_s": round(self._clock.monotonic_s() - self._began_s, 1),
        }

    def _listen_to_signals(self, context: ServiceContext, job: "asyncio.Task[None]") -> None:
        def end() -> None:
            if context.stopping.is_set():
                _LOG.warning("told twice: ending at once")
                job.cancel()
            context.stopping.set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)

    async def _until_done(self, context: ServiceContext, job: "asyncio.Task[None]") -> int:
        stopping = asyncio.create_task(context.stopping.wait())
        await asyncio.wait([job, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not job.done():
            _LOG.info("draining")
            await asyncio.wait([job], timeout=DRAIN_LIMIT_S)
        if not job.done():
            _LOG.error("not drained within %.0f s; stuck at:\n%s", DRAIN_LIMIT_S, _stack_of(job))
            job.cancel()
            await asyncio.wait([job], timeout=GOODBYE_LIMIT_S)
            return 3
        if job.cancelled():
            return 3
        job.result()
        if not context.stopping.is_set():
            _LOG.error("the service ended by itself")
            return 1
        return 0


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _stack_of(task: "asyncio.Task[None]") -> str:
    frames = task.get_stack()
    return "".join("".join(traceback.format_stack(frame, limit=3)) for frame in frames)


@contextlib.asynccontextmanager
async def hub_for_command(settings: Settings, command: str) -> AsyncIterator[Hub]:
    """Lend a small hub to a command-line command."""
    async with open_hub(settings, command, pool_size=1) as hub:
        yield hub
