"""A media disk that hangs, as a network share does whose server went, holds no client and not the whole API."""

import asyncio
import os
import shutil
import sys
import threading
import time
import traceback
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from tests.support.clips import write_counter_clip
from tests.support.recordings import recorded
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.core.model import Camera
from marengocam.media.names import ARCHIVE, live_path
from marengocam.media.store import Store
from marengocam.web import exports, table
from marengocam.web.service import WebService

HANG_S = 60.0
ASKED_AT_ONCE = 40  # more than there are threads for all kinds of work
LIMIT_S = 1.0  # of the disk: what is well answers within it on a busy machine, too
QUICK_S = 5.0


@pytest.fixture
def released():
    event = threading.Event()
    yield event
    event.set()


async def test_health_is_told_without_the_disks_size_and_again_with_it(hub, hub_settings, monkeypatch, released):
    monkeypatch.setattr(table, "DISK_LIMIT_S", LIMIT_S)
    real = os.statvfs

    def hangs(folder):
        assert threading.current_thread() is not threading.main_thread(), "the event loop would stand still"
        released.wait(HANG_S)
        return real(folder)

    monkeypatch.setattr(os, "statvfs", hangs)
    async with serving_api(hub, hub_settings) as api:
        for _ in range(2):
            status, health = await api.call("GET", "/health")
            assert (status, health.get("storage")) == (200, None)
        released.set()
        while (health := (await api.call("GET", "/health"))[1]).get("storage") is None:
            pass
        assert health["storage"]["total_bytes"] > 0


async def test_a_picture_on_it_is_refused_with_a_sentence(hub, hub_settings, monkeypatch, released):
    monkeypatch.setattr(table, "DISK_LIMIT_S", LIMIT_S)
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    Store(hub_settings.media_dir).write_picture(live_path("front"), b"a picture")
    real = Store.resolve

    def hangs(store, path):
        assert threading.current_thread() is not threading.main_thread(), "the event loop would stand still"
        released.wait(HANG_S)
        return real(store, path)

    monkeypatch.setattr(Store, "resolve", hangs)
    async with serving_api(hub, hub_settings) as api:
        status, answer = await api.call("GET", "/cameras/front/snapshot.jpg")
        assert (status, answer["error"]["code"]) == (503, "store_unavailable")
        assert "does not answer" in answer["error"]["message"]


@pytest.fixture
def archived(hub_settings, tmp_path):
    """Settings with an archive folder, and a store that knows it."""
    (tmp_path / "archive").mkdir()
    settings = replace(hub_settings, archive_dir=tmp_path / "archive")
    return settings, Store(settings.media_dir, settings.archive_dir)


@pytest.fixture
def reads_hang(monkeypatch, released):
    """Have every reading of the content of files below a folder hang, whoever reads and by whatever call.

    At the end nothing may have been asked by the event loop's own thread: it would have stood still.
    """
    by_the_loop = []

    def wait(name):
        if threading.current_thread() is threading.main_thread():
            by_the_loop.append(name)
            raise OSError(name)
        released.wait(HANG_S)

    def below(folder):
        def hangs(name, place_of):
            real = getattr(os, name)

            def asked(first, *arguments, **named):
                if Path(f"/proc/self/fd/{place_of(first, *arguments)}").readlink().is_relative_to(folder):
                    wait(name)
                return real(first, *arguments, **named)

            monkeypatch.setattr(os, name, asked)

        hangs("pread", lambda descriptor, *_: descriptor)
        hangs("sendfile", lambda _, source, *_unused: source)
        opened = Path.open

        def open_hangs(path, *arguments, **named):
            if path.is_relative_to(folder):
                wait("open")
            return opened(path, *arguments, **named)

        return lambda: monkeypatch.setattr(Path, "open", open_hangs)

    yield below
    released.set()
    assert by_the_loop == []


async def moved(hub, store, tmp_path):
    """Return a recording that lies in the archive."""
    chunk = recorded(store, write_counter_clip(tmp_path / "c.mp4", frames=20), timedelta(days=2))
    there = store.resolve(ARCHIVE / chunk.path)
    there.parent.mkdir(parents=True)
    store.resolve(chunk.path).rename(there)
    chunk = replace(chunk, path=ARCHIVE / chunk.path)
    await hub.chunks.add([chunk])
    return chunk


async def quick(api, path, status=200):
    began_s = time.monotonic()
    answer = await api.call("GET", path)
    assert (answer[0], time.monotonic() - began_s < QUICK_S) == (status, True), path
    return answer[1]


async def test_a_disk_that_begins_to_hang_while_a_recording_is_sent_stops_neither_the_loop_nor_others(
    hub, archived, tmp_path, reads_hang, monkeypatch, released
):
    monkeypatch.setattr(table, "DISK_LIMIT_S", LIMIT_S)
    settings, store = archived
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    chunk = await moved(hub, store, tmp_path)
    async with serving_api(hub, settings) as api:
        whole = store.resolve(chunk.path).read_bytes()
        assert await quick(api, f"/chunks/{chunk.chunk_id}/file.mp4") == whole
        reads_hang(settings.archive_dir)
        sending = asyncio.create_task(api.call("GET", f"/chunks/{chunk.chunk_id}/file.mp4"))
        await asyncio.sleep(0.1)
        await quick(api, "/cameras")
        with pytest.raises(aiohttp.ClientError):
            await sending
        await quick(api, "/health")


