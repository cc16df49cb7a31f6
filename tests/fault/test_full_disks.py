"""A disk that fills, with and without hub and janitor, and one that turns read-only: the present is recorded."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest
from tests.bench.measuring import moving_picture
from tests.support.backends import CLOCK, holds, problems
from tests.support.ingest_service import END_LIMIT_S, ingest_here, start_ingest
from tests.support.outages import database_away
from tests.support.recordings import middle, recorded
from tests.support.small_disk import fill, fill_with_files, small_disk
from tests.support.web_app import service_context

from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Camera, EventType, NewEvent
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.events import EventFilter
from marengocam.db.hub import open_hub
from marengocam.db.migrate import migrate
from marengocam.demo.rtsp import RtspServer
from marengocam.janitor import service as janitor
from marengocam.janitor.service import JanitorService
from marengocam.media.last_resort import read_favourites
from marengocam.media.store import Store
from marengocam.runtime.bus import Bus
from marengocam.settings import Settings

DISK_MB, DATABASE_MB = 64, 160
FILES = 140  # of a disk that has room for more bytes than files
GAP_LIMIT_S = 2.0
RUN_LIMIT_S = 200
CHUNK_S = 3.0


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path / "small", DISK_MB) as folder:
        yield folder


@pytest.fixture
def settings(hub_settings, disk):
    return replace(hub_settings, media_dir=disk, detector="hog", chunk_s=CHUNK_S, face_url="off")


@pytest.fixture
def clip(tmp_path):
    return moving_picture(tmp_path / "street.mp4", 640, 360, 15, 6, 2500)


async def old_recordings(hub, settings, clip, count):
    """Return recordings of the last hours; each takes some 2 MB."""
    store = Store(settings.media_dir)
    store.prepare(await hub.settings_store.installation_id())
    chunks = [
        await asyncio.to_thread(recorded, store, clip, timedelta(hours=count - number), "old")
        for number in range(count)
    ]
    await hub.chunks.add(chunks)
    return chunks


def files(settings):
    return sorted(Store(settings.media_dir).recordings("front"), key=lambda file: file.name)


async def kept(hub):
    return {str(chunk.path) for chunk, condemned in await hub.chunks.page("", 500) if not condemned}


def finished(settings):
    store = Store(settings.media_dir)
    found = [file for camera_id in store.cameras() for file in store.recordings(camera_id)]
    return {str(store.relative(file)) for file in found if file.suffix == ".mp4"}


async def gaps_s(hub, settings, camera_id="front"):
    """Return what lies between the files of a camera, growing ones apart."""
    now = CLOCK.now()
    chunks = await hub.chunks.span(camera_id, now - timedelta(minutes=30), now + timedelta(hours=2))
    return [(after.started_at - before.ended_at).total_seconds() for before, after in pairwise(chunks)]


@contextlib.asynccontextmanager
async def ingest_process(settings, log):
    process = await start_ingest(settings, log)
    try:
        yield process
        assert process.returncode is None, log.read_text()[-2000:]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(END_LIMIT_S):
                await process.wait()


async def more_recorded(settings, count):
    """Wait until so many more files of the camera are finished."""
    before = len([file for file in files(settings) if file.suffix == ".mp4"])

    def there():
        return len([file for file in files(settings) if file.suffix == ".mp4"]) >= before + count

    await holds(there, 90)


async def recorded_on_while_the_oldest_went(hub, settings, old):
    """Return what was measured."""
    left = {chunk.chunk_id for chunk, condemned in await hub.chunks.page("", 500) if not condemned}
    gone = [chunk.chunk_id not in left for chunk in old]
    assert gone == sorted(gone, reverse=True), "the oldest went first"
    assert 0 < sum(gone) < len(old)
    worst_s = max(await gaps_s(hub, settings))
    assert worst_s < GAP_LIMIT_S
    return f"gap {max(worst_s, 0.0):.2f} s, {sum(gone)} old files given up, index in line after"


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_disk_filled_while_hub_and_janitor_are_away_costs_old_recordings_and_no_new_one(
    hub, settings, clip, tmp_path, record_property
):
    old = await old_recordings(hub, settings, clip, 12)
    async with RtspServer({"front": clip}) as cameras:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        async with ingest_process(settings, tmp_path / "ingest.log"):
            await more_recorded(settings, 2)
            async with database_away(settings.database_url):
                await asyncio.to_thread(fill, settings.media_dir)
                await more_recorded(settings, 3)
            async with asyncio.timeout(60):
                while await kept(hub) != finished(settings):
                    await asyncio.sleep(0.2)
            assert await problems(hub, settings) == {}
        assert await problems(hub, settings, deep=True) == {}
    record_property("measured", await recorded_on_while_the_oldest_went(hub, settings, old))


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_disk_that_fills_turns_survival_mode_on_step_by_step_and_off_when_it_is_relieved(
    hub, settings, clip, tmp_path, monkeypatch, record_property
):
    monkeypatch.setattr(janitor, "ROUND_S", 0.5)
    monkeypatch.setattr("marengocam.janitor.survival.LOWER_AFTER_S", 1.0)
    old = await old_recordings(hub, settings, clip, 12)
    marked = NewEvent(uuid4(), EventType.MOMENT_MARKED, middle(old[0]), camera_id="old", data={"label": "x"})
    await hub.events.append([marked])
    async with RtspServer({"front": clip}) as cameras, Bus(hub).running() as bus:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        context = service_context(hub, replace(settings, retention_days=100), bus, "janitor")
        service = JanitorService()
        job = asyncio.create_task(service.run(context))
        async with ingest_process(settings, tmp_path / "ingest.log"):
            await more_recorded(settings, 2)
            await holds(lambda: bool(read_favourites(Store(settings.media_dir))), 30)
            other = await asyncio.to_thread(fill, settings.media_dir, int(0.05 * DISK_MB * 2**20))
            await holds(lambda: service.health().detail["survival_mode"], 30)
            assert "Survival mode" in service.health().reason
            relieved_s = await holds(lambda: service._rescue.space.used_share < 0.9, 60)
            await more_recorded(settings, 2)
            other.unlink()
            await holds(lambda: not service.health().detail["survival_mode"], 90)
        context.stopping.set()
        await job
    assert await problems(hub, settings, deep=True) == {}
    left = {chunk.chunk_id for chunk, condemned in await hub.chunks.page("", 500) if not condemned}
    gone = [chunk.chunk_id not in left for chunk in old]
    assert gone[0] is False, "the favourite, though it is the oldest, is still there"
    assert gone[1:] == sorted(gone[1:], reverse=True)
    assert any(gone)
    told = await hub.events.after(0, 500, EventFilter(type=EventType.SURVIVAL_MODE_CHANGED))
    levels = [event.data["level"] for event in told]
    assert all(abs(b - a) == 1 for a, b in pairwise([0, *levels]))
    assert (levels[0], levels[-1]) == (1, 0)
    assert [event.data["state"] for event in told][-1] == "off"
    assert await hub.settings_store.get("analysis_shed_level") == 0
    worst_s = max(await gaps_s(hub, settings))
    record_property(
        "measured",
        f"gap {max(worst_s, 0.0):.2f} s, below 90 % again after {relieved_s:.1f} s, highest level {max(levels)}, "
        f"{sum(gone)} old files deleted, the favourite kept",
    )
    assert worst_s < GAP_LIMIT_S


@pytest.fixture
def few_files(tmp_path):
    with small_disk(tmp_path / "few", 10 * DISK_MB, FILES) as folder:
        yield folder


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_disk_that_takes_no_more_files_while_hub_and_janitor_are_away_is_recorded_on(
    hub, settings, few_files, clip, tmp_path, record_property
):
    settings = replace(settings, media_dir=few_files)
    old = await old_recordings(hub, settings, clip, 12)
    async with RtspServer({"front": clip}) as cameras:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        async with ingest_process(settings, tmp_path / "ingest.log"):
            await more_recorded(settings, 2)
            async with database_away(settings.database_url):
                await asyncio.to_thread(fill_with_files, few_files)
                await more_recorded(settings, 3)
            async with asyncio.timeout(60):
                while await kept(hub) != finished(settings):
                    await asyncio.sleep(0.2)
    assert await problems(hub, settings, deep=True) == {}
    record_property("measured", await recorded_on_while_the_oldest_went(hub, settings, old))


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_disk_that_runs_out_of_files_turns_survival_mode_on_and_is_told_as_that(
    hub, settings, few_files, clip, tmp_path, monkeypatch, record_property
):
    monkeypatch.setattr(janitor, "ROUND_S", 0.5)
    monkeypatch.setattr("marengocam.janitor.survival.LOWER_AFTER_S", 1.0)
    settings = replace(settings, media_dir=few_files)
    await old_recordings(hub, settings, clip, 12)
    async with RtspServer({"front": clip}) as cameras, Bus(hub).running() as bus:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        context = service_context(hub, replace(settings, retention_days=100), bus, "janitor")
        service = JanitorService()
        job = asyncio.create_task(service.run(context))
        async with ingest_process(settings, tmp_path / "ingest.log"):
            await more_recorded(settings, 2)
            others = await asyncio.to_thread(fill_with_files, few_files, FILES // 20)
            await holds(lambda: service.health().detail["survival_mode"], 30)
            assert "files" in service.health().reason
            relieved_s = await holds(lambda: service._rescue.space.used_share < 0.9, 60)
            await more_recorded(settings, 2)
            await asyncio.to_thread(shutil.rmtree, others)
            await holds(lambda: not service.health().detail["survival_mode"], 90)
        context.stopping.set()
        await job
    assert await problems(hub, settings, deep=True) == {}
    worst_s = max(await gaps_s(hub, settings))
    record_property("measured", f"gap {max(worst_s, 0.0):.2f} s, below 90 % again after {relieved_s:.1f} s")
    assert worst_s < GAP_LIMIT_S


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_folder_that_refuses_writes_for_a_moment_costs_nothing_of_the_recording(
    hub, settings, clip, monkeypatch, record_property
):
    def refusing(*_arguments, **_named):
        raise OSError(5, "Input/output error")

    async with RtspServer({"front": clip}) as cameras:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        async with ingest_here(hub, settings):
            await more_recorded(settings, 2)
            with monkeypatch.context() as patch:
                patch.setattr("marengocam.media.chunk_writer.ChunkWriter._mux", refusing)
                await holds(lambda: said_to_fail(hub), 30)
                await asyncio.sleep(3)
            await more_recorded(settings, 2)
            await holds(lambda: says_nothing_is_wrong(hub), 30)
    assert await problems(hub, settings, deep=True) == {}
    worst_s = max(await gaps_s(hub, settings))
    record_property("measured", f"gap {max(worst_s, 0.0):.2f} s after more than 3 s of errors on every write")
    assert worst_s < GAP_LIMIT_S


async def says_nothing_is_wrong(hub):
    return (await hub.cameras.statuses())["front"].reason == ""


async def said_to_fail(hub):
    status = (await hub.cameras.statuses()).get("front")
    return status is not None and "cannot be" in status.reason


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_full_database_disk_refuses_in_time_and_loses_nothing_that_was_committed(record_property):
    folder = Path(tempfile.mkdtemp(prefix="mc-full-"))
    folder.chmod(0o755)
    server = None
    try:
        with small_disk(folder / "disk", DATABASE_MB) as disk:
            server = EmbeddedServer(disk, die_with_parent=True)
            await asyncio.to_thread(server.start)
            settings = Settings(data_dir=disk, media_dir=folder / "media")
            await migrate(settings)
            async with open_hub(settings, "test", 2) as hub:
                committed = await filled_up(hub, disk)
                slowest_s = max(committed.values())
                (disk / "something_else").unlink()
                if not server.running():
                    await asyncio.to_thread(server.start)
                await holds(lambda: answers(hub), 60, 0.5)
                events = await hub.events.after(0, 100_000)
                assert {event.event_id for event in events} >= set(committed)
                await hub.events.append([fact()])
            await asyncio.to_thread(server.stop)
            server = None
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    record_property(
        "measured", f"{len(committed)} events committed before, all there after; slowest call {slowest_s:.1f} s"
    )
    assert slowest_s < 6


def fact():
    return NewEvent(uuid4(), EventType.MOVEMENT_SEEN, CLOCK.now(), data={"label": "x" * 2000})


async def filled_up(hub, disk):
    """Write events while the disk fills; return those that were committed, and how long each took."""
    committed, refused = {}, 0
    await hub.events.append([one := fact()])
    committed[one.event_id] = 0.0
    await asyncio.to_thread(fill, disk)
    while refused < 3 and len(committed) < 50_000:
        batch = [fact() for _ in range(200)]
        began_s = CLOCK.monotonic_s()
        try:
            await hub.events.append(batch)
        except HubUnavailableError:
            refused += 1
            assert CLOCK.monotonic_s() - began_s < 10
        else:
            took_s = CLOCK.monotonic_s() - began_s
            committed |= {one.event_id: took_s for one in batch}
    assert refused, "the disk did not fill"
    return committed


async def answers(hub):
    with contextlib.suppress(HubUnavailableError):
        return await hub.events.last_number() >= 0
    return False
