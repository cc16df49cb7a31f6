"""While the recordings' disk is not mounted, or another's is in its place, nothing is deleted and nothing forgotten."""

import asyncio
import contextlib
import shutil
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.support.recordings import recorded

from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.core.model import LocalTrack
from marengocam.db.tracks import TrackFilter
from marengocam.janitor.archive import move
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.janitor.pruning import REPLAYS_KEPT
from marengocam.media.names import ARCHIVE
from marengocam.media.store import MARKER, Store
from marengocam.replay.places import run_place

WAIT_LIMIT_S = 40.0
SEVERAL_ROUNDS_S = 1.5
TOLD = {"not_mounted": "mount its disk", "another_s": "belongs to another MarengoCam installation"}


@contextlib.contextmanager
def away(folder, how):
    """Have a folder's disk be gone, or another installation's in its place."""
    disk = folder.with_name(f"{folder.name}_elsewhere")
    folder.rename(disk)
    folder.mkdir()
    if how == "another_s":
        Store(folder).prepare(uuid4())
    try:
        yield
        assert {file.name for file in folder.iterdir()} <= {MARKER}, "nothing is put there either"
    finally:
        shutil.rmtree(folder)
        disk.rename(folder)


@pytest.fixture(params=TOLD)
def how(request):
    return request.param


async def until_told(service, how):
    while TOLD[how] not in service.health().reason:
        await asyncio.sleep(0.05)


async def test_however_full_the_wrong_disk_is_no_recording_is_given_up_for_it(
    hub, settings, store, clip, at_work, broken, how
):
    chunks = [recorded(store, clip, timedelta(days=days)) for days in (3, 2)]
    await hub.chunks.add(chunks)
    with contextlib.ExitStack() as gone:
        gone.enter_context(away(store.root, how))
        async with at_work(replace(settings, archive_dir=None), full=True) as service, asyncio.timeout(WAIT_LIMIT_S):
            await until_told(service, how)
            await asyncio.sleep(SEVERAL_ROUNDS_S)
            assert await hub.chunks.page("", 10) == [(one, False) for one in chunks]
            assert TOLD[how] in service.health().reason, "as long as it lasts"
            gone.close()
            while await hub.chunks.page("", 10):
                await asyncio.sleep(0.05)
    assert not any(store.resolve(one.path).exists() for one in chunks)
    assert await broken() == {}


async def test_what_is_old_or_too_much_waits_with_its_rows_until_its_disk_is_back(
    hub, settings, store, clip, at_work, broken, how
):
    now = SystemClock().now()
    old, young = recorded(store, clip, timedelta(days=9)), recorded(store, clip, timedelta(hours=1))
    await hub.chunks.add([old, young])
    long_ago = now - timedelta(days=20)
    lease = await hub.leases.acquire("camera:front", "test", 60)
    await hub.tracks.save(
        [LocalTrack(uuid4(), "front", "person", long_ago, long_ago, False, 0.9, 3)], {"front": lease.fence}
    )
    run_id = await hub.replays.request("front", now - REPLAYS_KEPT - timedelta(hours=1))
    await hub.replays.finish(run_id, {}, now - REPLAYS_KEPT - timedelta(hours=1))
    run_place(settings.media_dir, run_id).mkdir(parents=True)
    with contextlib.ExitStack() as gone:
        gone.enter_context(away(store.root, how))
        limits = replace(settings, retention_days=2, retention_max_bytes=1)
        async with at_work(limits) as service, asyncio.timeout(WAIT_LIMIT_S):
            await until_told(service, how)
            await asyncio.sleep(SEVERAL_ROUNDS_S)
            assert await hub.chunks.page("", 10) == [(old, False), (young, False)]
            assert len(await hub.tracks.list(TrackFilter(), 10)) == 1
            assert [run.run_id for run in await hub.replays.list(10)] == [run_id]
            gone.close()
            while await hub.chunks.page("", 10) or await hub.replays.list(10):
                await asyncio.sleep(0.05)
    assert not store.resolve(old.path).exists()
    assert not run_place(settings.media_dir, run_id).exists()
    assert await broken() == {}


async def test_a_condemned_recording_keeps_its_row_until_its_own_disk_is_back(hub, store, clip, disks, how):
    archived, other = (recorded(store, clip, timedelta(days=days)) for days in (9, 8))
    await hub.chunks.add([archived, other])
    assert await move(hub, store, archived, disks)
    await condemn(hub, [archived, other], SystemClock())
    with away(store.archive, how):
        done = await carry_out(hub, store, disks)
        assert (done.count, TOLD[how] in done.problem) == (1, True)
        assert not store.resolve(other.path).exists()
        assert [one.chunk_id for one, _ in await hub.chunks.page("", 10)] == [archived.chunk_id]
    assert (await carry_out(hub, store, disks)).count == 1
    assert not store.resolve(ARCHIVE / archived.path).exists()
    assert await hub.chunks.page("", 10) == []


async def test_a_disk_that_goes_while_it_is_deleted_from_keeps_its_rows(hub, store, clip, disks, monkeypatch):
    chunk = recorded(store, clip, timedelta(days=9))
    await hub.chunks.add([chunk])
    await condemn(hub, [chunk], SystemClock())
    with contextlib.ExitStack() as gone:

        def too_late(path, delete=store.delete):
            gone.enter_context(away(store.root, "not_mounted"))
            delete(path)

        with monkeypatch.context() as patched:
            patched.setattr(store, "delete", too_late)
            assert (await carry_out(hub, store, disks)).count == 0
    assert await hub.chunks.page("", 10) == [(chunk, True)]
    assert (await carry_out(hub, store, disks)).count == 1
    assert not store.resolve(chunk.path).exists()


async def test_an_archive_that_goes_before_a_copy_is_not_copied_to(hub, store, clip, disks, how):
    chunk = recorded(store, clip, timedelta(days=9))
    await hub.chunks.add([chunk])
    with away(store.archive, how), pytest.raises(StoreError, match=TOLD[how]):
        await move(hub, store, chunk, disks)
    assert store.resolve(chunk.path).exists()
    assert await hub.chunks.page("", 10) == [(chunk, False)]
