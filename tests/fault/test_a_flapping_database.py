"""A database that comes and goes every second or two for a while: recording, leases, index, memory, the log."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import psutil
import pytest
from tests.bench.measuring import moving_picture
from tests.support.backends import CLOCK, holds, problems
from tests.support.ingest_service import end_of, start_ingest
from tests.support.outages import database_away

from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Camera
from marengocam.demo.rtsp import RtspServer
from marengocam.media.store import Store

FLAPS_S = 45.0
AWAY_S, BACK_S = (0.3, 2.0), (0.2, 2.0)
CAMERAS = 3
CHUNK_S = 2.0
GAP_LIMIT_S = 0.5
CAUGHT_UP_LIMIT_S = 30.0
LOG_LINES_A_SECOND = 3.0
GROWTH_LIMIT_MB = 40.0
RUN_LIMIT_S = 150


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_database_that_flaps_costs_no_picture_no_lease_and_little_log(
    hub, hub_settings, tmp_path, record_property
):
    settings = replace(hub_settings, detector="hog", chunk_s=CHUNK_S, face_url="off")
    clip = moving_picture(tmp_path / "street.mp4", 640, 360, 15, 6, 1000)
    log = tmp_path / "ingest.log"
    names = [f"camera{number}" for number in range(CAMERAS)]
    async with RtspServer(dict.fromkeys(names, clip)) as server:
        for name in names:
            await hub.cameras.add(Camera(name, name, server.url(name)))
        process = await start_ingest(settings, log)
        try:
            await holds(lambda: recorded(settings, names), 60)
            fences = {lease.name: lease.fence for lease in await hub.leases.list()}
            before_mb, lines = memory_mb(process.pid), len(log.read_text().splitlines())
            began_s = CLOCK.monotonic_s()
            flaps = await flap(settings)
            took_s = CLOCK.monotonic_s() - began_s
            grown_mb = memory_mb(process.pid) - before_mb
            told = log.read_text().splitlines()[lines:]
            caught_up_s = await holds(lambda: in_line(hub, settings, names), CAUGHT_UP_LIMIT_S, 0.2)
            after = {lease.name: lease.fence for lease in await hub.leases.list()}
            await asyncio.sleep(2 * CHUNK_S)
        finally:
            await end_of(process)
    assert await problems(hub, settings, deep=True) == {}
    gaps_s = [gap for name in names for gap in await gaps_of(hub, name)]
    record_property(
        "measured",
        f"{flaps} outages in {took_s:.0f} s: worst gap {max(gaps_s):.2f} s, index in line after {caught_up_s:.1f} s, "
        f"{len(told) / took_s:.1f} lines of log a second, memory {grown_mb:+.0f} MB",
    )
    assert max(gaps_s) < GAP_LIMIT_S
    assert after == fences, "no camera changed hands"
    assert len(told) / took_s < LOG_LINES_A_SECOND, "\n".join(told[-50:])
    assert grown_mb < GROWTH_LIMIT_MB


async def flap(settings) -> int:
    """Take the database away again and again; return how often."""
    chance, until_s, flaps = random.Random(7), CLOCK.monotonic_s() + FLAPS_S, 0
    while CLOCK.monotonic_s() < until_s:
        async with database_away(settings.database_url):
            await asyncio.sleep(chance.uniform(*AWAY_S))
        await asyncio.sleep(chance.uniform(*BACK_S))
        flaps += 1
    return flaps


def memory_mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 2**20


def recorded(settings, names) -> bool:
    store = Store(settings.media_dir)
    return all(len(store.recordings(name)) > 2 for name in names)


async def in_line(hub, settings, names) -> bool:
    """Whether every finished file has its row."""
    store = Store(settings.media_dir)
    try:
        rows = {str(chunk.path) for chunk, _ in await hub.chunks.page("", 500)}
    except HubUnavailableError:
        return False
    files = {str(store.relative(file)) for name in names for file in store.recordings(name) if file.suffix == ".mp4"}
    return len(files - rows) <= len(names)  # those just finished may be on their way


async def gaps_of(hub, name):
    now = CLOCK.now()
    chunks = await hub.chunks.span(name, now - timedelta(minutes=30), now + timedelta(hours=2))
    return [(after.started_at - before.ended_at).total_seconds() for before, after in pairwise(chunks)]
