"""A real Redis that tests start, kill and start again."""

import asyncio
import contextlib
import shutil

from tests.support.ports import free_port

REDIS = shutil.which("redis-server")
READY_LIMIT_S = 20


class RedisServer:
    """One server on one port; nothing is kept on disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def start(self) -> None:
        quiet = asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            str(REDIS), "--port", str(self.port), "--save", "", "--bind", "127.0.0.1", stdout=quiet, stderr=quiet
        )
        async with asyncio.timeout(READY_LIMIT_S):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None
