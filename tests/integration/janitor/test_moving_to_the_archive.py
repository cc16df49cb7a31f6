"""Moves to the second folder, killed after every step; recordings there are played, checked and deleted like others."""

import asyncio
import contextlib
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.recordings import recorded

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.db.retention import RetentionStore
from marengocam.ingest.catching_up import index_leftovers
from marengocam.janitor.archive import end_cut_short_moves, move
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.media.playlist import recording_playlist
from marengocam.media.store import ARCHIVE, Store

WAIT_LIMIT_S = 40.0


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


async def test_a_moved_recording_is_the_same_recording_elsewhere(hub, settings, store, clip, quiet, broken):
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    content = store.resolve(chunk.path).read_bytes()
    assert await move(hub, store, chunk, quiet)
    (moved,) = await hub.chunks.span("front", chunk.started_at, chunk.ended_at)
    assert moved.path == ARCHIVE / chunk.path
    assert store.resolve(moved.path).read_bytes() == content
    assert not store.resolve(chunk.path).exists()
    assert "m4s" in recording_playlist(store, [moved], chunk.started_at, chunk.ended_at, str)
    assert store.recordings_in("front", chunk.started_at, chunk.ended_at) == [store.resolve(moved.path)]
    assert await broken() == {}
    await condemn(hub, [moved], SystemClock())
    assert (await carry_out(hub, store, quiet)).count == 1
    assert list(settings.archive_dir.rglob("*.mp4")) == []
    assert not await move(hub, store, moved, quiet), "what is gone does not move"


@pytest.mark.parametrize("steps", range(1, 6))
@pytest.mark.parametrize("then", ["goes_on", "is_condemned"])
async def test_a_kill_after_any_step_of_a_move_breaks_nothing(hub, store, clip, quiet, broken, steps, then):
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    with killed_after(steps):
        await move(hub, store, chunk, quiet)
    if steps == 1:  # in the midst of the copy
        store.resolve(ARCHIVE / chunk.path).parent.mkdir(parents=True)
        store.resolve(ARCHIVE / chunk.path).with_suffix(".mp4.moving").write_bytes(b"half")
    assert await broken() == {}
    await index_leftovers(hub, store, "front", SystemClock(), timedelta(days=9))
    assert await broken() == {}, "ingest, which looks for files without rows, makes no second row"
    if then == "is_condemned":
        (now,) = [one for one, _ in await hub.chunks.page("", 10)]
        await condemn(hub, [now], SystemClock())
        await carry_out(hub, store, quiet)
        assert await hub.chunks.page("", 10) == []
        assert list(store.root.rglob("*.mp4*")) + list(store.archive.rglob("*.mp4*")) == []
    else:
        await end_cut_short_moves(hub, store, quiet)
        assert await broken() == {}
        (now,) = [one for one, _ in await hub.chunks.page("", 10)]
        assert now.path.parts[0] == ARCHIVE or await move(hub, store, now, quiet)
        assert list(store.root.rglob("*.mp4*")) == []
    assert await broken() == {}


async def test_an_archive_that_refuses_leaves_the_recording_where_it_is(hub, store, clip, quiet, broken):
    chunk = recorded(store, clip, timedelta(days=2))
    await hub.chunks.add([chunk])
    (store.archive / "recordings").write_text("no folder can be made here")
    with pytest.raises(StoreError, match="cannot be copied to the archive"):
        await move(hub, store, chunk, quiet)
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


async def test_check_names_what_lies_in_an_archive_that_is_not_set(hub, settings, store, clip):
    chunk = recorded(store, clip, timedelta(days=1))
    await hub.chunks.add([replace(chunk, path=ARCHIVE / chunk.path)])
    rows, *_ = await findings_of(hub, Store(settings.media_dir), SystemClock(), deep=False)
    assert ["archive_dir" in problem for problem in rows.problems] == [True]
