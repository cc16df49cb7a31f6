"""A recording that a frozen process still holds when its camera is taken over is adopted once that process is gone."""

import asyncio
import fcntl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.recordings import recorded
from tests.support.squares import render_walks, square_eyes

from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.media.store import Store
from marengocam.settings import Settings


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    monkeypatch.setattr("marengocam.ingest.taking_over.HELD_RETRY_S", 1.0)
    return replace(hub_settings, chunk_s=2.0, face_url="off")


async def test_it_is_indexed_when_its_lock_has_gone_while_somebody_else_serves_the_camera(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    clip = await asyncio.to_thread(render_walks, tmp_path / "nobody.mp4", 3.0, [])
    store = Store(settings.media_dir)
    theirs = await asyncio.to_thread(recorded, store, clip, timedelta(minutes=1))
    growing = store.root / f"{theirs.path}.part"
    (store.root / theirs.path).rename(growing)

    async def rows() -> list[str]:
        return [str(chunk.path) for chunk, _ in await hub.chunks.page("", 500)]

    async def served() -> bool:
        return len(await rows()) >= 3

    async def adopted() -> bool:
        return str(theirs.path) in await rows()

    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        with growing.open("rb") as frozen:
            fcntl.flock(frozen, fcntl.LOCK_EX)
            async with ingest_here(hub, settings):
                await until(served)
                assert growing.exists(), "what somebody holds is left alone"
                fcntl.flock(frozen, fcntl.LOCK_UN)
                await until(adopted)
    assert not growing.exists()
