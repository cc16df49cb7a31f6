"""Wake-ups: LISTEN on a connection of its own, made anew when it breaks. Only hints; a poll stands behind each."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg

from marengocam.core.errors import MarengoCamError
from marengocam.db.database import CONNECT_TIMEOUT_S, Connection, Database
from marengocam.db.queries import load

KEEPALIVE_S = 5.0
RETRY_FIRST_S = 0.5
RETRY_MAX_S = 5.0
_QUERIES = load("listen")
_LOG = logging.getLogger(__name__)

Callback = Callable[[str, str], None]


@contextlib.asynccontextmanager
async def listening(database: Database, channels: Sequence[str], callback: Callback) -> AsyncIterator[None]:
    """Call `callback(channel, payload)` at every notification while the block runs.

    After a break the callback gets every channel once with an empty payload, since something may have been missed.
    """
    task = asyncio.create_task(_keep(database, channels, callback))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _keep(database: Database, channels: Sequence[str], callback: Callback) -> None:
    retry_s = RETRY_FIRST_S
    while True:
        try:
            connection = await database.direct()
        except MarengoCamError:
            await asyncio.sleep(retry_s)
            retry_s = min(retry_s * 2, RETRY_MAX_S)
            continue
        retry_s = RETRY_FIRST_S
        try:
            await _listen(connection, channels, callback)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            _LOG.info("listening is begun anew: %s", type(error).__name__)
        finally:
            connection.terminate()


async def _listen(connection: Connection, channels: Sequence[str], callback: Callback) -> None:
    lost = asyncio.Event()

    def told(_connection: Any, _pid: int, channel: str, payload: object) -> None:
        callback(channel, str(payload))

    connection.add_termination_listener(lambda _connection: lost.set())
    for channel in channels:
        await connection.add_listener(channel, told)
    for channel in channels:
        callback(channel, "")
    while not lost.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEPALIVE_S):
                await lost.wait()
            break
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await _QUERIES.still_there(connection)
