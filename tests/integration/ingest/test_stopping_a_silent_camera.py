"""A camera that is stopped while it, or its disk, says nothing: neither keeps a chunk from being closed and indexed."""

import threading
from dataclasses import replace

import pytest
from tests.support.clips import write_counter_clip
from tests.support.http_camera import hls_app, http_server, mjpeg_app, write_segments
from tests.support.ingest_service import ingest_here, until
from tests.support.squares import square_eyes

from marengocam.core.camera_options import Recording
from marengocam.core.model import Camera
from marengocam.media.store import Store

FPS = 15
PIECE_S = 12.0  # longer than a worker waits for its reader to end


@pytest.fixture
def settings(hub_settings, monkeypatch):
    monkeypatch.setattr("marengocam.ingest.service.load_eyes", square_eyes)
    return replace(hub_settings, face_url="off")


async def test_hls_between_two_pieces_leaves_a_whole_chunk(hub, settings, tmp_path):
    clip = write_counter_clip(tmp_path / "counter.mp4", frames=int(6 * PIECE_S * FPS))
    playlist = write_segments(clip, tmp_path / "parts", "mpegts", PIECE_S)
    store = Store(settings.media_dir)
    async with http_server(hls_app(playlist)) as root:
        recording = Recording(sound=False)
        camera = Camera("front", "Front", f"{root}/live.m3u8", detect=False, recording=recording)
        await hub.cameras.add(camera)
        async with ingest_here(hub, settings):

            async def records() -> bool:
                return any(file.stat().st_size > 20_000 for file in store.recordings("front"))

            await until(records)
    (file,) = store.recordings("front")
    assert file.suffix == ".mp4", "finished, not growing"
    (chunk,) = [chunk for chunk, _ in await hub.chunks.page("", 9)]
    assert chunk.size_bytes == file.stat().st_size


async def test_a_disk_that_hangs_at_one_cameras_end_keeps_no_other_from_being_closed(
    hub, settings, tmp_path, monkeypatch
):
    clip = write_counter_clip(tmp_path / "counter.mp4", frames=int(6 * PIECE_S * FPS))
    playlist = write_segments(clip, tmp_path / "parts", "mpegts", PIECE_S)
    store, answers = Store(settings.media_dir), threading.Event()
    finish = Store.finish

    def hang(self, growing):
        if growing.is_relative_to(store.root / "recordings" / "front"):
            answers.wait()
        return finish(self, growing)

    monkeypatch.setattr(Store, "finish", hang)
    async with http_server(hls_app(playlist)) as silent, http_server(mjpeg_app(10)) as other:
        for camera_id, url in (("front", f"{silent}/live.m3u8"), ("yard", f"{other}/video")):
            await hub.cameras.add(Camera(camera_id, camera_id, url, detect=False, recording=Recording(sound=False)))
        try:
            async with ingest_here(hub, settings):

                async def records() -> bool:
                    sizes = [[file.stat().st_size for file in store.recordings(one)] for one in ("front", "yard")]
                    return all(any(size > 20_000 for size in one) for one in sizes)

                await until(records)
        finally:
            answers.set()
    chunks = [chunk.camera_id for chunk, _ in await hub.chunks.page("", 99)]
    assert "yard" in chunks
    assert "front" not in chunks, "it was given up, and is adopted at the next start"
