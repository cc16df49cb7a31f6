"""A real MQTT broker that tests start, kill and start again."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt

MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
READY_LIMIT_S = 20


@contextlib.asynccontextmanager
async def mosquitto(port: int, configuration: Path | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a broker while the block runs; without a configuration everybody on this machine may use it."""
    arguments = ("-p", str(port)) if configuration is None else ("-c", str(configuration))
    process = await asyncio.create_subprocess_exec(
        str(MOSQUITTO), *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(READY_LIMIT_S):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


class Heard:
    """What a client hears of everything, in order; `latest` by topic."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []

    @property
    def latest(self) -> dict[str, str]:
        return dict(self.messages)

    def of(self, topic: str) -> list[str]:
        return [payload for heard, payload in self.messages if heard == topic]


@contextlib.asynccontextmanager
async def hearing(port: int) -> AsyncIterator[Heard]:
    """Hear everything while the block runs."""
    heard = Heard()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.messages.append((str(message.topic), message.payload.decode()))

    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("#")
        task = asyncio.create_task(listen(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
