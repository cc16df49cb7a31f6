"""Moves to the second folder, killed after every step; recordings there are played, checked and deleted like others."""

import asyncio
import contextlib
import itertools
import os
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.recordings import recorded

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.db.retention import RetentionStore
from marengocam.ingest.catching_up import index_leftovers
from marengocam.janitor import deletion
from marengocam.janitor.archive import end_cut_short_moves, move
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.janitor.quiet import QuietThread
from marengocam.media.names import ARCHIVE
from marengocam.media.playlist import recording_playlist
from marengocam.media.runs import recordings_in
from marengocam.media.store import Store

WAIT_LIMIT_S = 40.0
PATIENCE_S = 20.0  # with a disk that is not to be found hanging
LIMIT_S = 1.2
HANG_S = 60.0


class KilledError(Exception):
    """Stands for kill -9 at this instruction."""


@contextlib.contextmanager
def killed_after(steps):
    """Have the n-th step of a move be the last."""
    counter = itertools.count(1)

    def count():
        if next(counter) >= steps:
            raise KilledError

    def killing(step):
        async def then_die(*arguments):
            result = await step(*arguments)
            count()
            return result

        return then_die

    def killing_here(step):
        def then_die(*arguments):
            step(*arguments)
            count()

        return then_die

    with pytest.MonkeyPatch.context() as patch:
        for name in ("begin_move", "switch_over", "end_move"):
            patch.setattr(RetentionStore, name, killing(getattr(RetentionStore, name)))
        for name in ("copy_to_archive", "delete"):
            patch.setattr(Store, name, killing_here(getattr(Store, name)))
        with pytest.raises(KilledError):
            yield


async def test_a_moved_recording_is_the_same_recording_elsewhere(hub, settings, store, clip, disks, broken):
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    content = store.resolve(chunk.path).read_bytes()
    assert await move(hub, store, chunk, disks)
    (moved,) = await hub.chunks.span("front", chunk.started_at, chunk.ended_at)
    assert moved.path == ARCHIVE / chunk.path
    assert store.resolve(moved.path).read_bytes() == content
    assert not store.resolve(chunk.path).exists()
    assert "m4s" in recording_playlist(store, [moved], chunk.started_at, chunk.ended_at, str)
    assert recordings_in(store, "front", chunk.started_at, chunk.ended_at) == [store.resolve(moved.path)]
    assert await broken() == {}
    await condemn(hub, [moved], SystemClock())
    assert (await carry_out(hub, store, disks)).count == 1
    assert list(settings.archive_dir.rglob("*.mp4")) == []
    assert not await move(hub, store, moved, disks), "what is gone does not move"


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("then", ["goes_on", "is_condemned"])
async def test_a_kill_after_any_step_of_a_move_breaks_nothing(hub, store, clip, disks, broken, steps, then):
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    with killed_after(steps):
        await move(hub, store, chunk, disks)
    if steps == 1:  # in the midst of the copy
        store.resolve(ARCHIVE / chunk.path).parent.mkdir(parents=True)
        store.resolve(ARCHIVE / chunk.path).with_suffix(".mp4.moving").write_bytes(b"half")
    assert await broken() == {}
    await index_leftovers(hub, store, "front", SystemClock(), timedelta(days=9))
    assert await broken() == {}, "ingest, which looks for files without rows, makes no second row"
    if then == "is_condemned":
        (now,) = [one for one, _ in await hub.chunks.page("", 10)]
        await condemn(hub, [now], SystemClock())
        await carry_out(hub, store, disks)
        assert await hub.chunks.page("", 10) == []
        assert list(store.root.rglob("*.mp4*")) + list(store.archive.rglob("*.mp4*")) == []
    else:
        await end_cut_short_moves(hub, store, disks)
        assert await broken() == {}
        (now,) = [one for one, _ in await hub.chunks.page("", 10)]
        assert now.path.parts[0] == ARCHIVE or await move(hub, store, now, disks)
        assert list(store.root.rglob("*.mp4*")) == []
    assert await broken() == {}


async def test_an_archive_that_refuses_leaves_the_recording_where_it_is(hub, store, clip, disks, broken):
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    (store.archive / "recordings").write_text("no folder can be made here")
    with pytest.raises(StoreError, match="cannot be copied to the archive"):
        await move(hub, store, chunk, disks)
    assert await hub.retention.on_the_move(9) == []
    assert await broken() == {}


async def test_the_janitor_moves_what_is_old_and_waits_for_an_archive_that_is_not_mounted(
    hub, settings, store, clip, at_work, broken
):
    old, young = recorded(store, clip, timedelta(days=3)), recorded(store, clip, timedelta(hours=3))
    await hub.chunks.add([old, young])
    moving = replace(settings, archive_after_days=1.0)
    async with at_work(moving), asyncio.timeout(WAIT_LIMIT_S):
        while not store.resolve(ARCHIVE / old.path).exists() or store.resolve(old.path).exists():
            await asyncio.sleep(0.05)
    assert store.resolve(young.path).exists()
    assert await broken() == {}
    away = settings.archive_dir.with_name("away")
    settings.archive_dir.rename(away)
    settings.archive_dir.mkdir()  # a mount point whose disk is not there
    async with at_work(replace(moving, archive_after_days=0.01)) as janitor, asyncio.timeout(WAIT_LIMIT_S):
        while "mount its disk" not in janitor.health().reason:
            await asyncio.sleep(0.05)
    assert store.resolve(young.path).exists()
    assert list(settings.archive_dir.iterdir()) == []


