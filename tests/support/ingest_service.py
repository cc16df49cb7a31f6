"""An ingest service in this process or as a real one, for tests."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from prometheus_client import CollectorRegistry

from marengocam.core.clock import Clock, SystemClock
from marengocam.db.hub import Hub
from marengocam.ingest.service import IngestService
from marengocam.runtime.bus import Bus
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.watchdog import Watchdog
from marengocam.settings import Settings
from tests.support.ports import free_port

WAIT_LIMIT_S = 60.0  # processes that start, on a machine that other tests keep busy
END_LIMIT_S = 12.0


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float = WAIT_LIMIT_S) -> None:
    """Return once the condition holds."""
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def ingest_here(
    hub: Hub, settings: Settings, clock: Clock | None = None
) -> AsyncIterator[tuple[IngestService, ServiceContext]]:
    """Run the service in this process."""
    clock = clock or SystemClock()
    async with Bus(hub).running() as bus:
        context = ServiceContext(
            settings=settings,
            clock=clock,
            hub=hub,
            bus=bus,
            stopping=asyncio.Event(),
            service="ingest",
            instance=f"test:{os.getpid()}",
            started_at=clock.now(),
            metrics=CollectorRegistry(),
            watchdog=Watchdog(clock),
        )
        service = IngestService()
        job = asyncio.create_task(service.run(context))
        try:
            yield service, context
        finally:
            context.stopping.set()
            async with asyncio.timeout(END_LIMIT_S):
                await job


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which a process has these settings."""
    return {
        "MARENGOCAM_DATA_DIR": str(settings.data_dir),
        "MARENGOCAM_MEDIA_DIR": str(settings.media_dir),
        "MARENGOCAM_DATABASE_URL": settings.database_url.reveal(),
        "MARENGOCAM_INGEST_HEALTH_PORT": str(free_port()),
        "MARENGOCAM_DETECTOR": settings.detector,
        "MARENGOCAM_DOWNLOAD_MODELS": "false",
        "MARENGOCAM_CHUNK_S": str(settings.chunk_s),
        "MARENGOCAM_FACE_URL": "off",
        "MARENGOCAM_LOOPBACK_CAMERAS": "true",
    }


async def start_ingest(settings: Settings, log: Path) -> asyncio.subprocess.Process:
    """Start the service as a process that logs into a file."""
    command = (sys.executable, "-m", "marengocam.cli", "ingest")
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, env=os.environ | environment_of(settings), stdout=output, stderr=output
        )


async def end_of(process: asyncio.subprocess.Process) -> int:
    """End it in order; return its exit status."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(END_LIMIT_S):
        return await process.wait()
