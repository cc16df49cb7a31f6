"""Retention on a real hub and disk, and the invariants after it."""

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from tests.support.recordings import recorded

from marengocam.core.clock import SystemClock
from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import EventType, LocalTrack
from marengocam.db.events import EventFilter, Events
from marengocam.db.tracks import TrackFilter
from marengocam.janitor import deletion, upkeep, watching
from marengocam.janitor.deletion import CarriedOut, carry_out, condemn
from marengocam.janitor.pruning import REPLAYS_KEPT
from marengocam.janitor.rescue import Rescue
from marengocam.media.adoption import chunk_of
from marengocam.media.names import RecordingName
from marengocam.replay.places import run_place

WAIT_LIMIT_S = 40.0


async def test_old_recordings_go_and_the_invariants_hold(hub, settings, store, clip, at_work, broken):
    old, young = recorded(store, clip, timedelta(days=9)), recorded(store, clip, timedelta(hours=1))
    await hub.chunks.add([old, young])
    async with at_work(replace(settings, retention_days=2)), asyncio.timeout(WAIT_LIMIT_S):
        while await hub.chunks.page("", 10) != [(young, False)]:
            await asyncio.sleep(0.05)
    assert not store.resolve(old.path).exists()
    assert store.resolve(young.path).exists()
    assert await broken() == {}


async def test_replays_that_ended_long_ago_go_with_all_they_left(hub, settings, at_work):
    now = SystemClock().now()
    ages = {"old": REPLAYS_KEPT + timedelta(hours=1), "young": REPLAYS_KEPT - timedelta(hours=1)}
    runs = {name: await hub.replays.request("front", now - age) for name, age in ages.items()}
    waiting = await hub.replays.request("front", now - ages["old"])
    for name, run_id in runs.items():
        await hub.replays.finish(run_id, {}, now - ages[name])
        run_place(settings.media_dir, run_id).mkdir(parents=True)
    track = LocalTrack(uuid4(), "front", "person", now, now, False, 0.9, 3, run_id=runs["old"])
    await hub.tracks.save([track], {})
    async with at_work(settings), asyncio.timeout(WAIT_LIMIT_S):
        while run_place(settings.media_dir, runs["old"]).exists():
            await asyncio.sleep(0.05)
    assert {run.run_id for run in await hub.replays.list(10)} == {runs["young"], waiting}
    assert run_place(settings.media_dir, runs["young"]).exists()
    assert await hub.tracks.list(TrackFilter(run_id=runs["old"]), 10) == []


async def test_a_kill_between_any_two_steps_of_deleting_breaks_nothing(hub, store, clip, disks, broken):
    chunk = recorded(store, clip, timedelta(days=9))
    await hub.chunks.add([chunk])
    await condemn(hub, [chunk], SystemClock())
    assert await broken() == {}
    store.delete(chunk.path)
    assert await broken() == {}
    assert await carry_out(hub, store, disks) == CarriedOut(1)
    assert await hub.chunks.page("", 10) == []


async def test_a_file_that_cannot_be_deleted_keeps_its_row_and_no_other_file(hub, store, clip, disks, monkeypatch):
    monkeypatch.setattr(deletion, "BATCH_CHUNKS", 1)
    stuck, other = (recorded(store, clip, timedelta(days=days)) for days in (9, 8))
    await hub.chunks.add([stuck, other])
    for chunk in (stuck, other):
        await condemn(hub, [chunk], SystemClock())
    store.delete(stuck.path)
    (store.root / stuck.path / "full").mkdir(parents=True)  # no account may unlink a folder
    done = await carry_out(hub, store, disks)
    assert (done.count, "cannot be deleted" in done.problem) == (1, True)
    assert await hub.chunks.page("", 10) == [(stuck, True)]
    assert not store.resolve(other.path).exists()


async def test_upkeep_that_fails_leaves_survival_mode_at_work_and_is_told(hub, settings, at_work, monkeypatch):
    async def trouble(*_arguments):
        raise OSError("a folder of a replay cannot be read")

    looks = []
    monkeypatch.setattr(upkeep, "prune", trouble)
    monkeypatch.setattr(Rescue, "look", counted(Rescue.look, looks))
    async with at_work(settings) as service, asyncio.timeout(WAIT_LIMIT_S):
        while "upkeep failed" not in service.health().reason:
            await asyncio.sleep(0.05)
        looks.clear()
        while len(looks) < 3:
            await asyncio.sleep(0.05)


def counted(look, looks):
    async def looked(rescue):
        looks.append(rescue)
        await look(rescue)

    return looked


async def test_a_step_of_survival_mode_is_told_even_by_the_janitor_after_one_that_was_killed_in_between(
    hub, settings, at_work, monkeypatch
):
    append = Events.append

    async def killed(*_arguments, **_named):
        raise HubUnavailableError("killed before the event was written")

    monkeypatch.setattr(Events, "append", killed)
    async with at_work(settings, full=True) as service, asyncio.timeout(WAIT_LIMIT_S):
        while not service.health().detail.get("survival_level"):
            await asyncio.sleep(0.05)
    monkeypatch.setattr(Events, "append", append)
    async with at_work(settings, full=True), asyncio.timeout(WAIT_LIMIT_S):
        while not await hub.events.after(0, 10, EventFilter(EventType.SURVIVAL_MODE_CHANGED)):
            await asyncio.sleep(0.05)


async def test_check_finds_what_is_wrong(hub, store, clip, broken):
    short, gone, damaged = (recorded(store, clip, timedelta(days=days)) for days in (1, 2, 3))
    await hub.chunks.add([short, gone, damaged])
    with store.resolve(short.path).open("r+b") as file:
        file.truncate(short.size_bytes - 10)
    store.delete(gone.path)
    content = bytearray(store.resolve(damaged.path).read_bytes())
    content[:200] = bytes(200)
    store.resolve(damaged.path).write_bytes(content)
    stray = store.growing(RecordingName("front", short.started_at - timedelta(days=4), uuid4()))
    stray.with_name(stray.name.removesuffix(".part")).write_bytes(b"x")
    os.utime(stray.with_name(stray.name.removesuffix(".part")), (1, 1))
    found = await broken()
    assert len(found["I1"]) == 3
    assert len(found["I2"]) == 1


async def test_a_service_that_falls_silent_becomes_an_event_and_an_entry_of_the_log(
    hub, settings, at_work, monkeypatch
):
    monkeypatch.setattr(watching, "GONE_AFTER_S", 0.5)
    await hub.health.beat("resolver", "1", "ok", "", SystemClock().now(), {})
    async with at_work(settings), asyncio.timeout(WAIT_LIMIT_S):
        while not (events := await hub.events.after(0, 10)):
            await asyncio.sleep(0.05)
        while not (log := await hub.health.recent(10)):
            await asyncio.sleep(0.05)
    assert [event.data["status"] for event in events] == ["gone"]
    assert (log[0].subject, log[0].level) == ("service:resolver", "error")


def test_a_file_is_a_chunk_again_from_its_name(store, clip):
    chunk = recorded(store, clip, timedelta(days=1))
    assert chunk_of(store, store.resolve(chunk.path)).chunk_id == chunk.chunk_id
