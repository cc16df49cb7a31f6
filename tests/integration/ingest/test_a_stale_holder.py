"""Ingest that was cut off from hub and camera, and whose camera another serves by now, tells nothing of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import render_walks, square_eyes

from marengocam.core.clock import SystemClock
from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Camera, CameraState, Lease
from marengocam.db.cameras import CameraStatus
from marengocam.db.hub import Hub, open_hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.ingest import camera_state
from marengocam.settings import Settings

SEVERAL_ROUNDS_S = 5.0
THEIR_PLACES = [{"label": "person", "box": [0.1, 0.2, 0.3, 0.4]}]


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off")


@pytest_asyncio.fixture
async def another(settings: Settings) -> AsyncIterator[Hub]:
    """The hub as another process sees it."""
    async with open_hub(settings, "another", 2) as opened:
        yield opened


def status_of(fence: int) -> CameraStatus:
    now = SystemClock().now()
    return CameraStatus("front", CameraState.ONLINE, "", now, now, now, {"fence": fence})


async def test_what_a_stale_holder_says_of_a_camera_is_not_written(hub: Hub) -> None:
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1/front"))
    stale = await hub.leases.acquire("camera:front", "one", 0.05)
    await asyncio.sleep(0.1)
    lease = await hub.leases.acquire("camera:front", "two", 30)
    assert stale is not None
    assert lease is not None
    for fence, written in ((lease.fence, True), (stale.fence, False), (0, False)):
        assert await hub.cameras.write_status(status_of(fence), fence) is written
        await hub.memory.keep_furniture("front", [{"fence": fence}], fence)
    assert (await hub.cameras.statuses())["front"].metrics == {"fence": lease.fence}
    assert await hub.memory.furniture("front") == [{"fence": lease.fence}]


async def test_whoever_comes_back_after_a_take_over_neither_tells_nor_learns_for_its_former_camera(
    hub: Hub, another: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = await asyncio.to_thread(render_walks, tmp_path / "nobody.mp4", 2.0, [])

    async def away(*_: Any) -> None:
        raise HubUnavailableError("The network is gone.")

    async with RtspServer({"front": clip}) as server:
        await another.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings) as (service, _):

            async def online() -> bool:
                status = (await another.cameras.statuses()).get("front")
                return status is not None and status.state is CameraState.ONLINE

            await until(online)  # however long its first picture takes
            monkeypatch.setattr(camera_state, "OFFLINE_AFTER", timedelta(seconds=2))
            with monkeypatch.context() as cut:
                for way in (hub.database, hub.leases.database):
                    cut.setattr(way, "_opened", away)
                server.mounts.pop("front").drop_viewers()
                taken: list[Lease] = []

                async def taken_over() -> bool:
                    lease = await another.leases.acquire("camera:front", "another", 600)
                    taken.extend([lease] if lease is not None else [])
                    return bool(taken)

                await until(taken_over)
                await another.cameras.write_status(status_of(taken[0].fence))
                theirs = (await another.cameras.statuses())["front"]
                await another.memory.keep_furniture("front", THEIR_PLACES)
                assert service.health().detail["cameras"] == {"front": "offline"}, "so it looks from there"

            async def has_learned_of_it() -> bool:
                return service.health().detail["cameras"] == {}

            await until(has_learned_of_it)
            await asyncio.sleep(SEVERAL_ROUNDS_S)
    told = (await another.cameras.statuses())["front"]
    assert replace(told, silent_s=theirs.silent_s) == theirs
    assert await another.events.after(0, 100) == []
    assert await another.memory.furniture("front") == THEIR_PLACES
