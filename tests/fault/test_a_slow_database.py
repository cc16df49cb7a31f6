"""A database that answers late: whoever holds cameras renews its leases in time, however much else it asks."""

import asyncio
from dataclasses import replace

import pytest
from tests.support.backends import CLOCK, holds
from tests.support.ingest_service import end_of, start_ingest
from tests.support.slow_database import slow_way
from tests.support.squares import render_walks

from marengocam.core.model import Camera
from marengocam.demo.rtsp import RtspServer
from marengocam.runtime.leases import TTL_S

CAMERAS = tuple("abcdef")
ANSWER_S = 0.6  # of each question; most calls take two or three
WATCHED_S = 30.0
WAIT_S = 60.0


@pytest.mark.timeout(200)
async def test_leases_do_not_end_while_the_database_is_slow(hub, hub_settings, tmp_path, record_property):
    clip = await asyncio.to_thread(render_walks, tmp_path / "walks.mp4", 4.0, [1.0])
    async with RtspServer(dict.fromkeys(CAMERAS, clip)) as cameras, slow_way(hub_settings.database_url) as way:
        for name in CAMERAS:
            await hub.cameras.add(Camera(name, name, cameras.url(name)))
        settings = replace(hub_settings, detector="hog", chunk_s=3.0, database_url=way.address)
        process = await start_ingest(settings, tmp_path / "ingest.log")

        async def all_held():
            return len(await hub.leases.list()) == len(CAMERAS)

        try:
            await holds(all_held, WAIT_S, 0.2)
            way.delay_s = ANSWER_S
            until_s, fewest, nearest_s = CLOCK.monotonic_s() + WATCHED_S, len(CAMERAS), TTL_S
            while CLOCK.monotonic_s() < until_s:
                leases = await hub.leases.list()
                fewest = min(fewest, len(leases))
                ends = ((one.expires_at - CLOCK.now()).total_seconds() for one in leases)
                nearest_s = min(nearest_s, *ends, TTL_S)
                await asyncio.sleep(0.2)
            way.delay_s = 0.0
        finally:
            await end_of(process)
    told = f"{fewest} of {len(CAMERAS)} leases held at the least, the nearest to its end {nearest_s:.1f} s before it"
    record_property("measured", told)
    assert fewest == len(CAMERAS)
