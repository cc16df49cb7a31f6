"""A camera of GStreamer's RTSP server (`gst_peer.py`) for tests; they skip where its packages are not installed."""

import asyncio
import contextlib
import functools
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"  # the bindings come as a package of the system, for its own Python
PEER = Path(__file__).with_name("gst_peer.py")
START_LIMIT_S = 60.0
ELEMENTS = ("x264enc", "x265enc", "jpegenc", "vp8enc", "avenc_aac", "mulawenc", "alawenc", "rtph264pay")
ASK = f"""
import gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
print(",".join(name for name in {ELEMENTS!r} if not Gst.ElementFactory.find(name)))
"""


@functools.cache
def lacking() -> str:
    """Return why GStreamer's server cannot be run here, "" if it can."""
    try:
        asked = subprocess.run([SYSTEM_PYTHON, "-c", ASK], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return f"there is no {SYSTEM_PYTHON}"
    if asked.returncode:
        return "GStreamer's RTSP server is not installed (script/test installs it)"
    return f"GStreamer lacks {asked.stdout.strip()}" if asked.stdout.strip() else ""


@dataclass(slots=True)
class GstCamera:
    """A running camera."""

    process: asyncio.subprocess.Process
    port: int
    scheme: str

    @property
    def url(self) -> str:
        """Its address, without credentials."""
        return f"{self.scheme}://127.0.0.1:{self.port}/cam"

    async def kill(self) -> None:
        """Take its power away."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def gst_camera(*arguments: str, port: int = 0) -> AsyncIterator[GstCamera]:
    """Run a camera with these arguments of `gst_peer.py`; the test is skipped where that cannot be."""
    reason = await asyncio.to_thread(lacking)
    if reason:
        pytest.skip(reason)
    command = (SYSTEM_PYTHON, str(PEER), "--port", str(port), *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_LIMIT_S):
            told = await process.stdout.readline()
        yield GstCamera(process, int(told), "rtsps" if "--certificate" in arguments else "rtsp")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
