"""The schema brought up to date: forward only, one transaction a file, safe when everybody starts at once."""

import contextlib
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.secret import Secret
from marengocam.db.database import CONNECT_TIMEOUT_S
from marengocam.db.embedded.address import direct_address
from marengocam.db.faults import our_errors
from marengocam.db.queries import SQL_FOLDER, load, rows
from marengocam.db.roles import grant_rights, make_roles
from marengocam.settings import Settings

MIGRATION_LIMIT_S = 300.0
LOCK_KEY = 0x6D63_6D69_6772  # advisory lock "mcmigr"
_FILE_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")
_LOG = logging.getLogger(__name__)
_QUERIES = load("migration")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known_migrations(folder: Path = SQL_FOLDER / "migrations") -> list[Migration]:
    """Return all steps, in order."""
    found = []
    for file in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.match(file.name)
        if match is None:
            raise MarengoCamError(f"{file.name} is not named like 0001_what.sql.")
        found.append(Migration(int(match.group(1)), match.group(2), file.read_text()))
    return found


async def migrate(settings: Settings) -> list[int]:
    """Bring the configured database up to date; return the versions that were applied.

    Raises HubUnavailableError when it is away, or when its owner's account has to do it; MarengoCamError when its
    schema is newer or was changed by hand.
    """
    return await migrate_database(direct_address(settings))


async def migrate_database(address: Secret, migrations: list[Migration] | None = None) -> list[int]:
    """Bring one database up to date; see `migrate`."""
    steps = known_migrations() if migrations is None else migrations
    async with _connected(address) as connection:
        if await _is_up_to_date(connection, steps):
            return []
        try:
            return await _under_lock(connection, steps)
        except asyncpg.InsufficientPrivilegeError as error:
            raise HubUnavailableError(
                "The database is not prepared yet: `marengocam migrate` has to be run with its owner's account."
            ) from error


async def pending_steps(settings: Settings) -> tuple[list[int], list[int]]:
    """Return the schema steps that the configured database has, and those that it lacks.

    Raises HubUnavailableError when it is away.
    """
    async with _connected(direct_address(settings)) as connection:
        applied = await _applied(connection)
    return sorted(applied), [step.version for step in known_migrations() if step.version not in applied]


async def migrate_as_owner(settings: Settings, passwords: Mapping[str, Secret] | None) -> list[int]:
    """Bring the database up to date, and the services' rights too; with passwords by service their roles are made.

    Raises as `migrate` does, and MarengoCamError when the account may not do it.
    """
    async with _connected(direct_address(settings)) as connection:
        await _QUERIES.lock(connection, key=LOCK_KEY)
        if passwords is not None:
            await make_roles(connection, passwords)
        done = await _under_lock(connection, known_migrations())
        await grant_rights(connection)
        return done


@contextlib.asynccontextmanager
async def _connected(address: Secret) -> AsyncIterator["asyncpg.Connection"]:
    with our_errors():
        connection = await asyncpg.connect(
            address.reveal(), timeout=CONNECT_TIMEOUT_S, command_timeout=MIGRATION_LIMIT_S
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)


async def _is_up_to_date(connection: "asyncpg.Connection", steps: list[Migration]) -> bool:
    """Return whether there is nothing to do: all that a service's own account may find out."""
    return await _applied(connection) == {step.version: step.checksum for step in steps}


async def _applied(connection: "asyncpg.Connection") -> dict[int, str]:
    """Return the checksum of each step that was applied; none where this account cannot know."""
    if not await _QUERIES.is_readable(connection):
        return {}
    return {int(row["version"]): str(row["checksum"]) for row in await rows(_QUERIES.applied(connection))}


async def _under_lock(connection: "asyncpg.Connection", steps: list[Migration]) -> list[int]:
    await _QUERIES.lock(connection, key=LOCK_KEY)
    await _QUERIES.prepare(connection)
    done = await _apply(connection, steps, await _applied(connection))
    if done:
        await grant_rights(connection)
    return done


async def _apply(connection: "asyncpg.Connection", steps: list[Migration], applied: dict[int, str]) -> list[int]:
    newest = max((step.version for step in steps), default=0)
    if applied and max(applied) > newest:
        raise MarengoCamError(
            f"The database has schema {max(applied)}, this MarengoCam knows {newest}: update MarengoCam."
        )
    done = []
    for step in steps:
        if step.version in applied:
            if applied[step.version] != step.checksum:
                raise MarengoCamError(
                    f"Schema step {step.version} differs from what was applied: reinstall MarengoCam."
                )
            continue
        async with connection.transaction():
            await connection.execute(step.sql)
            await _QUERIES.record(connection, version=step.version, step_name=step.name, checksum=step.checksum)
        _LOG.info("schema step %d (%s) applied", step.version, step.name)
        done.append(step.version)
    return done
