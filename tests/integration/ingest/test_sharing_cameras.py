"""Two ingest processes on one hub: each serves its share, and what one learned outlives it."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.support.ingest_service import end_of, ingest_here, start_ingest, until
from tests.support.squares import render_walks

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.settings import Settings

NAMES = ("a", "b", "c", "d")


@pytest.fixture
def settings(hub_settings: Settings) -> Settings:
    return replace(hub_settings, chunk_s=2.0, face_url="off", detector="hog")


async def holders(hub: Hub) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for lease in await hub.leases.list():
        held.setdefault(lease.holder, []).append(lease.name)
    return held


@pytest.mark.timeout(240)
async def test_a_second_process_takes_its_share_and_the_first_takes_it_back_when_that_dies(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", 4.0, [1.0])
    async with RtspServer(dict.fromkeys(NAMES, clip)) as server:
        for name in NAMES:
            await hub.cameras.add(Camera(name, name, server.url(name)))
        first = await start_ingest(settings, tmp_path / "first.log")
        second = None
        try:

            async def all_on_one() -> bool:
                return [len(names) for names in (await holders(hub)).values()] == [4]

            async def two_each() -> bool:
                return sorted(len(names) for names in (await holders(hub)).values()) == [2, 2]

            async def all_recorded() -> bool:
                return min([await hub.chunks.recorded_s(name) for name in NAMES]) > 2

            await until(all_on_one, 40)
            second = await start_ingest(settings, tmp_path / "second.log")
            await until(two_each, 60)
            second.kill()
            await second.wait()
            await until(all_on_one, 40)
            await until(all_recorded, 60)
        finally:
            for process in (first, second):
                if process is not None and process.returncode is None:
                    process.terminate()
                    await process.wait()


async def test_what_was_learned_about_furniture_is_kept_with_its_camera(hub: Hub) -> None:
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1/front"))
    assert await hub.memory.furniture("front") == []
    places = [{"label": "person", "box": [0.1, 0.2, 0.3, 0.4]}]
    await hub.memory.keep_furniture("front", places)
    await hub.memory.keep_furniture("front", places)
    assert await hub.memory.furniture("front") == places
    await hub.memory.keep_furniture("not there", places)
    assert await hub.memory.furniture("not there") == []


class FastClock(SystemClock):
    """The clock of a host that is half a minute ahead of all others."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=30)


@pytest.mark.timeout(120)
async def test_a_host_whose_clock_is_ahead_leaves_others_their_share(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = render_walks(tmp_path / "walk.mp4", 4.0, [1.0])
    async with RtspServer(dict.fromkeys(NAMES, clip)) as server:
        for name in NAMES:
            await hub.cameras.add(Camera(name, name, server.url(name)))
        async with ingest_here(hub, settings, FastClock()) as (service, _):

            async def serves_all() -> bool:
                return len(service.health().detail.get("cameras", {})) == len(NAMES)

            async def shares() -> bool:
                return len(service.health().detail.get("cameras", {})) == len(NAMES) / 2

            await until(serves_all)
            other = await start_ingest(settings, tmp_path / "other.log")
            try:
                await until(shares, 60)
            finally:
                await end_of(other)
