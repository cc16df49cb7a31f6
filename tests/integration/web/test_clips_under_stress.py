"""Clips when the disk is full, when who asked has gone, when many ask at once: recording keeps its room and pace."""

import asyncio
import os
import subprocess
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from tests.support.clips import write_counter_clip
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.export import export
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader
from marengocam.web import exports
from marengocam.web.routes import media
from marengocam.web.table import EXPORTS_AT_ONCE

DISK_BYTES = 4 << 20
WAIT_S = 20


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def _recorded(hub, store, folder):
    def record():
        clip, clock = write_counter_clip(folder / "clip.mp4", 90), SystemClock()
        with StreamReader(clip.as_uri(), StreamOptions(), clock, clock.now() - timedelta(minutes=1)) as reader:
            writer = ChunkWriter(store, "front", reader.video, reader.info, 100)
            for packet in reader:
                writer.write(packet)
            return writer.close()

    made = await asyncio.to_thread(record)
    await hub.chunks.add([made])
    return made


def _path(chunk):
    span = {"from_at": chunk.started_at.isoformat(), "to_at": (chunk.started_at + timedelta(seconds=3)).isoformat()}
    return f"/cameras/front/clip.mp4?{urlencode(span)}"


def _left(store):
    return [file for file in store.root.rglob("*") if file.is_file() and exports.FOLDER in file.parts]


async def until(condition):
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def _added(api):
    await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/main"})


async def test_on_a_full_disk_a_clip_is_refused_before_it_takes_the_room_of_recording(
    hub, hub_settings, small_disk, tmp_path
):
    store = Store(small_disk)
    chunk = await _recorded(hub, store, tmp_path)
    async with serving_api(hub, replace(hub_settings, media_dir=small_disk)) as api:
        await _added(api)
        assert (await api.call("GET", _path(chunk)))[0] == 200
        filler = small_disk / "filler"
        filler.write_bytes(bytes(store.space().free_bytes - chunk.size_bytes - (8 << 10)))
        status, answer = await api.call("GET", _path(chunk))
        assert (status, answer["error"]["code"]) == (503, "store_unavailable")
        assert "too full" in answer["error"]["message"]
        assert _left(store) == []
        filler.unlink()
        assert (await api.call("GET", _path(chunk)))[0] == 200
        assert _left(store) == []


async def test_a_disk_that_fills_while_a_clip_is_written_keeps_nothing_of_it(hub, small_disk, tmp_path):
    store = Store(small_disk)
    chunk = await _recorded(hub, store, tmp_path)
    filler = small_disk / "filler"
    with suppress(OSError):
        filler.write_bytes(bytes(DISK_BYTES))
    target = small_disk / "out.mp4"
    before = {file.name for file in small_disk.iterdir()}
    with pytest.raises(StoreError, match="cannot be written"):
        export(store, [small_disk / chunk.path], chunk.started_at, chunk.ended_at, target)
    assert {file.name for file in small_disk.iterdir()} == before


async def test_no_more_are_made_at_once_than_the_disk_can_bear_and_the_next_waits_its_turn(
    hub, hub_settings, tmp_path, monkeypatch
):
    store = Store(hub_settings.media_dir)
    chunk = await _recorded(hub, store, tmp_path)
    async with serving_api(hub, hub_settings) as api:
        await _added(api)
        for _ in range(EXPORTS_AT_ONCE):  # as if so many were being made
            await api.desk.exports.acquire()
        waiting = asyncio.create_task(api.call("GET", _path(chunk)))
        assert not (await asyncio.wait([waiting], timeout=0.5))[0]
        api.desk.exports.release()
        async with asyncio.timeout(WAIT_S):
            assert (await waiting)[0] == 200
        monkeypatch.setattr(exports, "TURN_LIMIT_S", 0.1)
        await api.desk.exports.acquire()
        status, answer = await api.call("GET", _path(chunk))
        assert (status, "try again" in answer["error"]["message"]) == (503, True)
        assert (await api.call("GET", "/cameras"))[0] == 200, "nobody else waits for clips"


async def test_who_leaves_while_waiting_gets_no_clip_made_and_keeps_no_turn(hub, hub_settings, tmp_path, monkeypatch):
    store, made = Store(hub_settings.media_dir), []
    chunk = await _recorded(hub, store, tmp_path)
    monkeypatch.setattr(media, "export", lambda *given: (made.append(1), export(*given))[1])
    async with serving_api(hub, hub_settings) as api:
        await _added(api)
        for _ in range(EXPORTS_AT_ONCE):
            await api.desk.exports.acquire()
        for _ in range(3):
            waiting = len(api.desk.exports._waiters or ())
            asking = asyncio.create_task(api.call("GET", _path(chunk)))
            await until(lambda before=waiting: len(api.desk.exports._waiters or ()) > before)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await until(lambda: all(one.transport is None for one in api.server.connections))  # the server has heard of it
        for _ in range(EXPORTS_AT_ONCE):
            api.desk.exports.release()
        await until(lambda: not api.desk.exports._waiters and api.desk.exports._value == EXPORTS_AT_ONCE)
        assert made == []
        assert (await api.call("GET", _path(chunk)))[0] == 200
        assert made == [1]


async def test_a_clip_that_comes_too_late_is_closed_and_gives_its_turn_back(hub, hub_settings, tmp_path, monkeypatch):
    store, opened = Store(hub_settings.media_dir), []
    chunk = await _recorded(hub, store, tmp_path)
    going_on, clip = asyncio.Event(), exports._made
    loop = asyncio.get_running_loop()

    def slow(*given):
        asyncio.run_coroutine_threadsafe(going_on.wait(), loop).result(WAIT_S)
        opened.append(clip(*given))
        return opened[0]

    monkeypatch.setattr(exports, "_made", slow)
    monkeypatch.setattr(exports, "LIMIT_S", 0.2)
    async with serving_api(hub, hub_settings) as api:
        await _added(api)
        status, answer = await api.call("GET", _path(chunk))
        assert (status, "too long" in answer["error"]["message"]) == (503, True)
        assert api.desk.exports._value == EXPORTS_AT_ONCE - 1, "it is still being made"
        going_on.set()
        await until(lambda: opened and opened[0][0].closed and api.desk.exports._value == EXPORTS_AT_ONCE)
        assert _left(store) == []
