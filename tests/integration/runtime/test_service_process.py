"""A service as a real process: health, heartbeat, drain, hang."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
from tests.support.ports import free_port

from marengocam.core.secret import Secret

LIMIT_S = 50.0  # of waiting for a Python that starts on a busy machine
SERVICE = """
import asyncio, sys, time
from marengocam.runtime.health import HealthReport
from marengocam.runtime import service
from marengocam.runtime.service import run_service
from marengocam.settings import load_settings

MODE = sys.argv[1]

class Service:
    asked = 0
    def health(self):
        self.asked += 1
        if MODE == "surprises" and self.asked == 1:
            raise KeyError("it counts what is changed meanwhile")
        return HealthReport("failing", "it is broken") if MODE == "failing" else HealthReport("ok", "", {"mode": MODE})
    async def run(self, context):
        if MODE == "ends":
            return
        if MODE == "hangs":
            await asyncio.sleep(1)
            import re
            re.match(r"(a+)+$", "a" * 60 + "b")  # in C, holding the interpreter's lock, for ever
        await context.stopping.wait()
        if MODE == "sticks":
            await asyncio.sleep(1000)

if MODE == "sticks":
    service.DRAIN_LIMIT_S = 2.0
limit = {"watchdog_limit_s": 2.0} if MODE == "hangs" else {}  # a busy machine is no hang
sys.exit(run_service("janitor", load_settings(), Service, **limit))
"""


@asynccontextmanager
async def running(mode, settings):
    port = free_port()
    environment = os.environ | {
        "MARENGOCAM_DATA_DIR": str(settings.data_dir),
        "MARENGOCAM_MEDIA_DIR": str(settings.media_dir),
        "MARENGOCAM_DATABASE_URL": settings.database_url.reveal(),
        "MARENGOCAM_JANITOR_HEALTH_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, mode, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def get(url):
    async with asyncio.timeout(LIMIT_S), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(url) as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)


async def test_it_tells_its_health_beats_and_leaves_quietly(hub, hub_settings):
    async with running("well", hub_settings) as (process, address):
        status, text = await get(f"{address}/health")
        assert status == 200
        assert '"mode": "well"' in text
        async with asyncio.timeout(LIMIT_S):
            while not await hub.health.list():
                await asyncio.sleep(0.1)
        status, text = await get(f"{address}/metrics")
        assert status == 200
        within_5_s = next(
            line for line in text.splitlines() if line.startswith('marengocam_database_call_s_bucket{le="5.0"}')
        )
        assert float(within_5_s.split()[-1]) > 0, "its own calls to the database are timed"
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0
        assert await hub.health.list() == []


async def test_it_gives_signs_of_life_even_after_one_that_failed(hub, hub_settings):
    async with running("surprises", hub_settings) as (process, _), asyncio.timeout(LIMIT_S):
        while b"no heartbeat" not in await process.stderr.readline():
            pass
        while not await hub.health.list():
            await asyncio.sleep(0.1)


async def test_a_failing_service_says_503(hub_settings):
    async with running("failing", hub_settings) as (_, address):
        status, text = await get(f"{address}/health")
        assert status == 503
        assert "it is broken" in text


async def test_a_service_that_ends_by_itself_is_an_error(hub_settings):
    async with running("ends", hub_settings) as (process, _):
        async with asyncio.timeout(LIMIT_S):
            _, output = await process.communicate()
        assert process.returncode == 1
        assert b"ended by itself" in output


async def test_a_hang_inside_c_ends_the_process_with_its_stack(hub_settings):
    async with running("hangs", hub_settings) as (process, _):
        async with asyncio.timeout(LIMIT_S):
            _, output = await process.communicate()
        assert process.returncode == 1
        assert b"Timeout (0:00:02)!" in output
        assert b"re.match" in output or b"in match" in output


async def test_a_service_that_does_not_drain_is_ended_and_named(hub_settings):
    async with running("sticks", hub_settings) as (process, address):
        await get(f"{address}/health")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(LIMIT_S):
            _, output = await process.communicate()
        assert process.returncode == 3
        assert b"not drained" in output
        assert b"asyncio.sleep(1000)" in output or b"in run" in output


async def test_it_starts_and_waits_without_a_database(hub_settings, tmp_path):
    away = replace(hub_settings, database_url=Secret(f"postgresql://nobody@/x?host={tmp_path}"))
    async with running("well", away) as (process, address):
        status, text = await get(f"{address}/health")
        assert (status, '"degraded"' in text) == (200, True)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        assert process.returncode == 0
