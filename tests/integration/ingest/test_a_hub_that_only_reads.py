"""A hub that can be read and not written, as a standby or one whose disk is full: cameras are recorded all the same."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.outages import database_only_reads
from tests.support.squares import render_walks, square_eyes

from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.media.store import Store
from marengocam.settings import Settings

SEVERAL_ROUNDS_S = 5.0
LONGEST_GAP_S = 0.5


@pytest.fixture
def settings(hub_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, chunk_s=2.0, face_url="off")


@contextlib.asynccontextmanager
async def one_camera(hub: Hub, settings: Settings, folder: Path) -> AsyncIterator[None]:
    """A camera that ingest has served before."""
    clip = await asyncio.to_thread(render_walks, folder / "nobody.mp4", 2.0, [])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def recorded() -> bool:
                return await hub.chunks.recorded_s("front") > 1

            await until(recorded)
        yield


async def indexed_to(hub: Hub, store: Store) -> bool:
    """Return whether each finished file has its row."""
    with contextlib.suppress(HubUnavailableError):
        rows = {str(chunk.path) for chunk, _ in await hub.chunks.page("", 500)}
        return {str(store.relative(file)) for file in store.recordings("front") if file.suffix == ".mp4"} <= rows
    return False


async def test_a_start_on_it_records_without_a_break_and_is_indexed_once_it_can_be_written(
    hub: Hub, settings: Settings, tmp_path: Path
) -> None:
    store = Store(settings.media_dir)
    async with one_camera(hub, settings, tmp_path):
        before = set(store.recordings("front"))
        async with contextlib.AsyncExitStack() as until_it_can_be_written, contextlib.AsyncExitStack() as running:
            await until_it_can_be_written.enter_async_context(database_only_reads(settings.database_url))
            await running.enter_async_context(ingest_here(hub, settings))

            async def recorded() -> bool:
                return len(set(store.recordings("front")) - before) >= 3

            await until(recorded)
            await asyncio.sleep(SEVERAL_ROUNDS_S)
            await until_it_can_be_written.aclose()

            async def leased_and_indexed() -> bool:
                return bool(await hub.leases.list()) and await indexed_to(hub, store)

            await until(leased_and_indexed)
    since = min(file.name for file in set(store.recordings("front")) - before)
    rows = [chunk for chunk, _ in await hub.chunks.page("", 500) if chunk.path.name >= since]
    gaps = [(later.started_at - sooner.ended_at).total_seconds() for sooner, later in pairwise(rows)]
    assert max(gaps) < LONGEST_GAP_S, "no round stopped a camera because its lease could not be had"
    assert len(rows) == len({chunk.path for chunk in rows})
