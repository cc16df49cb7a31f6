"""Camera addresses that lead where no camera is: refused when given, and again when opened."""

import asyncio
from dataclasses import replace

from tests.support.ingest_service import until
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, CameraState
from marengocam.ingest.camera_state import CameraHealth, Condition
from marengocam.ingest.decode_queue import DecodeQueue
from marengocam.ingest.reading import Reader, ReadingPlan
from marengocam.media.store import Store

REFUSED = (
    "rtsp://127.0.0.1:8554/x", "http://localhost:5432/", "rtsp://169.254.169.254/x", "http://0x7f.1/", "https://[::1]/",
    "ftp://10.0.0.9/x", "gopher://10.0.0.9/", "concat:a|b", "data:text/plain,x", "rtmp://10.0.0.9/", "pipe:0",
    "tcp://10.0.0.9:1", "subfile,,start,0,end,0,,:/etc/passwd", "httpproxy://10.0.0.9/", "lavfi:color", "//10.0.0.9/x",
    "file:///etc/passwd", "file://../../etc/passwd", "file:///%2e%2e/etc/passwd",
)  # fmt: skip


async def test_the_api_takes_no_address_that_leads_to_no_camera(hub, hub_settings):
    async with serving_api(hub, replace(hub_settings, loopback_cameras=False)) as api:
        good = {"name": "Yard", "main_url": "rtsp://10.0.0.9/main"}
        assert (await api.call("POST", "/cameras", good))[0] == 201
        for url in REFUSED:
            for method, path, body, field in (
                ("POST", "/cameras", {"name": "Front", "main_url": url}, "main_url"),
                ("POST", "/cameras", {"name": "Front", "main_url": "rtsp://10.0.0.8/x", "sub_url": url}, "sub_url"),
                ("PATCH", "/cameras/yard", {"main_url": url}, "main_url"),
                ("PATCH", "/cameras/yard", {"sub_url": url}, "sub_url"),
                ("POST", "/cameras/probe", {"main_url": url}, "main_url"),
            ):
                status, answer = await api.call(method, path, body)
                if path != "/cameras/probe" or status != 429:
                    assert (status, answer["error"].get("field")) == (400, field), (method, path, url)
        assert [camera.main_url for camera in await hub.cameras.list()] == [good["main_url"]]


async def test_no_camera_is_looked_up_there(hub, hub_settings):
    async with serving_api(hub, replace(hub_settings, loopback_cameras=False)) as api:
        for address in ("onvif://127.0.0.1", "http://169.254.169.254/latest", "http://[::1]:80/", "localhost"):
            status, answer = await api.call("POST", "/discovery/lookup", {"address": address})
            assert (status, answer["error"]["field"]) == (400, "address")


async def test_an_address_that_leads_elsewhere_only_later_is_not_opened(tmp_path):
    """A name may have led to a camera when it was given: who opens it asks again."""
    connections = []
    server = await asyncio.start_server(lambda _reader, writer: (connections.append(1), writer.close()), "127.0.0.1", 0)
    url = f"rtsp://localhost:{server.sockets[0].getsockname()[1]}/x"
    health = CameraHealth(Condition(CameraState.CONNECTING, "", SystemClock().now()))
    reader = Reader(
        Camera("front", "Front", url), ReadingPlan(url, record=False, analyse=False), store=Store(tmp_path),
        clock=SystemClock(), chunk_s=2, health=health, queue=DecodeQueue(), sights=None,
        on_chunk=lambda _chunk: None, on_recovered=lambda: None, on_disk_full=lambda: None, loopback=False,
    )  # fmt: skip

    async def told():
        return "not read from this address" in health.stream_problem

    reader.start()
    try:
        await until(told)
    finally:
        reader.stop()
        reader.thread.join(20)
        server.close()
        await server.wait_closed()
    assert connections == []
