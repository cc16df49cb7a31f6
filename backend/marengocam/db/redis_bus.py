"""Wake-ups over Redis pub/sub: hints only; while Redis is away none come, and nothing waits for it."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from marengocam.core.secret import Secret
from marengocam.db.listen import Callback
from marengocam.db.notices import Notice

PREFIX = "marengocam:"  # installations that share a Redis wake each other for nothing, and no more
CALL_LIMIT_S = 1.0
KEEPALIVE_S = 5.0
RETRY_FIRST_S = 0.5
RETRY_MAX_S = 5.0
JITTER = (0.5, 1.0)
QUEUE_HINTS = 1000
GOODBYE_LIMIT_S = 0.5
_LOG = logging.getLogger(__name__)


def _client(url: Secret) -> redis.Redis:
    """Return a client that neither tries again by itself nor waits for long."""
    return redis.Redis.from_url(
        url.reveal(),
        decode_responses=True,
        socket_connect_timeout=CALL_LIMIT_S,
        socket_timeout=CALL_LIMIT_S,
        retry=Retry(NoBackoff(), 0),
    )


class RedisTeller:
    """Publishes hints from a bounded queue; while Redis is away they are dropped."""

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._queue: asyncio.Queue[Notice] = asyncio.Queue(QUEUE_HINTS)
        self._task: asyncio.Task[None] | None = None

    def put(self, notices: Iterable[Notice]) -> None:
        """Have channels told soon."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        for notice in notices:
            if not self._queue.full():
                self._queue.put_nowait(notice)

    async def close(self) -> None:
        """Send what waits, for a moment, and end."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_LIMIT_S):
                await self._queue.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        retry_s, away = RETRY_FIRST_S, False
        async with contextlib.aclosing(_client(self._url)) as client:
            while True:
                batch = [await self._queue.get()]
                while not self._queue.empty():
                    batch.append(self._queue.get_nowait())
                try:
                    async with client.pipeline(transaction=False) as pipeline:
                        for channel, payload in dict.fromkeys(batch):
                            pipeline.publish(PREFIX + channel, payload)
                        async with asyncio.timeout(2 * CALL_LIMIT_S):
                            await pipeline.execute()
                    retry_s, away = RETRY_FIRST_S, False
                except (RedisError, OSError, TimeoutError) as error:
                    if not away:
                        _LOG.warning("Redis is away (%s): polls take over", type(error).__name__)
                    away = True
                    await asyncio.sleep(retry_s * random.uniform(*JITTER))  # noqa: S311 - jitter, not a secret
                    retry_s = min(retry_s * 2, RETRY_MAX_S)
                finally:
                    for _ in batch:
                        self._queue.task_done()


@contextlib.asynccontextmanager
async def redis_listening(url: Secret, channels: Sequence[str], callback: Callback) -> AsyncIterator[None]:
    """Call `callback(channel, payload)` at every hint while the block runs.

    After a break the callback gets every channel once with an empty payload, since something may have been missed.
    """
    task = asyncio.create_task(_keep(url, channels, callback))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep(url: Secret, channels: Sequence[str], callback: Callback) -> None:
    retry_s = RETRY_FIRST_S
    while True:
        try:
            async with contextlib.aclosing(_client(url)) as client, client.pubsub() as pubsub:
                await pubsub.subscribe(*(PREFIX + channel for channel in channels))
                retry_s = RETRY_FIRST_S
                for channel in channels:
                    callback(channel, "")
                await _hear(pubsub, callback)
        except (RedisError, OSError, TimeoutError) as error:
            _LOG.info("listening to Redis is begun anew: %s", type(error).__name__)
        await asyncio.sleep(retry_s * random.uniform(*JITTER))  # noqa: S311 - jitter, not a secret
        retry_s = min(retry_s * 2, RETRY_MAX_S)


async def _hear(pubsub: Any, callback: Callback) -> None:
    """Pass hints on; silence is answered with a ping, and a ping without an answer ends it."""
    asked = False
    while True:
        message = await pubsub.get_message(timeout=CALL_LIMIT_S if asked else KEEPALIVE_S)
        if message is None:
            if asked:
                raise TimeoutError
            await pubsub.ping()
            asked = True
            continue
        asked = False
        if message["type"] == "message":
            callback(message["channel"].removeprefix(PREFIX), message["data"])
