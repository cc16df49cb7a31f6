"""Retention on a real hub and disk, and the invariants after it."""

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from tests.support.clips import write_counter_clip
from tests.support.web_app import service_context

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.core.model import Chunk
from marengocam.janitor import service as janitor
from marengocam.janitor.deletion import carry_out, condemn
from marengocam.janitor.service import JanitorService
from marengocam.media.adoption import chunk_of
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.store import RecordingName, Store
from marengocam.media.stream import StreamOptions, StreamReader
from marengocam.runtime.bus import Bus


@pytest.fixture
def store(hub_settings):
    store = Store(hub_settings.media_dir)
    store.prepare()
    return store


def recorded(store, clip: Path, age: timedelta) -> Chunk:
    """Return a real recording of long ago."""
    clock = SystemClock()
    with StreamReader(f"file://{clip}", StreamOptions(), clock, clock.now() - age) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 100)
        for packet in reader:
            writer.write(packet)
        chunk = writer.close()
    assert chunk is not None
    return chunk


async def broken(hub, store):
    return {finding.name: finding.problems for finding in await findings_of(hub, store, SystemClock(), deep=True)}


async def test_old_recordings_go_and_the_invariants_hold(hub, hub_settings, store, tmp_path, monkeypatch):
    monkeypatch.setattr(janitor, "ROUND_S", 0.1)
    clip = write_counter_clip(tmp_path / "c.mp4", frames=20)
    old, young = recorded(store, clip, timedelta(days=9)), recorded(store, clip, timedelta(hours=1))
    await hub.chunks.add([old, young])
    async with Bus(hub).running() as bus:
        context = service_context(hub, replace(hub_settings, retention_days=2), bus, "janitor")
        job = asyncio.create_task(JanitorService().run(context))
        async with asyncio.timeout(15):
            while await hub.chunks.page("", 10) != [(young, False)]:
                await asyncio.sleep(0.05)
        context.stopping.set()
        await job
    assert not store.resolve(old.path).exists()
    assert store.resolve(young.path).exists()
    assert await broken(hub, store) == {"I1": [], "I2": [], "I3": []}


async def test_a_kill_between_any_two_steps_of_deleting_breaks_nothing(hub, store, tmp_path):
    clip = write_counter_clip(tmp_path / "c.mp4", frames=20)
    chunk = recorded(store, clip, timedelta(days=9))
    await hub.chunks.add([chunk])
    await condemn(hub, [chunk], SystemClock())
    assert await broken(hub, store) == {"I1": [], "I2": [], "I3": []}
    store.delete(chunk.path)
    assert await broken(hub, store) == {"I1": [], "I2": [], "I3": []}
    assert await carry_out(hub, store) == 1
    assert await hub.chunks.page("", 10) == []


async def test_check_finds_what_is_wrong(hub, store, tmp_path):
    clip = write_counter_clip(tmp_path / "c.mp4", frames=20)
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
    found = await broken(hub, store)
    assert len(found["I1"]) == 3
    assert len(found["I2"]) == 1


async def test_a_service_that_falls_silent_becomes_an_event(hub, hub_settings, monkeypatch):
    monkeypatch.setattr(janitor, "ROUND_S", 0.1)
    monkeypatch.setattr(janitor, "GONE_AFTER_S", 0.5)
    async with Bus(hub).running() as bus:
        context = service_context(hub, hub_settings, bus, "janitor")
        await hub.health.beat("resolver", "1", "ok", "", context.clock.now(), {})
        job = asyncio.create_task(JanitorService().run(context))
        async with asyncio.timeout(15):
            while not (events := await hub.events.after(0, 10)):
                await asyncio.sleep(0.05)
        context.stopping.set()
        await job
    assert [event.data["status"] for event in events] == ["gone"]


def test_a_file_is_a_chunk_again_from_its_name(store, tmp_path):
    chunk = recorded(store, write_counter_clip(tmp_path / "c.mp4", frames=20), timedelta(days=1))
    assert chunk_of(store, store.resolve(chunk.path)).chunk_id == chunk.chunk_id
