"""A camera that is switched off while the hub takes no rows keeps its lease until they are written."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import WALK_S, render_walks, square_eyes

from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.rtsp.server import RtspServer
from marengocam.settings import Settings

SEVERAL_ROUNDS_S = 5.0


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off", analysis_fps=10.0)


async def test_its_tracks_end_in_the_hub_as_soon_as_that_takes_them(
    hub: Hub, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts_s = [number * WALK_S for number in range(4)]
    clip = await asyncio.to_thread(render_walks, tmp_path / "busy.mp4", 4 * WALK_S, starts_s)

    async def refuse(*_: Any) -> None:
        raise HubUnavailableError("The database is full.")

    async with RtspServer({"front": clip}) as server:
        camera = Camera("front", "Front", server.url("front"))
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings) as (service, _):

            async def followed() -> bool:
                return any(row.track.open for row in await hub.tracks.list(TrackFilter(camera_id="front"), 5))

            async def waits() -> bool:
                return bool(service.health().detail["rows_waiting"])

            async def rests() -> bool:
                return not service.health().detail["cameras"]

            async def written() -> bool:
                return not await followed() and not await waits() and await hub.leases.list() == []

            await until(followed)
            with monkeypatch.context() as full:
                full.setattr(hub.tracks, "save", refuse)
                await until(waits)
                await hub.cameras.update(replace(camera, enabled=False))
                await until(rests)
                await asyncio.sleep(SEVERAL_ROUNDS_S)
                assert await followed(), "its end could not be written"
            await until(written)