async def test_many_readers_of_a_disk_that_hangs_leave_everything_else_its_threads(
    hub, archived, tmp_path, reads_hang, monkeypatch
):
    monkeypatch.setattr(table, "DISK_LIMIT_S", LIMIT_S)
    settings, store = archived
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    store.write_picture(live_path("front"), b"a picture")
    chunk = await moved(hub, store, tmp_path)
    async with serving_api(hub, settings) as api:
        _, told = await api.call(
            "POST",
            "/cameras/front/recording",
            {"from_at": chunk.started_at.isoformat(), "to_at": chunk.ended_at.isoformat()},
        )
        playlist = (await quick(api, told["url"])).decode()
        segment = next(line for line in playlist.splitlines() if line and not line.startswith("#"))
        address = f"/api/v1/media/front/{segment}"
        await quick(api, address)
        reads_hang(settings.archive_dir)()
        asked = [api.call("GET", one) for one in (told["url"], address) * (ASKED_AT_ONCE // 2)]
        waiting = [asyncio.create_task(one) for one in asked]
        await asyncio.sleep(0.05)
        assert await quick(api, "/cameras/front/snapshot.jpg") == b"a picture"
        async with asyncio.timeout(QUICK_S):
            await asyncio.to_thread(len, "what is computed has its threads")
        answers = await asyncio.gather(*waiting)
        assert {status for status, _ in answers} == {503}
        await quick(api, address, status=503)
        assert await quick(api, "/cameras/front/snapshot.jpg") == b"a picture"


async def test_an_answer_that_breaks_off_is_cut_and_no_error_is_written_into_it(hub, hub_settings, monkeypatch):
    class Breaking(BytesIO):
        def read(self, size=-1):
            if self.tell():
                raise StoreError("the disk went")
            return super().read(size)

    monkeypatch.setattr(exports, "PART_BYTES", 1000)
    monkeypatch.setattr(exports, "_made", lambda *_: (Breaking(bytes(9000)), 9000))
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    async with serving_api(hub, hub_settings) as api:
        host, port = api.address.removeprefix("http://").split(":")
        reading, writing = await asyncio.open_connection(host, int(port))
        span = "from_at=2026-06-01T12:00:00Z&to_at=2026-06-01T12:00:09Z"
        lines = [f"GET /api/v1/cameras/front/clip.mp4?{span} HTTP/1.1", "Host: x", f"Authorization: Bearer {api.token}"]
        writing.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(QUICK_S):
            with_head = await reading.read(-1)
        writing.close()
    head, _, body = with_head.partition(b"\r\n\r\n")
    assert b"200 OK" in head
    assert body.strip(b"\0") == b"", "what came is the clip's"
    assert len(body) < 9000


async def test_exports_and_what_is_deleted_on_it_are_refused_and_leave_everything_else_its_threads(
    hub, hub_settings, tmp_path, reads_hang, monkeypatch, released
):
    """Threads of the pool for all kinds of work would be kept while the disk hangs, and so would the process's end."""
    monkeypatch.setattr(table, "DISK_LIMIT_S", LIMIT_S)
    monkeypatch.setattr(table, "LONG_LIMIT_S", LIMIT_S)
    store = Store(hub_settings.media_dir)
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera.example/1"))
    alice = await hub.persons.add("Alice", SystemClock().now())
    chunk = recorded(store, write_counter_clip(tmp_path / "c.mp4", frames=20), timedelta(minutes=2))
    await hub.chunks.add([chunk])
    run_id = await hub.replays.request("front", SystemClock().now(), from_at=chunk.started_at, to_at=chunk.ended_at)
    span = urlencode({"from_at": chunk.started_at.isoformat(), "to_at": chunk.ended_at.isoformat()})
    export, clip = f"/persons/{alice.person_id}/export", f"/cameras/front/clip.mp4?{span}"

    def held():
        """Return how many threads of the pool for all kinds of work wait for the disk."""
        frames = sys._current_frames()
        pool = [one for one in threading.enumerate() if one.name.startswith("asyncio_") and one.ident in frames]
        return sum("released" in "".join(traceback.format_stack(frames[one.ident])) for one in pool)

    async with serving_api(hub, hub_settings) as api:
        for path in (export, clip):
            assert (await api.call("GET", path))[0] == 200
        real = Path.iterdir

        def iterdir_hangs(folder):
            released.wait(HANG_S)
            return real(folder)

        monkeypatch.setattr(Path, "iterdir", iterdir_hangs)
        monkeypatch.setattr(Store, "space", lambda _store: released.wait(HANG_S))
        for method, path in (("GET", export), ("GET", clip), ("GET", clip), ("DELETE", f"/replays/{run_id}")):
            status, answer = await api.call(method, path)
            assert (status, answer["error"]["code"]) == (503, "store_unavailable"), path
            assert "does not answer" in answer["error"]["message"]
        assert held() == 0


async def test_web_ends_when_told_though_its_disk_hung_since_the_start(hub, hub_settings, monkeypatch, released):
    asked = threading.Event()

    def hangs(*_given, **_named):
        asked.set()
        released.wait(HANG_S)

    monkeypatch.setattr(shutil, "rmtree", hangs)
    async with serving_api(hub, hub_settings) as api:
        service = WebService()
        service._desk = api.desk
        running = asyncio.create_task(service.run(api.context))
        assert await asyncio.to_thread(asked.wait, HANG_S)
        api.context.stopping.set()
        async with asyncio.timeout(QUICK_S):
            await running
