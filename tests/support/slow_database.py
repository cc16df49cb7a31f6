"""A way to the tests' database on which every question takes as long to arrive as is told."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from marengocam.core.secret import Secret

BLOCK_BYTES = 1 << 16


class SlowWay:
    """Where the database is found, and by how much each question is late from now on."""

    def __init__(self, address: Secret) -> None:
        self.address = address
        self.delay_s = 0.0


@contextlib.asynccontextmanager
async def slow_way(url: Secret) -> AsyncIterator[SlowWay]:
    """Stand before the database's socket while the block runs."""
    split = urlsplit(url.reveal())
    asked = parse_qs(split.query)
    there = Path(asked["host"][0]) / f".s.PGSQL.{asked['port'][0]}"
    with tempfile.TemporaryDirectory(prefix="mc-slow-") as folder:
        way = SlowWay(Secret(split._replace(query=f"host={folder}&port={asked['port'][0]}").geturl()))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                server_reader, server_writer = await asyncio.open_unix_connection(there)
                await asyncio.gather(_carry(reader, server_writer, way), _carry(server_reader, writer, None))

        server = await asyncio.start_unix_server(serve, Path(folder) / there.name)
        try:
            yield way
        finally:
            server.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: SlowWay | None) -> None:
    try:
        while content := await reader.read(BLOCK_BYTES):
            if way is not None:
                await asyncio.sleep(way.delay_s)
            writer.write(content)
            await writer.drain()
    finally:
        writer.close()
