"""A service whose account the server does not know yet, as at compose's first start, waits for it quietly."""

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tests.support.pgbouncer import pooling, program

from marengocam.core.errors import HubUnavailableError
from marengocam.core.secret import Secret
from marengocam.db import admission
from marengocam.db.database import Database
from marengocam.db.embedded.account import database_account

CALLS = 20
LOG_LIMIT_S = 20.0


@pytest.fixture
def role():
    return f"service_{uuid4().hex}"


@pytest.fixture
def address(database_url, role):
    address = database_url.reveal()
    owner = address.partition("://")[2].partition("@")[0]
    return Secret(address.replace(f"://{owner}@", f"://{role}@"))


@pytest.fixture
def long_pause(monkeypatch):
    monkeypatch.setattr(admission, "PAUSE_FIRST_S", 600.0)
    monkeypatch.setattr(admission, "FIRST_ANSWER_S", 30.0)  # however long a busy machine takes to refuse the first


@pytest.fixture
def refused(hub_server, address, role):
    """Return how often the server wrote into its log that it refused the account, once it has written of the last."""
    folder, last = Path(hub_server._data_dir), f"{role}_last"

    def told_of(account):
        logs = [folder / "postgres.log", *folder.rglob("log/*.log")]
        said = [line for log in logs for line in log.read_text().splitlines() if "FATAL" in line]
        return sum(f'"{account}"' in line for line in said)

    async def count():
        # A process of its own writes the log, in order: what came before this refusal stands there when it does.
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(address.reveal().replace(role, last), timeout=LOG_LIMIT_S)
        async with asyncio.timeout(LOG_LIMIT_S):
            while not told_of(last):
                await asyncio.sleep(0.02)
        return told_of(role)

    return count


async def call(database):
    async with database.connection() as connection:
        return await connection.fetchval("SELECT 1")


async def listen(database):
    connection = await database.direct()
    connection.terminate()


@pytest.mark.usefixtures("long_pause")
async def test_of_all_its_calls_one_asks_the_server(address, refused):
    database = Database(lambda: address, "test", 4)
    calls = [call(database) for _ in range(CALLS)] + [listen(database)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(answer) for answer in answers} == {HubUnavailableError}
    for _ in range(CALLS):
        with pytest.raises(HubUnavailableError, match="does not let us in yet"):
            await call(database)
    assert await refused() == 1
    await database.close()


async def test_it_is_let_in_soon_after_the_account_is_made(address, database_url, role, monkeypatch):
    monkeypatch.setattr(admission, "PAUSE_FIRST_S", 0.2)
    database = Database(lambda: address, "test", 4)
    with pytest.raises(HubUnavailableError):
        await call(database)
    owner = await asyncpg.connect(database_url.reveal())
    try:
        await owner.execute(f"CREATE ROLE {role} LOGIN")
        async with asyncio.timeout(LOG_LIMIT_S):
            while True:
                try:
                    assert await call(database) == 1
                    break
                except HubUnavailableError:
                    await asyncio.sleep(0.05)
        await database.close()
    finally:
        await owner.execute(f"DROP ROLE {role}")
        await owner.close()


async def test_calls_go_side_by_side_once_it_was_let_in(database_url):
    database = Database(lambda: database_url, "test", 2)
    assert await call(database) == 1
    async with database.connection(), asyncio.timeout(5):
        assert await call(database) == 1
    await database.close()


@pytest.mark.skipif(program() is None, reason="PgBouncer is not installed here")
@pytest.mark.usefixtures("long_pause")
async def test_a_pooler_whose_server_refuses_is_not_asked_all_the_time_either(
    hub_server, address, database_url, role, refused
):
    with pooling(database_url, database_account(Path(hub_server._cluster)), [role]) as pooler:
        database = Database(lambda: pooler.address(database_url, role), "test", 4, lambda: address)
        for _ in range(CALLS):
            with pytest.raises(HubUnavailableError):
                await call(database)
        await database.close()
    assert await refused() == 1
