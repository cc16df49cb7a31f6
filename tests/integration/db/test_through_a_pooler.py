"""Everything works behind a real PgBouncer in transaction mode, and one service cannot starve another."""

import asyncio
import contextlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

# The rooms of the hub, tested again: here `hub_settings` leads through the pooler.
from tests.integration.db.test_event_numbers import *  # noqa: F403
from tests.integration.db.test_listening import *  # noqa: F403
from tests.integration.db.test_repositories import *  # noqa: F403
from tests.support.pgbouncer import CONFIGURATION, pooling, program

from marengocam.core.errors import HubUnavailableError
from marengocam.core.secret import Secret
from marengocam.db.embedded.account import database_account
from marengocam.db.hub import open_hub
from marengocam.db.migrate import migrate, migrate_as_owner
from marengocam.db.roles import SERVICES, role_of
from marengocam.runtime.service import POOL_SIZES
from marengocam.settings import Settings

pytestmark = pytest.mark.skipif(program() is None, reason="pgbouncer is not installed (apt-get install pgbouncer)")
CALL_LIMIT_S = 20.0
FLOODING_CLIENTS = 60
SLOW = "SELECT pg_sleep(2)"
CALLS_DURING_A_FLOOD = 40
STARTED_AT = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def pooler(hub_server):
    account = database_account(Path(hub_server._cluster))
    with pooling(hub_server.start(), account) as running:
        yield running


@pytest.fixture
def hub_settings(database_url, tmp_path, pooler):
    """Settings of a service behind the pooler; LISTEN and schema steps go past it."""
    data, media = tmp_path / "data", tmp_path / "media"
    data.mkdir()
    media.mkdir()
    return Settings(
        data_dir=data,
        media_dir=media,
        database_url=pooler.address(database_url),
        database_direct_url=database_url,
        download_models=False,
    )


async def test_schema_steps_go_past_the_pooler(hub_settings):
    assert await migrate(hub_settings) == []
    lost = replace(hub_settings, database_direct_url=Secret("postgresql://nobody@127.0.0.1:9/none"))
    with pytest.raises(HubUnavailableError):
        await migrate(lost)


async def as_service(service, settings, database_url, pooler, stack):
    """Return the hub of a service with its own role, through the pooler."""
    direct = Secret(database_url.reveal().replace("postgres@", f"{role_of(service)}@"))
    own = replace(settings, database_url=pooler.address(database_url, role_of(service)), database_direct_url=direct)
    return await stack.enter_async_context(open_hub(own, service, POOL_SIZES[service]))


@contextlib.asynccontextmanager
async def flood(address: Secret):
    """Have many clients of one role ask for slow things without an end, while the block runs."""

    async def ask() -> None:
        while True:
            with contextlib.suppress(asyncpg.PostgresError, OSError):
                connection = await asyncpg.connect(address.reveal(), timeout=CALL_LIMIT_S, statement_cache_size=0)
                try:
                    while True:
                        await connection.execute(SLOW)
                finally:
                    connection.terminate()

    clients = [asyncio.create_task(ask()) for _ in range(FLOODING_CLIENTS)]
    try:
        yield
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def until_used_up(owner, service, size):
    async with asyncio.timeout(CALL_LIMIT_S):
        while True:
            busy = await owner.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND state = 'active'", role_of(service)
            )
            if busy >= size:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(("flooded", "served"), [("web", "ingest"), ("ingest", "web")])
async def test_a_service_whose_pool_is_flooded_does_not_starve_another(
    flooded, served, hub_settings, database_url, pooler
):
    await migrate_as_owner(hub_settings, {})
    owner = await asyncpg.connect(database_url.reveal(), timeout=CALL_LIMIT_S)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(owner.close)
        drowning = await as_service(flooded, hub_settings, database_url, pooler, stack)
        calm = await as_service(served, hub_settings, database_url, pooler, stack)
        async with flood(pooler.address(database_url, role_of(flooded))):
            await until_used_up(owner, flooded, pool_sizes()[role_of(flooded)])
            for _ in range(CALLS_DURING_A_FLOOD):  # each raises when it is not served within the hub's own limit
                await calm.cameras.list()
                await calm.health.beat(served, "test", "ok", "", STARTED_AT, {})
            with pytest.raises(HubUnavailableError):  # the flood is real: in the same pool nothing comes through
                await many_calls(drowning)


async def many_calls(hub):
    for _ in range(CALLS_DURING_A_FLOOD):
        await hub.cameras.list()


def pool_sizes() -> dict[str, int]:
    found = re.findall(r"^(marengocam_\w+) = max_user_connections=(\d+)\b", CONFIGURATION.read_text(), re.MULTILINE)
    return {role: int(size) for role, size in found}


async def test_every_service_has_a_pool_within_its_roles_limit(hub_settings, database_url):
    """With room for the direct connections of at least three processes, and all together within PostgreSQL's 100."""
    await migrate_as_owner(hub_settings, {})
    owner = await asyncpg.connect(database_url.reveal(), timeout=CALL_LIMIT_S)
    try:
        rows = await owner.fetch("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE 'marengocam%'")
    finally:
        await owner.close()
    limits, sizes = dict(rows), pool_sizes()
    assert set(sizes) == {role_of(service) for service in SERVICES} == set(limits)
    assert {role: limits[role] - size >= 3 for role, size in sizes.items()} == dict.fromkeys(sizes, True)
    assert sum(limits.values()) <= 80
