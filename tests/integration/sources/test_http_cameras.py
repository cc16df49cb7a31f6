"""Cameras that speak HTTP: MJPEG and HLS, with logins and encryption, and what only looks like one."""

import asyncio
import contextlib
import itertools
import ssl

import av
import pytest
from aiohttp import web
from tests.support.certificates import write_certificate
from tests.support.clips import write_counter_clip
from tests.support.http_camera import MPEGTS_WRAP_S, hls_app, http_server, mjpeg_app, write_segments
from tests.support.watching import watch

from marengocam.core.clock import SystemClock
from marengocam.core.secret import Secret
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.faults import Fault, StreamError
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader

CLIP_FPS = 15
HELD_S = 30.0
PASSWORD = "p@ss:w/rd"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_counter_clip(tmp_path_factory.mktemp("hls") / "counter.mp4", frames=45 * CLIP_FPS)


@pytest.mark.parametrize("fps", [5, 20])
async def test_mjpeg_runs_at_the_rate_at_which_its_pictures_come(fps):
    async with http_server(mjpeg_app(fps)) as root:
        seen = await asyncio.to_thread(watch, f"{root}/video", None, 30)
    assert (seen.info.codec, seen.info.width_px, seen.info.height_px, seen.info.fps) == ("mjpeg", 192, 96, None)
    assert seen.runs_smoothly
    assert all(one.keyframe for one in seen.pictures)
    length_s = seen.pictures[-1].stream_s - seen.pictures[0].stream_s
    assert length_s == pytest.approx(sum(seen.steps_s), abs=0.1)
    assert length_s > 0.9 * 29 / fps, "not at the 25 a second that FFmpeg takes them for"


