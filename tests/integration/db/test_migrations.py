"""The schema: brought up to date once, whoever starts when; refused when it is not ours to change."""

import asyncio
import os
import subprocess
import sys
from uuid import uuid4

import asyncpg
import pytest

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.secret import Secret
from marengocam.db.engine_copies import EngineCopy
from marengocam.db.migrate import Migration, known_migrations, migrate, migrate_database

CALL_LIMIT_S = 30.0
STARTED_AT_ONCE = 5


@pytest.fixture
async def empty_database(database_url):
    """A database as its owner makes it: without any table."""
    connection = await asyncpg.connect(database_url.reveal(), timeout=CALL_LIMIT_S)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close(timeout=CALL_LIMIT_S)
    return database_url


async def fetch(address, query):
    connection = await asyncpg.connect(address.reveal(), timeout=CALL_LIMIT_S, command_timeout=CALL_LIMIT_S)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close(timeout=CALL_LIMIT_S)


async def test_an_empty_database_gets_every_step_once(empty_database):
    versions = [step.version for step in known_migrations()]
    assert await migrate_database(empty_database) == versions
    assert await migrate_database(empty_database) == []
    recorded = await fetch(empty_database, "SELECT version, checksum FROM schema_migration ORDER BY version")
    assert [tuple(row) for row in recorded] == [(step.version, step.checksum) for step in known_migrations()]


async def test_processes_that_start_at_once_migrate_once(empty_database, tmp_path):
    program = (
        "import asyncio; from marengocam.db.migrate import migrate; from marengocam.settings import load_settings;"
        "print(asyncio.run(migrate(load_settings())))"
    )
    environment = os.environ | {
        "MARENGOCAM_DATABASE_URL": empty_database.reveal(),
        "MARENGOCAM_DATA_DIR": str(tmp_path),
    }
    starters = [
        subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(STARTED_AT_ONCE)
    ]
    answers = sorted([(await asyncio.to_thread(one.communicate, timeout=50))[0].strip() for one in starters])
    everything = str([step.version for step in known_migrations()])
    assert answers == sorted([everything] + ["[]"] * (STARTED_AT_ONCE - 1))


async def test_a_step_that_fails_leaves_nothing_and_is_done_again(database_url):
    steps = known_migrations()
    number = steps[-1].version + 1
    broken = Migration(number, "broken", "CREATE TABLE half (); SELECT 1 / 0;")
    with pytest.raises(MarengoCamError, match="division by zero"):
        await migrate_database(database_url, [*steps, broken])
    assert await fetch(database_url, "SELECT 1 FROM pg_tables WHERE tablename = 'half'") == []
    mended = Migration(number, "mended", "CREATE TABLE half ()")
    assert await migrate_database(database_url, [*steps, mended]) == [number]


async def test_a_newer_schema_is_refused_with_the_mend(database_url):
    newer = Migration(9999, "newer", "SELECT 1")
    await migrate_database(database_url, [*known_migrations(), newer])
    with pytest.raises(MarengoCamError, match=r"schema 9999.*update MarengoCam"):
        await migrate_database(database_url)


async def test_a_step_that_changed_after_it_was_applied_is_refused(database_url):
    steps = known_migrations()
    changed = Migration(steps[0].version, steps[0].name, steps[0].sql + "\n-- changed")
    with pytest.raises(MarengoCamError, match="differs from what was applied"):
        await migrate_database(database_url, [changed, *steps[1:]])


async def test_a_database_that_is_away_or_missing_is_told_apart_from_a_broken_one(hub_settings, database_url):
    assert await migrate(hub_settings) == []
    for address in ("postgresql://postgres@/x?host=/nowhere", database_url.reveal().replace("/test_", "/no_")):
        with pytest.raises(HubUnavailableError):
            await migrate_database(Secret(address))


async def test_names_of_the_erased_leave_what_face_engines_were_told(empty_database):
    steps = known_migrations()
    alive, erased = uuid4(), uuid4()
    await migrate_database(empty_database, [step for step in steps if step.version < 15])
    await fetch(empty_database, f"INSERT INTO person (person_id, name, created_at) VALUES ('{alive}', 'Bob', now())")
    await fetch(
        empty_database,
        "INSERT INTO engine_copy (engine, person_id, name, carried_at) "
        f"VALUES ('away', '{alive}', 'Bob', now()), ('away', '{erased}', 'Zoë', now())",
    )
    await migrate_database(empty_database)
    rows = await fetch(empty_database, "SELECT person_id, name, pictures, problem, name_digest FROM engine_copy")
    known = {row["person_id"]: EngineCopy(**dict(row)) for row in rows}
    assert (known[alive].name, known[erased].name) == ("Bob", None)
    assert [known[erased].is_called(name) for name in ("Zoë", "Bob")] == [True, False]
