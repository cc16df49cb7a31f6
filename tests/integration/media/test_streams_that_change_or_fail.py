"""Cameras whose settings change, disks that are full, players that follow: on real streams and files."""

import asyncio
import itertools
import os
import sys

import av
import pytest
from aiohttp import web
from tests.integration.media.test_recording_a_camera import numbers, record
from tests.support.clips import read_number, write_counter_clip, write_h265_clip

from marengocam.core.clock import SystemClock
from marengocam.core.secret import Secret
from marengocam.demo.rtsp import RtspServer
from marengocam.demo.rtsp.clip import load_clip
from marengocam.demo.rtsp.mount import Mount
from marengocam.media.adoption import adopt_partials
from marengocam.media.faults import Fault, StreamError
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.playlist import init_bytes, recording_playlist, segment_bytes
from marengocam.media.probe import probe
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions

pytest_plugins = ["tests.support.rtsp"]

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from tests.integration.media.test_recording_a_camera import record
from marengocam.core.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
try:
    record(sys.argv[1], Path(sys.argv[2]), 30, 100.0)
except StoreError as error:
    print(error)
"""


async def test_a_camera_whose_size_is_changed_while_it_streams_begins_a_new_chunk(tmp_path):
    small = write_counter_clip(tmp_path / "small.mp4", frames=45)
    large = write_counter_clip(tmp_path / "large.mp4", frames=90, width=384, height=192)
    async with RtspServer({"front": small}) as server:
        server.mounts["front"].change(load_clip(large))
        chunks, written = await asyncio.to_thread(record, server.url("front"), tmp_path / "media", 5, 100.0)
    assert [(chunk.width_px, chunk.height_px) for chunk in chunks] == [(192, 96), (384, 192)]
    seen = [numbers(tmp_path / "media" / chunk.path) for chunk in chunks]
    assert sum(map(len, seen)) == written
    assert seen[0] == list(range(seen[0][0], 45))
    assert seen[1] == list(range(len(seen[1])))
    with av.open(str(tmp_path / "media" / chunks[1].path)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (384, 192)


async def test_h265_is_recorded_and_told(tmp_path):
    clip = write_h265_clip(tmp_path / "h265.mp4", frames=60)
    async with RtspServer({"front": clip}) as server:
        info = await asyncio.to_thread(probe, server.url("front"), StreamOptions())
        chunks, written = await asyncio.to_thread(record, server.url("front"), tmp_path / "media", 3, 100.0)
    assert (info.codec, info.width_px, info.height_px, info.audio) == ("hevc", 192, 96, None)
    assert [chunk.codec for chunk in chunks] == ["hevc"]
    assert len(numbers(tmp_path / "media" / chunks[0].path)) == written


async def test_a_camera_that_is_switched_to_another_codec_begins_a_new_chunk(tmp_path):
    before, after = write_counter_clip(tmp_path / "before.mp4", frames=60), write_h265_clip(tmp_path / "after.mp4")
    folder = tmp_path / "media"
    async with RtspServer({"front": before}) as server:
        first, _ = await asyncio.to_thread(record, server.url("front"), folder, 2, 100.0)
        await server.mounts["front"].stop()
        server.mounts["front"] = Mount(load_clip(after))
        server.mounts["front"].start()
        second, _ = await asyncio.to_thread(record, server.url("front"), folder, 2, 100.0)
    chunks = [*first, *second]
    assert [chunk.codec for chunk in chunks] == ["h264", "hevc"]
    assert all(numbers(folder / chunk.path) for chunk in chunks)


async def test_a_full_disk_is_told_and_no_chunk_claimed_and_what_is_whole_kept(rtsp_server, tmp_path):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", FULL_DISK, rtsp_server.url("front"), str(tmp_path), stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    told, _ = await process.communicate()
    assert b"recording cannot be written: File too large" in told
    store = Store(tmp_path)
    assert [file.name.endswith(GROWING_SUFFIX) for file in store.recordings("front")] == [True]
    (kept,) = await asyncio.to_thread(adopt_partials, store, "front")
    seen = numbers(tmp_path / kept.path)
    assert len(seen) > 15
    assert seen == list(range(seen[0], seen[0] + len(seen)))


async def test_a_camera_that_is_busy_or_restarts_is_told(rtsp_server, tmp_path):
    mount = rtsp_server.mounts["front"]
    recording = asyncio.create_task(asyncio.to_thread(record, rtsp_server.url("front"), tmp_path, 30))
    while not mount.viewers:
        await asyncio.sleep(0.05)
    await asyncio.sleep(2)
    mount.refusing = True
    mount.drop_viewers()
    with pytest.raises(StreamError) as caught:
        await recording
    assert caught.value.kind is Fault.ENDED
    with pytest.raises(StreamError):
        await asyncio.to_thread(probe, rtsp_server.url("front"), StreamOptions())


async def test_nothing_that_hangs_on_an_error_knows_the_password(counter_clip, tmp_path):
    wrong, right = (
        StreamOptions("owner", Secret("wr0ngpass")),
        StreamOptions("owner", Secret("r1ghtpass"), stall_timeout_s=1),
    )
    async with RtspServer({"front": counter_clip}, credentials=("owner", "r1ghtpass")) as server:
        with pytest.raises(StreamError) as refused:
            await asyncio.to_thread(probe, server.url("front"), wrong)
        asyncio.get_running_loop().call_later(2, setattr, server.mounts["front"], "stalled", True)
        with pytest.raises(StreamError) as stalled:
            await asyncio.to_thread(record, server.url("front"), tmp_path, 60, 100.0, right)
    assert (refused.value.kind, stalled.value.kind) == (Fault.AUTH, Fault.STALLED)
    for caught in (refused, stalled):
        chain: BaseException | None = caught.value
        while chain is not None:
            assert "pass" not in f"{chain!r} {chain}".replace("password", "")
            chain = chain.__cause__ or chain.__context__


async def test_a_player_follows_a_recording_over_several_chunks(rtsp_server, tmp_path):
    store = Store(tmp_path)
    chunks, written = await asyncio.to_thread(record, rtsp_server.url("front"), tmp_path, 7)
    assert len(chunks) >= 3
    text = recording_playlist(store, chunks, chunks[0].started_at, chunks[-1].ended_at, lambda name: name)

    async def serve(request):
        name = request.match_info["name"]
        if name == "index.m3u8":
            return web.Response(text=text, content_type="application/vnd.apple.mpegurl")
        read = init_bytes if name.startswith("init_") else segment_bytes
        return web.Response(body=read(store, "front", name), content_type="video/mp4")

    app = web.Application()
    app.router.add_get("/{name}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        seen, times = await asyncio.to_thread(_play, f"http://127.0.0.1:{port}/index.m3u8")
    finally:
        await runner.cleanup()
    assert seen == list(range(seen[0], seen[0] + written))
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert min(steps) > 0
    assert max(steps) < 0.2


def _play(url):
    options = {"allowed_extensions": "ALL", "allowed_segment_extensions": "ALL", "extension_picky": "0"}
    with av.open(url, options=options, timeout=10) as container:
        frames = list(container.decode(video=0))
    return [read_number(frame.to_ndarray(format="gray")) for frame in frames], [frame.time for frame in frames]


async def test_damage_in_the_middle_of_a_growing_file_costs_only_what_follows(rtsp_server, tmp_path):
    store = Store(tmp_path)
    chunks, _ = await asyncio.to_thread(record, rtsp_server.url("front"), tmp_path, 5, 100.0)
    file = tmp_path / chunks[0].path
    content = bytearray(file.read_bytes())
    place = len(content) // 2
    run = content.index(b"trun", place)
    content[run + 8 : run + 12] = b"\xff\xff\xff\xff"
    file.rename(file.with_name(file.name + ".part"))
    file.with_name(file.name + ".part").write_bytes(content)
    (kept,) = await asyncio.to_thread(adopt_partials, store, "front")
    assert 0 < kept.duration_s < chunks[0].duration_s
    assert len(numbers(tmp_path / kept.path)) >= 15
    assert SystemClock().now() > kept.ended_at
