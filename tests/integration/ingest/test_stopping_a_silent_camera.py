"""A camera that is stopped while it says nothing: its chunk is closed all the same, and not left to be adopted."""

from dataclasses import replace

import pytest
from tests.support.clips import write_counter_clip
from tests.support.http_camera import hls_app, http_server, write_segments
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
