"""What callers meet while the database is hung, gone, restarted or never there, and that all heals by itself."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from marengocam.core.errors import BadInputError, HubUnavailableError
from marengocam.core.model import EventType, NewEvent
from marengocam.core.secret import Secret
from marengocam.db.database import Database
from marengocam.db.embedded import EmbeddedServer, database_address
from marengocam.db.embedded.processes import members, send
from marengocam.db.hub import open_hub
from marengocam.db.migrate import migrate
from marengocam.settings import Settings

ANSWER_LIMIT_S = 6.0  # what callers are promised, with a second to spare on a busy machine
HEAL_LIMIT_S = 15.0


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp(prefix="mc-out-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
async def server(folder):
    """A server of this test's own, since it is going to be hurt."""
    made = EmbeddedServer(folder, die_with_parent=True)
    made.start()
    yield made
    for pid in members(folder / "postgres"):
        send(pid, signal.SIGCONT)
    made.stop()


@pytest.fixture
async def settings(server, folder):
    made = Settings(data_dir=folder, media_dir=folder / "media")
    await migrate(made)
    return made


@asynccontextmanager
async def hung(folder):
    pids = members(folder / "postgres")
    for pid in pids:
        send(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            send(pid, signal.SIGCONT)


@asynccontextmanager
async def refused_in_time():
    started = time.monotonic()
    with pytest.raises(HubUnavailableError):
        yield
    assert time.monotonic() - started < ANSWER_LIMIT_S


async def healed(call):
    deadline = time.monotonic() + HEAL_LIMIT_S
    while True:
        try:
            return await call()
        except HubUnavailableError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


def fact():
    return NewEvent(event_id=uuid4(), type=EventType.ZONE_ENTERED, occurred_at=datetime(2026, 5, 1, tzinfo=UTC))


async def test_a_hung_server_is_told_in_time_on_open_and_on_new_connections_and_heals(settings, folder):
    async with open_hub(settings, "test", 2) as hub:
        await hub.events.append([fact()])
        async with hung(folder):
            async with refused_in_time():
                await hub.events.last_number()  # on the connection that is open
            async with refused_in_time():
                await hub.events.last_number()  # on one that has to be made
        assert await healed(hub.events.last_number) == 1


async def test_a_server_that_hangs_within_a_transaction_is_told_in_time_and_the_transaction_is_undone(settings, folder):
    async with open_hub(settings, "test", 2) as hub:
        async with hub.database.transaction() as connection:
            await connection.fetchval("SELECT 1")
        async with refused_in_time(), hub.database.transaction() as connection:
            await hub.events.append([fact()], connection=connection)
            async with hung(folder):
                await connection.fetchval("SELECT 1")
        assert await healed(hub.events.last_number) == 0


async def test_a_caller_that_is_cancelled_while_the_server_hangs_gets_away_at_once(settings, folder):
    async with open_hub(settings, "test", 1) as hub:
        await hub.events.last_number()
        async with hung(folder):
            call = asyncio.create_task(hub.events.append([fact()]))
            await asyncio.sleep(0.2)
            call.cancel()
            done, _ = await asyncio.wait({call}, timeout=2.5)  # its call would be given up after 3 s
            assert done == {call}
            assert call.cancelled()
        assert await healed(hub.events.last_number) == 0


async def test_closing_the_hub_of_a_hung_server_ends_in_time(settings, folder):
    async with hung_hub(settings, folder):
        started = time.monotonic()
    assert time.monotonic() - started < ANSWER_LIMIT_S


@asynccontextmanager
async def hung_hub(settings, folder):
    async with open_hub(settings, "test", 2) as hub:
        await hub.events.last_number()
        async with hung(folder), refused_in_time():
            await hub.events.last_number()
        yield hub
        for pid in members(folder / "postgres"):
            send(pid, signal.SIGSTOP)


async def test_kill_9_and_a_restart_are_survived_on_the_same_hub(settings, server, folder):
    async with open_hub(settings, "test", 2) as hub:
        await hub.events.append([fact()])
        for pid in members(folder / "postgres"):
            send(pid, signal.SIGKILL)
        async with refused_in_time():
            while server.running():
                await hub.events.last_number()
            await hub.events.last_number()
        server.start()
        assert await healed(hub.events.last_number) == 1


async def test_a_killed_backend_costs_one_call_at_most(settings, folder):
    async with open_hub(settings, "test", 1) as hub:
        async with hub.database.connection() as connection:
            os.kill(connection.get_server_pid(), signal.SIGKILL)
        assert await healed(hub.events.last_number) == 0


async def test_a_hung_client_does_not_keep_event_numbers_from_others(settings, monkeypatch):
    monkeypatch.setattr("marengocam.db.database.IDLE_IN_TRANSACTION_LIMIT_S", 1)
    async with open_hub(settings, "sleeper", 1) as sleeper, open_hub(settings, "other", 1) as other:

        async def number_and_sleep():
            async with sleeper.database.transaction() as connection:
                await sleeper.events.append([fact()], connection=connection)
                await asyncio.sleep(1.5)
                assert len(await other.events.append([fact()])) == 1
                await connection.fetchval("SELECT 1")

        with pytest.raises(HubUnavailableError):
            await number_and_sleep()
        assert await other.events.last_number() == 1


async def test_before_the_database_was_ever_started_callers_are_told_what_to_do(folder):
    settings = Settings(data_dir=folder, media_dir=folder / "media")
    async with open_hub(settings, "test") as hub:
        with pytest.raises(HubUnavailableError, match="marengocam up"):
            await hub.events.last_number()


async def test_a_hub_opened_before_the_database_heals_once_it_is_there(folder):
    settings = Settings(data_dir=folder, media_dir=folder / "media")
    server = EmbeddedServer(folder, durable=False)
    async with open_hub(settings, "test") as hub:
        with pytest.raises(HubUnavailableError):
            await hub.events.last_number()
        try:
            await asyncio.to_thread(server.start)
            with pytest.raises(HubUnavailableError, match="marengocam migrate"):
                await hub.events.last_number()
            await migrate(settings)
            assert await hub.events.last_number() == 0
        finally:
            await asyncio.to_thread(server.stop)


async def test_a_database_that_moved_is_found_again(settings, folder):
    addresses = [Secret("postgresql://nobody@/gone?host=/nowhere"), database_address(settings)]
    database = Database(lambda: addresses[0], "test", 1)
    try:
        with pytest.raises(HubUnavailableError):
            async with database.connection():
                raise AssertionError
        addresses.pop(0)
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    finally:
        await database.close()


async def test_a_pool_in_full_use_refuses_in_time(settings):
    async with open_hub(settings, "test", 1) as hub, hub.database.connection(), refused_in_time():
        await hub.events.last_number()


async def test_a_refused_value_leaves_the_connection_usable(settings):
    async with open_hub(settings, "test", 1) as hub:
        async with hub.database.connection() as connection:
            backend = connection.get_server_pid()
        with pytest.raises(BadInputError):
            await hub.settings_store.set(7, "seven")
        async with hub.database.connection() as connection:
            assert connection.get_server_pid() == backend
