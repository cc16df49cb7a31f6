"""A disk that stays full, one that is unmounted while it is recorded to, and another in its place."""

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.support.ingest_service import ingest_here, until
from tests.support.recordings import recorded
from tests.support.small_disk import MEGABYTE, fill, small_disk
from tests.support.squares import render_walks, square_eyes

from marengocam.core.model import Camera
from marengocam.core.secret import Secret
from marengocam.db.hub import open_hub
from marengocam.demo.rtsp import RtspServer
from marengocam.media.last_resort import GIVEN_UP, given_up, hold_ballast
from marengocam.media.store import MARKER, Store

DISK_MB = 32
NOWHERE = Secret("postgresql://nobody@127.0.0.1:1/nowhere")
SEVERAL_TRIES_S = 5.0  # at two a second
FILLER = "of_somebody_else"
MOST_LEFT = 2  # the file that was open, and one that is being begun


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "small", DISK_MB) as folder:
        yield folder


@pytest.fixture
def settings(hub_settings, disk, monkeypatch):
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, media_dir=disk, chunk_s=2.0, face_url="off")


@asynccontextmanager
async def recording(hub, settings, folder) -> AsyncIterator[Store]:
    """Ingest that has recorded one camera for a while."""
    clip = await asyncio.to_thread(render_walks, folder / "nobody.mp4", 2.0, [])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        async with ingest_here(hub, settings):

            async def recorded():
                return await hub.chunks.recorded_s("front") > 3

            await until(recorded)
            yield Store(settings.media_dir)


async def eat_all(folder):
    """Take every byte that becomes free, faster than ingest makes use of it."""
    with (folder / FILLER).open("ab", buffering=0) as writing:
        while True:
            for block in (MEGABYTE, 4096):
                with contextlib.suppress(OSError):
                    while writing.write(bytes(block)) == block:
                        pass
            await asyncio.sleep(0.005)


async def reason(hub):
    return (await hub.cameras.statuses())["front"].reason


async def test_a_disk_that_stays_full_is_not_littered_with_files_that_hold_nothing(hub, settings, tmp_path):
    async with recording(hub, settings, tmp_path) as store:
        hungry = asyncio.create_task(eat_all(settings.media_dir))

        async def told():
            return "No space" in await reason(hub)

        await until(told)
        await asyncio.sleep(SEVERAL_TRIES_S)
        growing = [file for file in store.recordings("front") if file.name.endswith(".part")]
        assert len(growing) <= MOST_LEFT
        hungry.cancel()
        await asyncio.gather(hungry, return_exceptions=True)
        (settings.media_dir / FILLER).unlink()

        async def well():
            return not await reason(hub)

        await until(well)


async def test_nothing_is_recorded_beside_the_data_when_its_disk_is_unmounted_and_it_goes_on_when_it_is_back(
    hub, settings, tmp_path, caplog
):
    async with recording(hub, settings, tmp_path) as store:
        subprocess.run(["umount", "-l", str(store.root)], check=True)

        async def told():
            return "is not mounted" in await reason(hub)

        try:
            await until(told)
            await asyncio.sleep(2 * settings.chunk_s)
            assert await told(), "as long as it lasts"
            assert list(store.root.rglob("*")) == [], "neither recordings nor pictures"
            logged = [one for one in caplog.records if one.name == "marengocam.ingest.analysing"]
            assert len(logged) <= 1, "not once a second"
        finally:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(store.root)], check=True)

        async def recorded_again():
            return not await reason(hub) and bool(store.recordings("front"))

        await until(recorded_again)


async def test_a_disk_of_another_installation_in_its_place_is_not_recorded_to(hub, settings, tmp_path):
    async with recording(hub, settings, tmp_path) as store:
        ours = (store.root / MARKER).read_text()
        (store.root / MARKER).write_text(str(uuid4()))

        async def told():
            return "belongs to another" in await reason(hub)

        await until(told)
        before = {file.name.removesuffix(".part") for file in store.recordings("front")}
        await asyncio.sleep(2 * settings.chunk_s)
        assert {file.name.removesuffix(".part") for file in store.recordings("front")} <= before
        (store.root / MARKER).write_text(ours)

        async def recorded_again():
            return not await reason(hub) and len(store.recordings("front")) > len(before)

        await until(recorded_again)


async def test_of_another_installation_s_disk_nothing_is_deleted_however_full_it_is_with_a_hub_or_without(
    hub, settings, tmp_path
):
    clip = await asyncio.to_thread(render_walks, tmp_path / "nobody.mp4", 2.0, [])
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front")))
        store = Store(settings.media_dir)
        for hub_is_there in (True, False):
            if not hub_is_there:
                settings = replace(settings, database_url=NOWHERE)
            theirs = [await asyncio.to_thread(recorded, store, clip, timedelta(hours=hours), "old") for hours in (1, 2)]
            (store.root / MARKER).write_text(str(uuid4()))
            (store.root / GIVEN_UP).write_text(f"{int(theirs[0].started_at.timestamp())} {theirs[0].path}\n")
            hold_ballast(store)  # as they do, so that there is room for the list of what goes
            fill(store.root)
            async with open_hub(settings, "ingest", 2) as seen, ingest_here(seen, settings) as (service, _):
                await asyncio.sleep(SEVERAL_TRIES_S)
                assert "belongs to another" in service.health().reason
            assert all((store.root / one.path).exists() for one in theirs)
            assert list(given_up(store)) == [theirs[0].path], "nor is what they have to settle yet"
            assert store.recordings("front") == []
            (store.root / "something_else").unlink()