@pytest.fixture
def hanging(monkeypatch):
    """Have a call on a folder or file below it hang, as a network share does whose server went, until released."""
    released = threading.Event()

    def hang(module, name, folder):
        real = getattr(module, name)

        def asked(first, *arguments, **named):
            path = arguments[0] if isinstance(first, Store) else first
            if str(path).startswith(str(folder)):
                released.wait(HANG_S)
            return real(first, *arguments, **named)

        monkeypatch.setattr(module, name, asked)

    hang.released = released
    yield hang
    released.set()


@pytest.mark.parametrize("how", ["statvfs", "stat"])
async def test_an_archive_that_hangs_is_told_and_the_other_disk_is_looked_after(
    hub, settings, store, clip, at_work, hanging, monkeypatch, how
):
    monkeypatch.setattr(QuietThread.__init__, "__defaults__", (0.2,))
    hanging(os, how, settings.archive_dir)
    async with at_work(replace(settings, retention_days=2)) as janitor, asyncio.timeout(WAIT_LIMIT_S):
        while "archive does not answer" not in janitor.health().reason:
            await asyncio.sleep(0.05)
        old = recorded(store, clip, timedelta(days=9))
        await hub.chunks.add([old])
        while store.resolve(old.path).exists():
            await asyncio.sleep(0.05)
        assert janitor.health().status == "degraded"
        hanging.released.set()
        while janitor.health().reason:
            await asyncio.sleep(0.05)


async def test_what_cannot_be_deleted_from_an_archive_that_hangs_waits_and_nothing_else_does(
    hub, store, clip, disks, hanging, monkeypatch
):
    monkeypatch.setattr(deletion, "MAX_STUCK", 3)
    monkeypatch.setattr(deletion, "BATCH_CHUNKS", 2)
    chunks = [recorded(store, clip, timedelta(days=9, minutes=number)) for number in range(6)]
    await hub.chunks.add(chunks)
    for chunk in chunks[:5]:
        assert await move(hub, store, chunk, disks)
    moved = [chunk for chunk, _ in await hub.chunks.page("", 10) if chunk.path.parts[0] == ARCHIVE]
    await condemn(hub, moved, SystemClock())
    await condemn(hub, chunks[5:], SystemClock())
    hanging(Store, "delete", ARCHIVE)
    disks.archive._limit_s = 0.2
    done = await carry_out(hub, store, disks)
    assert (done.count, "does not answer" in done.problem) == (1, True)
    assert not store.resolve(chunks[5].path).exists()
    hanging.released.set()
    while disks.archive.hangs:
        await asyncio.sleep(0.01)
    disks.archive._limit_s = PATIENCE_S
    assert (await carry_out(hub, store, disks)).count == len(moved)


async def test_a_copy_that_is_long_but_goes_on_is_no_hang_for_it_nor_for_who_waits_behind_it(
    hub, store, clip, disks, monkeypatch, broken
):
    disks.archive._limit_s = PATIENCE_S
    old, moving = (recorded(store, clip, timedelta(days=days)) for days in (3, 2))
    await hub.chunks.add([old, moving])
    assert await move(hub, store, old, disks)
    monkeypatch.setattr("marengocam.media.disk_thread.COPY_BLOCK_BYTES", moving.size_bytes // 6)
    real = os.fdatasync

    def slow(descriptor):
        time.sleep(LIMIT_S / 4)  # a busy disk may take as long again
        real(descriptor)

    disks.archive._limit_s = LIMIT_S
    monkeypatch.setattr(os, "fdatasync", slow)
    copying = asyncio.create_task(move(hub, store, moving, disks))
    while not store.resolve(ARCHIVE / moving.path).with_suffix(".mp4.moving").exists():
        await asyncio.sleep(0.01)
    began_s = time.monotonic()
    await disks.delete(store, ARCHIVE / old.path)
    assert time.monotonic() - began_s > LIMIT_S, "the premise: it waited for longer than a disk may stand still"
    assert await copying
    assert disks.answering() == ["recordings", str(ARCHIVE)]


async def test_a_copy_that_was_given_up_is_ended_as_one_that_was_cut_short(hub, store, clip, disks, hanging, broken):
    disks.archive._limit_s = 0.2
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    hanging(Store, "copy_to_archive", "recordings")
    with pytest.raises(StoreError, match="does not answer"):
        await move(hub, store, chunk, disks)
    hanging.released.set()
    disks.archive._limit_s = PATIENCE_S
    await disks.archive.run(lambda: None)  # it goes on, which is no hang any more, and ends before what is asked now
    assert store.resolve(ARCHIVE / chunk.path).exists(), "it was only late"
    assert await broken() == {}
    assert await end_cut_short_moves(hub, store, disks) == 1
    assert list(store.archive.rglob("*.mp4*")) == []
    assert await broken() == {}


async def test_check_names_what_lies_in_an_archive_that_is_not_set(hub, settings, store, clip):
    chunk = recorded(store, clip, timedelta(days=1))
    await hub.chunks.add([replace(chunk, path=ARCHIVE / chunk.path)])
    rows, *_ = await findings_of(hub, Store(settings.media_dir), SystemClock(), deep=False)
    assert ["archive_dir" in problem for problem in rows.problems] == [True]
