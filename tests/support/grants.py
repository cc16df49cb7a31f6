"""Writes `grants.sql` anew from what the code of each service needs: every right without which a query would fail."""

from typing import Any

import asyncpg

from marengocam.db.queries import SQL_FOLDER
from marengocam.db.roles import SERVICES, role_of
from tests.support.queries_in_reach import OF_ISOLATION, Query, queries_in_reach

FILE = SQL_FOLDER / "grants.sql"
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
HOW = "MARENGOCAM_UPDATE_REFERENCE=1 .venv/bin/python -m pytest tests/integration/db/test_roles.py"
_TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v') "
    "AND relnamespace = 'public'::regnamespace ORDER BY relname"
)
_HEAD = f"""\
-- name: everybody#
-- What each service may do with the hub's tables: what its code needs, and nothing else. A test follows the code to
-- every query and fails when a right lacks or is of no use. After a change of queries have it written anew:
-- {HOW}
-- Nobody but the owner makes tables here.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$;
"""
# Beside its rights on tables.
_FURTHER = {
    "ingest": """\
-- A replay decides who was seen in tables of its own session, so that it cannot touch the live ones (I5).
DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO marengocam_ingest', current_database()); END $$;
"""
}


async def refused(connection: Any, service: str, queries: list[Query]) -> list[str]:
    """Return which queries the service's role may not send; they are planned as that role, never run."""
    found = []
    await connection.execute(f"SET ROLE {role_of(service)}")
    try:
        for query in queries:
            try:
                async with connection.transaction():
                    await _planned(connection, query)
            except asyncpg.InsufficientPrivilegeError as error:
                found.append(f"{query.file}.sql {query.name}: {error}")
    finally:
        await connection.execute("RESET ROLE")
    return found


async def of_no_use(connection: Any, service: str, granted: dict[str, list[str]]) -> list[str]:
    """Return the rights that could be taken from a service without any of its queries failing."""
    queries = sorted(queries_in_reach(service), key=lambda query: (query.file, query.name))
    found = []
    for table, rights in granted.items():
        for right in rights:
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"REVOKE {right} ON {table} FROM {role_of(service)}")
            if await _all_work(connection, service, queries):
                found.append(f"{right} ON {table}")
            await transaction.rollback()
    return found


async def written_anew(connection: Any) -> str:
    """Return the file for the schema and the code as they are; the roles' rights are changed on the way."""
    tables = [row["relname"] for row in await connection.fetch(_TABLES)]
    parts = [_HEAD]
    for service in SERVICES:
        role = role_of(service)
        await connection.execute(f"GRANT {', '.join(RIGHTS)} ON ALL TABLES IN SCHEMA public TO {role}")
        queries = list(queries_in_reach(service))
        needed: dict[tuple[str, ...], list[str]] = {}
        for table in tables:
            rights = [
                right for right in RIGHTS if not await _can_lack(connection, role, right, table, service, queries)
            ]
            if rights:
                needed.setdefault(tuple(rights), []).append(table)
        orders = [
            f"GRANT {', '.join(rights)} ON {_listed(names)}\n    TO {role};" for rights, names in sorted(needed.items())
        ]
        head = (
            f"-- name: {service}#\n-- The rights of {role}.\nREVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};\n"
        )
        parts.append(head + "\n".join(orders) + "\n" + _FURTHER.get(service, ""))
    return "\n".join(parts)


async def _can_lack(connection: Any, role: str, right: str, table: str, service: str, queries: list[Query]) -> bool:
    await connection.execute(f"REVOKE {right} ON {table} FROM {role}")
    if await _all_work(connection, service, queries):
        return True
    await connection.execute(f"GRANT {right} ON {table} TO {role}")
    return False


async def _all_work(connection: Any, service: str, queries: list[Query]) -> bool:
    """Return whether none is refused; the one that was is asked first the next time."""
    for place, query in enumerate(queries):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {role_of(service)}")
                await _planned(connection, query)
        except asyncpg.InsufficientPrivilegeError:
            queries.insert(0, queries.pop(place))
            return False
    return True


async def _planned(connection: Any, query: Query) -> None:
    """Have a query planned, never run; of one that fills a replay's own tables only what it reads of the live ones."""
    sql = query.sql
    if query.file == OF_ISOLATION:
        if "FROM public." not in sql:
            return
        sql = sql[sql.index("SELECT") :].replace("pg_temp.waiting", "public.local_track").replace("pg_temp.", "public.")
    await connection.execute(f"EXPLAIN (GENERIC_PLAN) {sql}")


def _listed(names: list[str]) -> str:
    """Return names in lines that fit."""
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > 90:
            lines.append(line)
            line = ""
        line += f"{name}, "
    return "\n    ".join([*(line.rstrip() for line in lines), line.removesuffix(", ")])
