"""`marengocam face` as its own process: health, work without models, and a clean end."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from tests.support.ports import free_port
from tests.support.shared_assets import needed_folder

from marengocam.db.hub import Hub
from marengocam.media.store import Store
from marengocam.settings import Settings

READY_LIMIT_S = 30.0
END_LIMIT_S = 12.0
Running = tuple[asyncio.subprocess.Process, str]  # and its address


@asynccontextmanager
async def face_process(
    settings: Settings, models_dir: Path | None
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MARENGOCAM_")} | {
        "MARENGOCAM_DATA_DIR": str(settings.data_dir),
        "MARENGOCAM_MEDIA_DIR": str(settings.media_dir),
        "MARENGOCAM_DATABASE_URL": settings.database_url.reveal(),
        "MARENGOCAM_DOWNLOAD_MODELS": "false",
        "MARENGOCAM_FACE_PORT": str(port),
    }
    if models_dir is not None:
        environment["MARENGOCAM_MODELS_DIR"] = str(models_dir)
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "marengocam.cli", "face", env=environment)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def health(session: aiohttp.ClientSession, base: str, wanted: str) -> dict[str, Any]:
    """Return the process's health as soon as its status is the wanted one."""
    async with asyncio.timeout(READY_LIMIT_S):
        while True:
            try:
                async with session.get(f"{base}/health") as reply:
                    report: dict[str, Any] = await reply.json()
                if report["status"] == wanted and "loaded" not in report["reason"]:
                    return report
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def end(process: asyncio.subprocess.Process) -> int:
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(END_LIMIT_S):
        return await process.wait()


async def test_without_models_it_is_degraded_says_what_to_do_and_ends_when_told(hub_settings: Settings) -> None:
    async with face_process(hub_settings, None) as (process, base), aiohttp.ClientSession() as session:
        report = await health(session, base, "degraded")
        assert "models list" in report["reason"]
        async with session.post(f"{base}/v1/vision/face", data={"image": BytesIO(b"x")}) as reply:
            assert (reply.status, (await reply.json())["success"]) == (200, False)
        assert await end(process) == 0


async def test_with_models_it_is_well_registers_over_http_and_knows_the_face_after_a_restart(
    hub: Hub, hub_settings: Settings
) -> None:
    Store(hub_settings.media_dir).prepare(await hub.settings_store.installation_id())  # as ingest does
    models, faces = needed_folder("models"), needed_folder("faces")
    for task in ("register", "recognize"):
        async with face_process(hub_settings, models) as (process, base), aiohttp.ClientSession() as session:
            report = await health(session, base, "ok")
            assert report["detail"]["model"]
            form = aiohttp.FormData({"userid": "Barack"})
            form.add_field("image", BytesIO((faces / "obama.jpg").read_bytes()), filename="obama.jpg")
            async with session.post(f"{base}/v1/vision/face/{task}", data=form) as reply:
                answer = await reply.json()
            assert answer["success"], answer
            if task == "recognize":
                assert answer["predictions"][0]["userid"] == "Barack"
            assert await end(process) == 0
