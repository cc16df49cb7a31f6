"""Recordings as players fetch them: HLS by a signed address, files with ranges."""

import asyncio
import io
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from urllib.parse import urlencode
from uuid import uuid4

import av
import pytest
from tests.support.clips import read_number, write_counter_clip
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.names import ARCHIVE
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader
from marengocam.web import exports
from marengocam.web.routes.media import AWAITED_POLL_S

FRAMES = 60
FPS = 15
HANG_S = 60.0


def _recorded(folder, store):
    clip = write_counter_clip(folder / "clip.mp4", FRAMES)
    clock = SystemClock()
    with StreamReader(clip.as_uri(), StreamOptions(), clock, clock.now() - timedelta(minutes=1)) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 100)
        for packet in reader:
            writer.write(packet)
        return writer.close()


@pytest.fixture
async def chunk(hub, hub_settings, tmp_path):
    store = Store(hub_settings.media_dir)
    made = await asyncio.to_thread(_recorded, tmp_path, store)
    await hub.chunks.add([made])
    return made


def _played(url):
    with av.open(url, timeout=10, options={"allowed_extensions": "ALL", "extension_picky": "0"}) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


async def test_a_player_plays_every_frame_of_a_recording_without_a_token(hub, hub_settings, chunk):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/main"})
        span = {
            "from_at": (chunk.started_at - timedelta(seconds=1)).isoformat(),
            "to_at": (chunk.ended_at + timedelta(seconds=1)).isoformat(),
        }
        _, made = await api.call("POST", "/cameras/front/recording", span)
        assert "mc_" not in made["url"]
        seen = await asyncio.to_thread(_played, api.address + made["url"])
        assert seen == list(range(FRAMES))


async def test_what_is_still_being_recorded_plays_up_to_its_last_keyframe(hub, hub_settings, tmp_path):
    store, clock = Store(hub_settings.media_dir), SystemClock()
    clip = write_counter_clip(tmp_path / "clip.mp4", FRAMES)
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/main"})
        began_at = clock.now() - timedelta(minutes=1)
        with StreamReader(clip.as_uri(), StreamOptions(), clock, began_at) as reader:
            growing = ChunkWriter(store, "front", reader.video, reader.info, 100)
            for packet in reader:
                growing.write(packet)
            span = {"from_at": began_at.isoformat(), "to_at": clock.now().isoformat()}
            _, made = await api.call("POST", "/cameras/front/recording", span)
            seen = await asyncio.to_thread(_played, api.address + made["url"])
            assert len(seen) >= FRAMES / 2
            assert seen == list(range(len(seen)))
            await hub.chunks.add([growing.close()])
        assert await asyncio.to_thread(_played, api.address + made["url"]) == list(range(FRAMES))


async def test_a_recorded_file_comes_in_ranges_and_its_loss_is_told(hub, hub_settings, chunk):
    file = hub_settings.media_dir / chunk.path
    whole = file.read_bytes()
    async with serving_api(hub, hub_settings) as api:
        headers = {"Authorization": f"Bearer {api.token}"}
        url = f"{api.address}/api/v1/chunks/{chunk.chunk_id}/file.mp4"
        async with api.session.get(url, headers=headers | {"Range": "bytes=100-199"}) as answer:
            assert (answer.status, await answer.read()) == (206, whole[100:200])
            assert answer.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
        async with api.session.get(url, headers=headers) as answer:
            assert await answer.read() == whole
        file.unlink()
        status, answer = await api.call("GET", f"/chunks/{chunk.chunk_id}/file.mp4")
        assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_an_archive_that_hangs_is_told_and_holds_nobody_else(hub, hub_settings, chunk, tmp_path, monkeypatch):
    answers, resolve = threading.Event(), Store.resolve

    def hang(self, path):
        if PurePosixPath(path).parts[:1] == (ARCHIVE,):
            answers.wait(HANG_S)
        return resolve(self, path)

    monkeypatch.setattr(Store, "resolve", hang)
    monkeypatch.setattr("marengocam.web.table.DISK_LIMIT_S", 1.0)
    archived = replace(chunk, chunk_id=uuid4(), path=ARCHIVE / chunk.path)
    await hub.chunks.add([archived])
    async with serving_api(hub, replace(hub_settings, archive_dir=tmp_path / "archive")) as api:
        try:
            for _ in range(2):
                status, answer = await api.call("GET", f"/chunks/{archived.chunk_id}/file.mp4")
                assert (status, "archive does not answer" in answer["error"]["message"]) == (503, True)
            headers = {"Authorization": f"Bearer {api.token}"}
            async with api.session.get(
                f"{api.address}/api/v1/chunks/{chunk.chunk_id}/file.mp4", headers=headers
            ) as answer:
                assert answer.status == 200
        finally:
            answers.set()


