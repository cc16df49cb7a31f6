"""Each service can do all it does with its own database role, and nothing else."""

import os
from collections import defaultdict
from pathlib import Path

import asyncpg
import pytest
from tests.support.grants import FILE, HOW, of_no_use, refused, written_anew
from tests.support.queries_in_reach import all_queries, queries_in_reach

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.secret import Secret
from marengocam.db.migrate import known_migrations, migrate_as_owner, migrate_database
from marengocam.db.role_reference import role_reference
from marengocam.db.roles import ROLES, SERVICES, make_roles, passwords_in, role_of, scram_verifier
from marengocam.settings import Settings

PAGE = Path(__file__).resolve().parents[3] / "docs" / "ref" / "database-roles.md"
CALL_LIMIT_S = 30.0
PASSWORDS = {service: Secret(f"{service}'s \\ pass$word") for service in SERVICES}
pytestmark = pytest.mark.timeout(120)  # thousands of queries are planned


def as_role(address: Secret, role: str) -> Secret:
    return Secret(address.reveal().replace("postgres@", f"{role}@"))


async def connected(address: Secret):
    return await asyncpg.connect(address.reveal(), timeout=CALL_LIMIT_S, command_timeout=CALL_LIMIT_S)


@pytest.fixture
async def owner(hub_settings):
    """Lends the owner's connection to a database whose roles are made."""
    await migrate_as_owner(hub_settings, PASSWORDS)
    connection = await connected(hub_settings.database_url)
    yield connection
    await connection.close(timeout=CALL_LIMIT_S)


async def rights_of(owner, role) -> dict[str, list[str]]:
    found = defaultdict(list)
    for row in await owner.fetch(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = $1", role
    ):
        found[row["table_name"]].append(row["privilege_type"])
    return found


async def test_the_file_of_rights_is_what_the_code_needs(owner):
    """A service that lacks a right fails in an owner's house; one too many is what an intruder uses."""
    if os.environ.get("MARENGOCAM_UPDATE_REFERENCE"):
        FILE.write_text(await written_anew(owner))
        pytest.skip("grants.sql is written anew: run again")
    advice = f"have grants.sql written anew: {HOW}"
    for service in SERVICES:
        queries = sorted(queries_in_reach(service), key=lambda query: (query.file, query.name))
        assert await refused(owner, service, queries) == [], f"{service} lacks rights: {advice}"
        idle = await of_no_use(owner, service, await rights_of(owner, role_of(service)))
        assert idle == [], f"{service} has rights that none of its queries needs: {advice}"


def test_every_query_is_used_by_a_service_or_by_the_owners_commands():
    """Else the search for what a service's code comes to has lost its way, or the query is dead."""
    reached = {(query.file, query.name) for room in (*SERVICES, "cli", "check") for query in queries_in_reach(room)}
    assert all_queries() - reached == set()


