"""The schema brought up to date: forward only, one transaction a file, safe when everybody starts at once."""

import hashlib
import logging
import re
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from marengocam.core.errors import MarengoCamError
from marengocam.core.secret import Secret
from marengocam.db.database import CONNECT_TIMEOUT_S
from marengocam.db.embedded.address import database_address
from marengocam.db.faults import our_errors
from marengocam.db.queries import SQL_FOLDER, load, rows
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

    Raises HubUnavailableError when it is away, MarengoCamError when its schema is newer or was changed by hand.
    """
    return await migrate_database(database_address(settings))


async def migrate_database(address: Secret, migrations: list[Migration] | None = None) -> list[int]:
    """Bring one database up to date; see `migrate`."""
    steps = known_migrations() if migrations is None else migrations
    with our_errors():
        connection = await asyncpg.connect(
            address.reveal(), timeout=CONNECT_TIMEOUT_S, command_timeout=MIGRATION_LIMIT_S
        )
        try:
            await _QUERIES.lock(connection, key=LOCK_KEY)
            await _QUERIES.prepare(connection)
            applied = {row["version"]: row["checksum"] for row in await rows(_QUERIES.applied(connection))}
            return await _apply(connection, steps, applied)
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_S)


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
