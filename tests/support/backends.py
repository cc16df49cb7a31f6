"""A whole backend (`marengocam up`) for fault tests: its processes by name, and what is left when it ended."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import psutil

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.core.errors import HubUnavailableError
from marengocam.db.hub import Hub, open_hub
from marengocam.demo.backend import Backend
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.store import Store
from marengocam.settings import Settings, load_settings

SERVICES = ("ingest", "resolver", "face", "janitor", "automation", "web")
CLOCK = SystemClock()
ADOPTED_LIMIT_S = 60.0
PAGE = 500


def service_process(parent: psutil.Process, name: str) -> psutil.Process:
    """Return a service's process; raises LookupError while it is away."""
    for child in parent.children(recursive=True):
        with suppress(psutil.Error):
            if child.cmdline()[-2:] == ["marengocam.cli", name]:
                return child
    raise LookupError(name)


def settings_of(backend: Backend) -> Settings:
    return load_settings({**os.environ, **backend.environment})


async def is_well(session: aiohttp.ClientSession, port: str | int) -> bool:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with session.get(f"http://127.0.0.1:{port}/health", timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    return False


async def holds(condition: Callable[[], object], limit_s: float, every_s: float = 0.05) -> float:
    """Wait until something holds; return after how many seconds it did."""
    start_s = CLOCK.monotonic_s()
    async with asyncio.timeout(limit_s):
        while True:
            found = condition()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return CLOCK.monotonic_s() - start_s
            await asyncio.sleep(every_s)


async def problems(hub: Hub, settings: Settings, *, deep: bool = False) -> dict[str, list[str]]:
    """Return what `marengocam check` complains about, by invariant."""
    store = Store(settings.media_dir, settings.archive_dir)
    findings = await findings_of(hub, store, CLOCK, deep=deep)
    return {one.name: one.problems for one in findings if one.problems}


async def problems_of(backend: Backend, *, deep: bool = False) -> dict[str, list[str]]:
    """The same, of a whole backend."""
    settings = settings_of(backend)
    async with open_hub(settings, "test", 2) as hub:
        return await problems(hub, settings, deep=deep)


async def leftovers_adopted(backend: Backend) -> None:
    """Wait until what killed processes left is finished and indexed: one file grows for each camera, no more."""
    settings = settings_of(backend)
    store = Store(settings.media_dir, settings.archive_dir)

    async def adopted() -> bool:
        files = [store.recordings(camera_id) for camera_id in store.cameras()]
        growing = [[file for file in of_one if file.name.endswith(GROWING_SUFFIX)] for of_one in files]
        finished = {str(store.relative(file)) for of_one in files for file in of_one if file.suffix == ".mp4"}
        with suppress(HubUnavailableError):
            return all(len(of_one) <= 1 for of_one in growing) and finished <= await _indexed(hub)
        return False

    async with open_hub(settings, "test", 2) as hub:
        await holds(adopted, ADOPTED_LIMIT_S, 0.3)


async def _indexed(hub: Hub) -> set[str]:
    found: set[str] = set()
    after = ""
    while page := await hub.chunks.page(after, PAGE):
        found |= {str(chunk.path) for chunk, _ in page}
        after = str(page[-1][0].path)
    return found


def log_of(backend: Backend) -> str:
    return Path(backend.child.log_file).read_text(errors="replace")