async def test_the_page_about_roles_tells_the_rights_that_are(owner):
    page = await role_reference(owner)
    if os.environ.get("MARENGOCAM_UPDATE_REFERENCE"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page


FORBIDDEN = {
    "ingest": ["SELECT * FROM token", "DELETE FROM chunk", "DELETE FROM event", "INSERT INTO person VALUES (default)"],
    "resolver": ["SELECT password_encrypted FROM camera", "SELECT * FROM token", "DELETE FROM local_track"],
    "automation": ["SELECT password_encrypted FROM camera", "SELECT * FROM token", "UPDATE event SET data = '{}'"],
    "face": ["SELECT password_encrypted FROM camera", "SELECT * FROM token", "DELETE FROM person", "DELETE FROM chunk"],
    "janitor": ["SELECT * FROM token", "UPDATE camera SET main_url = 'rtsp://elsewhere/'", "DELETE FROM person"],
    "web": [
        "DROP TABLE camera",
        "DELETE FROM chunk",
        "DELETE FROM event",
        "TRUNCATE event",
        "UPDATE lease SET fence = 1",
    ],
}
FORBIDDEN_TO_ALL = [
    "DROP TABLE event",
    "ALTER TABLE camera DROP COLUMN password_encrypted",
    "CREATE TABLE of_mine (a int)",
    "CREATE TEMPORARY TABLE of_mine (a int)",
    "DELETE FROM schema_migration",
    "SELECT rolpassword FROM pg_authid",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY event TO PROGRAM 'cat'",
    "SET ROLE postgres",
    "ALTER ROLE marengocam_web CREATEROLE",
]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_is_refused_what_is_not_its_own(owner, database_url, service):
    connection = await connected(as_role(database_url, role_of(service)))
    try:
        for order in [*FORBIDDEN[service], *FORBIDDEN_TO_ALL]:
            if service == "ingest" and order.startswith("CREATE TEMPORARY"):
                continue  # replays decide in tables of their own session (I5)
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(order)
        assert await connection.fetchval("SHOW statement_timeout") == "10s", "the limit holds behind a pooler too"
        assert await connection.fetchval("SHOW idle_in_transaction_session_timeout") == "10s"
    finally:
        await connection.close(timeout=CALL_LIMIT_S)


async def test_one_services_connections_are_not_anothers(owner, database_url):
    held = []
    try:
        for _ in range(6):
            held.append(await connected(as_role(database_url, "marengocam_janitor")))  # noqa: PERF401 - closed below
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await connected(as_role(database_url, "marengocam_janitor"))
        other = await connected(as_role(database_url, "marengocam_ingest"))
        await other.close(timeout=CALL_LIMIT_S)
    finally:
        for connection in held:
            await connection.close(timeout=CALL_LIMIT_S)


async def test_a_services_account_waits_for_the_owner_to_prepare_the_database(owner, database_url):
    """And finds out by itself when there is nothing to wait for."""
    service = as_role(database_url, "marengocam_web")
    assert await migrate_database(service) == []
    await owner.execute("DELETE FROM schema_migration WHERE version = (SELECT max(version) FROM schema_migration)")
    with pytest.raises(HubUnavailableError, match="marengocam migrate"):
        await migrate_database(service)


async def test_rights_follow_a_schema_step_and_taken_ones_come_back(owner, hub_settings, database_url):
    await owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM marengocam_face")
    await owner.execute("GRANT DELETE ON event TO marengocam_face")
    await migrate_as_owner(hub_settings, None)
    rights = await rights_of(owner, "marengocam_face")
    assert "exemplar" in rights
    assert "DELETE" not in rights["event"]
    await owner.execute("DROP SCHEMA public CASCADE")
    await owner.execute("CREATE SCHEMA public")
    await owner.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    assert await migrate_database(database_url) == [step.version for step in known_migrations()]
    assert "exemplar" in await rights_of(owner, "marengocam_face")


async def test_an_account_that_may_not_make_roles_is_told_what_to_do(owner, database_url):
    connection = await connected(as_role(database_url, "marengocam_web"))
    try:
        with pytest.raises(MarengoCamError, match="CREATEROLE"):
            await make_roles(connection, PASSWORDS)
    finally:
        await connection.close(timeout=CALL_LIMIT_S)


async def test_the_password_that_is_set_is_the_one_that_opens(owner):
    """The server is told the verifier only; that it is the right one shows in how PostgreSQL itself makes it."""
    await owner.execute("CREATE ROLE of_comparison PASSWORD 'pencil'")
    try:
        theirs = await owner.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'of_comparison'")
    finally:
        await owner.execute("DROP ROLE of_comparison")
    method, salted, _keys = theirs.split("$")
    iterations, salt = salted.split(":")
    import base64  # noqa: PLC0415 - this test alone

    assert method == "SCRAM-SHA-256"
    assert scram_verifier(Secret("pencil"), base64.b64decode(salt), int(iterations)) == theirs
    assert (
        len(await owner.fetch("SELECT FROM pg_authid WHERE rolname = ANY($1) AND rolpassword LIKE 'SCRAM%'", ROLES))
        == 6
    )


def test_a_password_that_lacks_is_named(tmp_path):
    for service in SERVICES[1:]:
        (tmp_path / f"db_{service}").write_text("secret\n")
    with pytest.raises(MarengoCamError, match="db_ingest"):
        passwords_in(tmp_path)
    (tmp_path / "db_ingest").write_text("\n")
    with pytest.raises(MarengoCamError, match="empty"):
        passwords_in(tmp_path)


def test_settings_take_the_services_password_into_both_addresses(tmp_path):
    from marengocam.db.embedded import database_address, direct_address  # noqa: PLC0415 - this test alone

    settings = Settings(
        data_dir=tmp_path,
        media_dir=tmp_path,
        database_url=Secret("postgresql://web@pooler:6432/marengocam"),
        database_direct_url=Secret("postgresql://web:other@one,two/marengocam?sslmode=require"),
        database_password=Secret("a/b@c"),
    )
    assert database_address(settings).reveal() == "postgresql://web:a%2Fb%40c@pooler:6432/marengocam"
    assert direct_address(settings).reveal() == "postgresql://web:other@one,two/marengocam?sslmode=require"