@pytest.mark.parametrize("at_once", [1, 5])
async def test_mjpeg_is_recorded_picture_by_picture_and_a_changed_size_begins_a_new_chunk_at_once(tmp_path, at_once):
    small, large, pictures = (192, 96), (384, 192), 40
    store = Store(tmp_path)
    store.prepare()

    def record(url):
        with StreamReader(url, StreamOptions(), SystemClock()) as reader:
            writer = ChunkWriter(store, "front", reader.video, reader.info, 100.0)
            written = [writer.write(packet) for packet in itertools.islice(reader, pictures)]
            return [chunk for chunk in (*written, writer.close()) if chunk is not None]

    async with http_server(mjpeg_app(20, widens_at=pictures // 2, at_once=at_once)) as root:
        chunks = await asyncio.to_thread(record, f"{root}/video")
    seen = []
    for chunk in chunks:
        with av.open(str(store.resolve(chunk.path))) as container:
            sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
        assert set(sizes) == {(chunk.width_px, chunk.height_px)}
        seen += sizes
    assert seen == [small] * (pictures // 2) + [large] * (pictures // 2)


async def test_mjpeg_asks_for_its_password():
    async with http_server(mjpeg_app(10, f"me:{PASSWORD}")) as root:
        seen = await asyncio.to_thread(watch, f"{root}/video", StreamOptions("me", Secret(PASSWORD)), 5)
        assert len(seen.pictures) == 5
        for wrong in (StreamOptions(), StreamOptions("me", Secret("wr0ng"))):
            with pytest.raises(StreamError) as caught:
                await asyncio.to_thread(watch, f"{root}/video", wrong)
            assert caught.value.kind is Fault.AUTH
            assert "wr0ng" not in str(caught.value)


async def test_an_encrypted_camera_with_a_certificate_of_its_own_is_read(tmp_path):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(write_certificate(tmp_path / "camera.pem"))
    async with http_server(mjpeg_app(10), tls) as root:
        seen = await asyncio.to_thread(watch, f"{root}/video", None, 10)
    assert root.startswith("https://")
    assert seen.runs_smoothly


@pytest.mark.parametrize("segment_s", [1.0, 4.0])
@pytest.mark.parametrize("kind", ["mpegts", "fmp4"])
async def test_hls_is_followed_over_its_pieces_and_no_picture_is_dated_after_it_came(clip, tmp_path, kind, segment_s):
    playlist = write_segments(clip, tmp_path / "parts", kind, segment_s)
    async with http_server(hls_app(playlist)) as root:
        seen = await asyncio.to_thread(watch, f"{root}/live.m3u8", None, round((segment_s * 2 + 2) * CLIP_FPS))
    assert (seen.info.codec, seen.info.width_px, seen.info.height_px) == ("h264", 192, 96)
    assert seen.runs_smoothly
    assert max(seen.steps_s) < 1.5 / CLIP_FPS, "pieces join without a hole"
    assert min(seen.ages_s) > -0.2
    assert max(seen.ages_s) < 3 * segment_s + 1, "a busy machine is a little late"


@pytest.mark.parametrize("before_s", [MPEGTS_WRAP_S - 7.0, MPEGTS_WRAP_S / 2 - 7.0])
async def test_hls_whose_clock_wraps_is_followed_without_a_jump(clip, tmp_path, before_s):
    """Once a day, by its 33 bits; the half of it is where a signed number would."""
    playlist = write_segments(clip, tmp_path / "parts", "mpegts", 2.0, before_s)
    async with http_server(hls_app(playlist)) as root:
        seen = await asyncio.to_thread(watch, f"{root}/live.m3u8", None, 14 * CLIP_FPS)
    assert seen.runs_smoothly
    assert max(seen.steps_s) < 1.5 / CLIP_FPS


async def test_hls_that_gets_no_new_piece_has_stalled(clip, tmp_path, monkeypatch):
    monkeypatch.setattr("marengocam.media.opening.HLS_TIMEOUT_S", 3.0)
    playlist = write_segments(clip, tmp_path / "parts", "mpegts", 1.0)
    kept = "".join(playlist.read_text().replace("#EXT-X-ENDLIST", "").partition("#EXTINF:")[:1])
    frozen = kept + "#EXTINF:1.0,\npart0.ts\n"
    playlist.with_name("frozen.m3u8").write_text(frozen)
    app = web.Application()
    app.router.add_static("/", playlist.parent)
    async with http_server(app) as root:
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(watch, f"{root}/frozen.m3u8", StreamOptions(stall_timeout_s=2), 1000)
    assert caught.value.kind is Fault.STALLED


async def test_a_playlist_cannot_make_us_read_files_of_this_machine(clip, tmp_path):
    parts = write_segments(clip, tmp_path / "parts", "mpegts", 1.0).parent

    async def answer(request):
        where = {"here": f"file://{parts}", "there": "/parts"}[request.match_info["where"]]
        pieces = "".join(f"#EXTINF:1.0,\n{where}/part{number}.ts\n" for number in range(2))
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{pieces}#EXT-X-ENDLIST\n"
        return web.Response(text=text, content_type="application/vnd.apple.mpegurl")

    app = web.Application()
    app.router.add_get("/{where}/live.m3u8", answer)
    app.router.add_static("/parts", parts)
    async with http_server(app) as root:
        assert (await asyncio.to_thread(watch, f"{root}/there/live.m3u8", None, 3)).pictures
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(watch, f"{root}/here/live.m3u8", None, 3)
    assert caught.value.kind is Fault.NOT_VIDEO


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Fault.AUTH), (403, Fault.AUTH), (404, Fault.NOT_FOUND), (200, Fault.NOT_VIDEO)]
)
async def test_what_a_web_server_answers_instead_of_video_is_told_apart(status, kind):
    async def answer(_request):
        return web.Response(status=status, text="<html><body>Camera</body></html>" * 40, content_type="text/html")

    app = web.Application()
    app.router.add_get("/video", answer)
    async with http_server(app) as root:
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(watch, f"{root}/video")
    assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("drop", "kind"), [(b"x", Fault.STALLED), (b"HTTP/1.1 100 Continue\r\n\r\n", Fault.UNREACHABLE)]
)
async def test_a_server_that_answers_drop_by_drop_holds_nobody(drop, kind):
    """It leads FFmpeg on, and drips when it is asked why: each drop comes in time, and the answer never does."""
    visitors = set()

    async def serve(reader, writer):
        visitors.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            if b"Lavf" in await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 302 Found\r\nLocation: /on\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            else:
                while not writer.transport.is_closing():
                    writer.write(drop)
                    await writer.drain()
                    await asyncio.sleep(0.01)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/video"
    try:
        with pytest.raises(StreamError) as caught:
            async with asyncio.timeout(HELD_S):
                await asyncio.to_thread(watch, url, StreamOptions(stall_timeout_s=1.0))
    finally:
        server.close()
        for visitor in visitors:
            visitor.cancel()
        await asyncio.gather(*visitors, return_exceptions=True)
        await server.wait_closed()
    assert caught.value.kind is kind


async def test_a_redirect_is_not_followed_but_told():
    asked = []

    async def answer(request):
        asked.append(request.path)
        raise web.HTTPFound("/inside")

    async def inside(request):
        asked.append(request.path)
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_get("/video", answer)
    app.router.add_get("/inside", inside)
    async with http_server(app) as root:
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(watch, f"{root}/video")
    assert caught.value.kind is Fault.REDIRECT
    assert "/inside" not in asked