async def test_segments_name_nothing_outside_of_their_camera(hub, hub_settings, chunk):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Back", "main_url": "rtsp://camera.invalid/main"})
        _, made = await api.call("POST", "/cameras/back/stream")
        query = made["url"].partition("?")[2]
        name = chunk.path.name
        for wrong in (name, f"..%2Ffront%2F{name}", "..%2F..%2Fsecret.key", "init_x", "%00", "x.m4s", "init_.mp4"):
            url = f"{api.address}/api/v1/media/back/{wrong}?{query}"
            async with api.session.get(url) as answer:
                assert answer.status in {400, 403, 404}, wrong


async def test_a_stretch_is_had_as_one_file_and_nothing_of_it_stays(hub, hub_settings, chunk):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/main"})

        async def clip(from_s: float, to_s: float, camera: str = "front"):
            span = [chunk.started_at + timedelta(seconds=second) for second in (from_s, to_s)]
            query = urlencode({"from_at": span[0].isoformat(), "to_at": span[1].isoformat()})
            return await api.call("GET", f"/cameras/{camera}/clip.mp4?{query}")

        status, content = await clip(1.2, 3.0)
        assert status == 200
        with av.open(io.BytesIO(content)) as container:
            frames = [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
        assert frames == list(range(15, 45))
        assert list((hub_settings.media_dir / exports.FOLDER).iterdir()) == []
        assert (await clip(600, 700))[1]["error"]["code"] == "not_found"
        assert (await clip(3, 2))[1]["error"]["field"] == "to_at"
        assert (await clip(0, 3601))[1]["error"]["field"] == "to_at"
        assert (await clip(0, 1, "nowhere"))[0] == 404
        assert (await api.with_token(None).call("GET", "/cameras/front/clip.mp4"))[0] == 401


async def test_a_player_that_waits_for_what_comes_next_gets_it_before_the_next_keyframe(hub, hub_settings, tmp_path):
    store, clock = Store(hub_settings.media_dir), SystemClock()
    clip = write_counter_clip(tmp_path / "clip.mp4", 8 * FPS, keyframe_s=4)
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/main"})
        _, live = await api.call("POST", "/cameras/front/stream")

        async def listed(awaited=""):
            async with api.session.get(api.address + live["url"] + awaited) as answer:
                return answer.status, await answer.text()

        with StreamReader(clip.as_uri(), StreamOptions(), clock, clock.now()) as reader:
            growing, packets = ChunkWriter(store, "front", reader.video, reader.info, 100), list(reader)
            for packet in packets[: -2 * FPS]:
                growing.write(packet)
            _, text = await listed()
            segment = int(text.split("#EXT-X-MEDIA-SEQUENCE:")[1].split()[0]) + 1
            (whole, parts) = text.count("#EXTINF"), text.split("#EXTINF")[-1].count("#EXT-X-PART:")
            assert (whole, text.count("INDEPENDENT=YES")) == (1, 2), "the second group of pictures has just begun"
            waiting = asyncio.create_task(listed(f"&_HLS_msn={segment}&_HLS_part={parts}"))
            await asyncio.sleep(3 * AWAITED_POLL_S)
            assert not waiting.done()
            for packet in packets[-2 * FPS :]:
                growing.write(packet)
            growing.close()
            _, text = await waiting
            part = text.rpartition('URI="')[2].partition('"')[0]
        async with api.session.get(f"{api.address}/api/v1/media/front/{part}") as answer:
            assert (answer.status, (await answer.read())[4:8]) == (200, b"moof")
        assert await listed("&_HLS_msn=1") == (200, text), "what is long there is not waited for"
        status, answer = await listed("&_HLS_msn=soon")
        assert (status, "whole numbers" in answer) == (400, True)
