"""Wake-ups: they come, and they come again after the connection broke."""

import asyncio
import os
import signal

import pytest

from marengocam.db.health import CHANNEL as HEALTH

WAIT_LIMIT_S = 30.0


class Ear:
    """Collects what it was told."""

    def __init__(self):
        self.heard = asyncio.Queue()

    def __call__(self, channel, payload):
        self.heard.put_nowait((channel, payload))

    async def next(self):
        async with asyncio.timeout(WAIT_LIMIT_S):
            return await self.heard.get()


@pytest.fixture
async def ear(hub):
    listener = Ear()
    async with hub.listen([HEALTH, "camera"], listener):
        assert {await listener.next(), await listener.next()} == {(HEALTH, ""), ("camera", "")}
        yield listener


async def test_a_change_is_told_to_who_listens(hub, ear):
    await hub.health.log("ingest", "camera:door", "info", "back again")
    assert await ear.next() == (HEALTH, "camera:door")


async def test_what_is_rolled_back_is_not_told(hub, ear):
    async with hub.database.connection() as connection:
        await connection.execute("BEGIN; SELECT pg_notify('camera', 'never'); ROLLBACK")
    await hub.health.log("ingest", "camera:door", "info", "back again")
    assert await ear.next() == (HEALTH, "camera:door")


async def test_after_a_break_it_listens_again_and_says_that_something_may_have_been_missed(hub, ear):
    async with hub.database.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
        )
    assert {await ear.next(), await ear.next()} == {(HEALTH, ""), ("camera", "")}
    await hub.health.log("ingest", "camera:door", "info", "back again")
    assert await ear.next() == (HEALTH, "camera:door")


async def test_a_server_that_hangs_is_noticed_and_listened_to_again(hub, monkeypatch):
    monkeypatch.setattr("marengocam.db.listen.KEEPALIVE_S", 0.2)
    listener = Ear()
    async with hub.listen([HEALTH], listener):
        assert await listener.next() == (HEALTH, "")
        async with hub.database.connection() as connection:
            backend = await connection.fetchval(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
        os.kill(backend, signal.SIGSTOP)
        try:
            assert await listener.next() == (HEALTH, "")
        finally:
            os.kill(backend, signal.SIGCONT)
