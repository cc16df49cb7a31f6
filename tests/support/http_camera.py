"""Cameras that speak HTTP: MJPEG as multipart/x-mixed-replace, and live HLS with a window of segments that moves on."""

import asyncio
import base64
import contextlib
import math
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import av
import cv2
from aiohttp import hdrs, web

from tests.support.clips import counter_picture

WINDOW = 4  # segments that a live playlist names
HLS_KINDS = {"mpegts": "ts", "fmp4": "m4s"}
MPEGTS_WRAP_S = 2**33 / 90_000  # 26.5 hours


@contextlib.asynccontextmanager
async def http_server(app: web.Application, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Serve an application on the loopback address; yields its root without a slash at the end."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def mjpeg_app(fps: float, login: str | None = None, widens_at: int = 10_000, at_once: int = 1) -> web.Application:
    """Return a camera that sends numbered JPEGs at /video, larger from one of them on; `login` is user:password."""
    expected = f"Basic {base64.b64encode((login or '').encode()).decode()}"

    async def video(request: web.Request) -> web.StreamResponse:
        if login is not None and request.headers.get(hdrs.AUTHORIZATION) != expected:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for number in range(10_000):
                size_px = (192, 96) if number < widens_at else (384, 192)
                jpeg = cv2.imencode(".jpg", counter_picture(number % 4096, *size_px))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                await response.write(head.encode() + jpeg + b"\r\n")
                if number % at_once == at_once - 1:
                    await asyncio.sleep(at_once / fps)
        return response

    app = web.Application()
    app.router.add_get("/video", video)
    return app


def write_segments(clip: Path, folder: Path, kind: str, segment_s: float, begins_s: float = 0.0) -> Path:
    """Cut a clip into HLS segments of one of HLS_KINDS, its clock at `begins_s`; return the playlist of them all."""
    folder.mkdir()
    options = {
        "hls_time": str(segment_s),
        "hls_list_size": "0",
        "hls_segment_type": kind,
        "hls_segment_filename": str(folder / f"part%d.{HLS_KINDS[kind]}"),
    }
    with av.open(str(clip)) as source, av.open(str(folder / "all.m3u8"), "w", format="hls", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                ahead = round(begins_s / packet.time_base)
                packet.pts, packet.dts = packet.pts + ahead, packet.dts + ahead
                packet.stream = stream
                target.mux(packet)
    return folder / "all.m3u8"


def hls_app(playlist: Path) -> web.Application:
    """Return a camera that streams these segments live at /live.m3u8: each appears once its time has passed."""
    head, *parts = re.split(r"(?=#EXTINF:)", playlist.read_text().replace("#EXT-X-ENDLIST", ""))
    lengths_s = [float(part.split(":")[1].split(",")[0]) for part in parts]
    begun_s = asyncio.get_running_loop().time() - sum(lengths_s[:WINDOW])

    async def live(_request: web.Request) -> web.Response:
        passed_s, ready = asyncio.get_running_loop().time() - begun_s, 0
        while ready < len(parts) and sum(lengths_s[: ready + 1]) <= passed_s:
            ready += 1
        first = max(0, ready - WINDOW)
        kept = [line for line in head.splitlines() if line and "MEDIA-SEQUENCE" not in line and "TARGETDUR" not in line]
        lines = [*kept, f"#EXT-X-TARGETDURATION:{math.ceil(max(lengths_s))}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        text = "\n".join(lines) + "\n" + "".join(parts[first:ready])
        return web.Response(text=text, content_type="application/vnd.apple.mpegurl")

    app = web.Application()
    app.router.add_get("/live.m3u8", live)
    app.router.add_static("/", playlist.parent)
    return app
