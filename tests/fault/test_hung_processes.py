"""A service that hangs is gone within 20 s, its stack in the log, and back within 5 s; the rest does not notice."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp
import psutil
import pytest
from tests.support.backends import (
    CLOCK,
    SERVICES,
    holds,
    is_well,
    leftovers_adopted,
    log_of,
    problems_of,
    service_process,
)
from tests.support.squares import render_walks

from marengocam.demo.backend import start_backend
from marengocam.demo.processes import stop_child
from marengocam.demo.rtsp import RtspServer

HANGING = Path(__file__).parents[1] / "support" / "hanging"
GONE_LIMIT_S, BACK_LIMIT_S = 20.0, 5.0
MERCY = 3.0  # for a machine that other tests keep busy
HANGS = {"ingest": signal.SIGUSR2, "resolver": signal.SIGUSR1, "janitor": signal.SIGWINCH}
RUN_LIMIT_S = 200


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_services_that_hang_are_ended_with_their_stacks_and_come_back(short_data_folder, record_property):
    data = short_data_folder
    data.chmod(0o755)
    clip = render_walks(data / "walks.mp4", 12.0, [1.0, 6.0])
    environment = {
        "MARENGOCAM_DETECTOR": "hog",
        "MARENGOCAM_DOWNLOAD_MODELS": "false",
        "MARENGOCAM_CHUNK_S": "4",
        "PYTHONPATH": str(HANGING),
    }
    async with RtspServer({"a": clip}) as cameras, aiohttp.ClientSession() as session:
        backend = await start_backend(data, environment, session)
        try:
            await backend.call("POST", "/cameras", {"name": "a", "main_url": cameras.url("a")})
            parent = psutil.Process(backend.child.process.pid)
            ports = {name: backend.environment[f"MARENGOCAM_{name.upper()}_HEALTH_PORT"] for name in HANGS}
            await holds((data / "media/recordings/a").exists, 60)
            for name in HANGS:  # what hangs at its start is another matter
                await holds(lambda name=name: is_well(session, ports[name]), 60)
            before = {name: service_process(parent, name).pid for name in SERVICES}
            web_port = backend.environment["MARENGOCAM_WEB_PORT"]

            async def hang(name):
                pid = before[name]
                psutil.Process(pid).send_signal(HANGS[name])
                gone_s = await holds(lambda: not alive(pid), GONE_LIMIT_S * MERCY)
                back_s = await holds(lambda: is_well(session, ports[name]), 60)
                return round(gone_s, 1), round(back_s, 1)

            slowest_s = asyncio.create_task(slowest_answer(session, web_port))
            times = dict(zip(HANGS, await asyncio.gather(*(hang(name) for name in HANGS)), strict=True))
            slowest_s.cancel()
            after = {name: service_process(parent, name).pid for name in SERVICES}
            assert {name for name in SERVICES if after[name] != before[name]} == set(HANGS), "the others go on"
            said = log_of(backend)
            assert said.count("Timeout (0:00:15)!") == len(HANGS)
            for stack in ("_hold_the_lock", "_wait_in_c"):
                assert stack in said
            with suppress(asyncio.CancelledError):
                await slowest_s
        finally:
            await stop_child(backend.child)
        backend = await start_backend(data, environment, session)
        try:
            await leftovers_adopted(backend)
            assert await problems_of(backend) == {}
        finally:
            await stop_child(backend.child)
    told = "; ".join(f"{name} gone after {gone} s, back after {back} s" for name, (gone, back) in times.items())
    record_property("measured", told)
    assert max(gone for gone, _ in times.values()) < GONE_LIMIT_S + MERCY
    assert max(back for _, back in times.values()) < BACK_LIMIT_S * MERCY


def alive(pid):
    with suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


async def slowest_answer(session, port):
    """Ask the web service all the time; it may never fail."""
    while True:
        began_s = CLOCK.monotonic_s()
        async with session.get(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 200
        assert CLOCK.monotonic_s() - began_s < GONE_LIMIT_S
        await asyncio.sleep(0.2)
