"""GStreamer's cameras through the whole of ingest: recorded, lost, and recorded again when they are back."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import pytest
from tests.support.certificates import write_certificate
from tests.support.gst_camera import gst_camera
from tests.support.ingest_service import END_LIMIT_S, start_ingest, until
from tests.support.ports import free_port

from marengocam.core.camera_options import Transport
from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, CameraState, Chunk
from marengocam.core.secret import Secret
from marengocam.db.hub import Hub
from marengocam.media.store import Store
from marengocam.settings import Settings

PASSWORD = "p@ss:w/rd"
LOGIN = ("--login", f"me:{PASSWORD}")
ME = {"username": "me", "password": Secret(PASSWORD)}
FPS = 15
RUN_LIMIT_S = 120
CLOCK = SystemClock()


async def chunks_of(hub: Hub, camera_id: str) -> list[Chunk]:
    now = CLOCK.now()
    return await hub.chunks.span(camera_id, now - timedelta(hours=1), now + timedelta(hours=1))


async def end(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(END_LIMIT_S):
        assert await process.wait() == 0


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_every_way_to_stream_is_recorded_side_by_side(hub: Hub, hub_settings: Settings, tmp_path: Path) -> None:
    certificate = str(write_certificate(tmp_path / "camera.pem"))
    wanted = {
        "plain": ((), {}, "h264"),
        "udp": (("--only", "udp", "--codec", "h265"), {"transport": Transport.UDP}, "hevc"),
        "basic": (("--auth", "basic", *LOGIN, "--sound", "pcma"), ME, "h264"),
        "digest": (("--auth", "digest", *LOGIN, "--sound", "aac"), ME, "h264"),
        "encrypted": (("--certificate", certificate, "--auth", "digest", *LOGIN), ME, "h264"),
        "pictures": (("--codec", "mjpeg"), {}, "mjpeg"),
    }
    async with contextlib.AsyncExitStack() as stack:
        for name, (arguments, options, _) in wanted.items():
            source = await stack.enter_async_context(gst_camera(*arguments))
            await hub.cameras.add(Camera(name, name, source.url, detect=False, **options))
        process = await start_ingest(replace(hub_settings, detector="hog", chunk_s=3.0), tmp_path / "ingest.log")
        try:

            async def recorded() -> bool:
                return all([await hub.chunks.recorded_s(name) >= 6 for name in wanted])

            await until(recorded, 60)
            states = {name: status.state for name, status in (await hub.cameras.statuses()).items()}
        finally:
            await end(process)
    assert states == dict.fromkeys(wanted, CameraState.ONLINE)
    for name, (_, _, codec) in wanted.items():
        chunks = await chunks_of(hub, name)
        assert {chunk.codec for chunk in chunks} == {codec}
        for chunk in chunks:
            with av.open(str(hub_settings.media_dir / chunk.path)) as container:
                assert sum(1 for _ in container.decode(video=0)) == pytest.approx(chunk.duration_s * FPS, abs=1.5)
                assert len(container.streams.audio) == (1 if name in {"basic", "digest"} else 0), name
    assert PASSWORD not in (tmp_path / "ingest.log").read_text()


@pytest.mark.timeout(RUN_LIMIT_S)
@pytest.mark.parametrize("trouble", ["power", "hang"])
async def test_a_camera_that_is_back_is_recorded_at_once(
    hub: Hub, hub_settings: Settings, tmp_path: Path, trouble: str
) -> None:
    store = Store(hub_settings.media_dir)
    async with contextlib.AsyncExitStack() as stack:
        source = await stack.enter_async_context(gst_camera(port=free_port()))
        await hub.cameras.add(Camera("front", "Front", source.url, detect=False))
        process = await start_ingest(replace(hub_settings, detector="hog", chunk_s=60.0), tmp_path / "ingest.log")
        try:

            async def growing() -> bool:
                return any(file.name.endswith(".part") for file in store.recordings("front"))

            async def closed() -> bool:
                return not await growing()

            await until(growing)
            await asyncio.sleep(3)
            lost_at = CLOCK.now()
            if trouble == "power":
                await source.kill()
            else:
                source.process.send_signal(signal.SIGSTOP)
            await until(closed)
            noticed_s = (CLOCK.now() - lost_at).total_seconds()
            await asyncio.sleep(9)
            if trouble == "power":
                await stack.enter_async_context(gst_camera(port=source.port))
            else:
                source.process.send_signal(signal.SIGCONT)
            back_at = CLOCK.now()
            await until(growing)
            await asyncio.sleep(2)
        finally:
            await end(process)
    before, after = await chunks_of(hub, "front")
    measured = {
        "trouble": trouble,
        "noticed_s": round(noticed_s, 2),
        "last_picture_before_loss_s": round((lost_at - before.ended_at).total_seconds(), 2),
        "first_recorded_picture_after_return_s": round((after.started_at - back_at).total_seconds(), 2),
    }
    sys.stderr.write(f"{json.dumps(measured)}\n")
    if artifacts := os.environ.get("MARENGOCAM_ARTIFACTS"):
        (Path(artifacts) / f"return_after_{trouble}.json").write_text(json.dumps(measured))
    assert after.started_at > before.ended_at
    assert "no video" in (tmp_path / "ingest.log").read_text() or trouble == "power"


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MARENGOCAM_") and name != "MARENGOCAM_ARTIFACTS"]:
        monkeypatch.delenv(name)
