"""Wake-ups by NOTIFY, by Redis and by polling alone: the same results from each, alive or dead."""

import asyncio
import contextlib
import sys
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from tests.support.redis_server import REDIS, RedisServer

from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.core.model import EventType, NewEvent
from marengocam.core.secret import Secret
from marengocam.db.hub import open_hub
from marengocam.runtime.bus import Bus

WAIT_LIMIT_S = 30
KINDS = (
    "notify",
    pytest.param("redis", marks=pytest.mark.skipif(REDIS is None, reason="needs redis-server")),
    "poll",
)


class TestBus:
    """One kind of bus, and how it is killed and brought back."""

    __test__ = False

    def __init__(self, kind, settings):
        self.kind = kind
        self.redis = RedisServer() if kind == "redis" else None
        url = {"notify": "", "redis": self.redis.url if self.redis else "", "poll": "poll"}[kind]
        self.settings = replace(settings, bus_url=Secret(url))

    async def start(self):
        if self.redis is not None:
            await self.redis.start()

    async def kill(self):
        """Redis dies; of PostgreSQL, which must live, every connection that listens is cut."""
        if self.redis is not None:
            await self.redis.kill()
        elif self.kind == "notify":
            connection = await asyncpg.connect(self.settings.database_url.reveal(), timeout=WAIT_LIMIT_S)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
            )
            await connection.close()


@pytest.fixture(params=KINDS)
async def bus(request, hub_settings):
    one = TestBus(request.param, hub_settings)
    await one.start()
    yield one
    if one.redis is not None:
        await one.redis.kill()


def event():
    return NewEvent(uuid4(), EventType.CAMERA_ONLINE, SystemClock().now(), camera_id="yard")


class Reader:
    """Reads events as services do: in order, woken by the bus or by the poll behind it."""

    def __init__(self):
        self.numbers = []
        self.wake_ups = 0

    @contextlib.asynccontextmanager
    async def reading(self, hub, bus):
        task = asyncio.create_task(self._run(hub, bus))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self, hub, bus):
        with bus.subscribed("event") as told:
            while True:
                found = await hub.events.after(self.numbers[-1] if self.numbers else 0, 100)
                self.numbers += [one.number for one in found]
                if not found:
                    self.wake_ups += await told.wait()

    async def until(self, count):
        async with asyncio.timeout(WAIT_LIMIT_S):
            while len(self.numbers) < count:
                await asyncio.sleep(0.01)


async def test_everything_arrives_in_order_also_while_the_bus_is_killed_and_comes_back(bus):
    async with open_hub(bus.settings, "writer") as writer, open_hub(bus.settings, "reader") as hub:
        reader = Reader()
        async with Bus(hub).running() as wake_ups, reader.reading(hub, wake_ups):
            for number in range(60):
                await writer.events.append([event()])
                if number == 20:
                    await bus.kill()
                if number == 40:
                    await bus.start()
            await reader.until(60)
            assert reader.numbers == list(range(1, 61))
            if bus.kind != "poll":
                before = reader.wake_ups
                async with asyncio.timeout(WAIT_LIMIT_S):
                    while reader.wake_ups == before:  # it listens again
                        await writer.events.append([event()])
                        await asyncio.sleep(0.2)
            else:
                assert reader.wake_ups == 0


async def test_hints_come_after_the_commit_and_never_for_what_was_rolled_back(bus):
    if bus.kind == "poll":
        pytest.skip("no hints at all")
    heard = asyncio.Queue()
    async with (
        open_hub(bus.settings, "writer") as writer,
        open_hub(bus.settings, "reader") as hub,
        hub.listen(["event", "health"], lambda *hint: heard.put_nowait(hint)),
    ):
        async with asyncio.timeout(WAIT_LIMIT_S):
            begun = {await heard.get() for _ in range(2)}
        assert begun == {("event", ""), ("health", "")}
        with contextlib.suppress(ZeroDivisionError):
            async with writer.database.transaction() as connection:
                await writer.events.append([event()], connection)
                raise ZeroDivisionError
        async with writer.database.transaction() as connection:
            await writer.events.append([event()], connection)
            assert heard.empty()
        async with asyncio.timeout(WAIT_LIMIT_S):
            assert (await heard.get())[0] == "event"
        assert [one.number for one in await hub.events.after(0, 10)] == [1]
        await writer.health.log("ingest", "camera:door", "info", "back again")
        async with asyncio.timeout(WAIT_LIMIT_S):
            assert await heard.get() == ("health", "camera:door")


async def test_a_command_wakes_services_before_it_ends(bus):
    if bus.kind == "poll":
        pytest.skip("no hints at all")
    woken = asyncio.Event()
    async with (
        open_hub(bus.settings, "reader") as hub,
        hub.listen(["health"], lambda _channel, payload: woken.set() if payload else None),
        asyncio.timeout(WAIT_LIMIT_S),
    ):
        while not woken.is_set():
            async with open_hub(bus.settings, "command", pool_size=1) as command:
                await command.health.log("web", "x", "info", "y")
            await asyncio.sleep(0.1)


async def test_a_bus_that_was_never_there_costs_time_only(hub_settings):
    settings = replace(hub_settings, bus_url=Secret(RedisServer().url))
    async with open_hub(settings, "writer") as hub:
        reader = Reader()
        async with Bus(hub).running() as wake_ups, reader.reading(hub, wake_ups):
            for _ in range(3):
                await hub.events.append([event()])
            await reader.until(3)
    assert reader.wake_ups == 0


async def test_redis_without_its_client_is_told_at_the_start(hub_settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "marengocam.db.redis_bus", None)
    settings = replace(hub_settings, bus_url=Secret("redis://127.0.0.1"))
    with pytest.raises(BadInputError, match=r"marengocam\[redis\]"):
        async with open_hub(settings, "writer"):
            pass
