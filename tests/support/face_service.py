"""`marengocam face` as a process of its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from marengocam.settings import Settings
from tests.support.ports import free_port

READY_LIMIT_S = 60.0
END_LIMIT_S = 30.0  # of waiting; one that does not drain in time tells so by its status


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
