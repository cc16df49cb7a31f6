"""The schema and the services' roles, brought up to date once at each start, after a dump when something changes."""

import asyncio
import logging
from pathlib import Path

from marengocam.app.clusters import BACKUP_DUMP, PARTIAL
from marengocam.app.layout import Layout
from marengocam.app.postgres import MAJOR, Programs
from marengocam.core.errors import HubUnavailableError
from marengocam.db.migrate import migrate_as_owner, pending_steps
from marengocam.lasting import fsync
from marengocam.settings import Settings

SOCKETS = Path("/run/postgresql")
WAIT_S = 0.3
DUMPS_KEPT = 2
_PREFIX = "before-schema-"
_LOG = logging.getLogger(__name__)


async def bring_up_to_date(settings: Settings, layout: Layout) -> list[int]:
    """Wait for the database, dump it when its schema is about to change, change it; return the steps that were applied.

    Raises StoreError when the dump fails: then nothing is changed.
    """
    applied, pending = await _when_it_answers(settings)
    if applied and pending:
        file = layout.dumps / f"{_PREFIX}{pending[0]:04}.dump"
        _LOG.info("schema %d becomes %d; the database is dumped to %s first", applied[-1], pending[-1], file)
        await asyncio.to_thread(dump, layout, file)
        _keep_newest(layout.dumps)
    done = await migrate_as_owner(settings, {})
    _LOG.info("the schema is up to date%s", f": steps {done} applied" if done else "")
    return done


def dump(layout: Layout, file: Path, programs: Programs | None = None, sockets: Path = SOCKETS) -> None:
    """Write a consistent dump of the running database, whole or not at all; raises StoreError."""
    programs = programs or Programs(layout.postgres_programs / str(MAJOR) / "bin", MAJOR)
    partial = file.with_name(file.name + PARTIAL)
    partial.unlink(missing_ok=True)
    try:
        programs.dump(sockets, partial)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    fsync(file.parent)


def begin_backup(layout: Layout) -> None:
    """Make the dump that a hot backup holds in place of the running server's files; raises StoreError."""
    dump(layout, layout.dumps / BACKUP_DUMP)
    _LOG.info("dumped for the backup: %d bytes", (layout.dumps / BACKUP_DUMP).stat().st_size)


def end_backup(layout: Layout) -> None:
    """Remove it again."""
    (layout.dumps / BACKUP_DUMP).unlink(missing_ok=True)


async def _when_it_answers(settings: Settings) -> tuple[list[int], list[int]]:
    told = False
    while True:
        try:
            return await pending_steps(settings)
        except HubUnavailableError as error:
            if not told:
                _LOG.info("waiting: %s", error)
                told = True
            await asyncio.sleep(WAIT_S)


def _keep_newest(folder: Path) -> None:
    dumps = sorted(folder.glob(f"{_PREFIX}*.dump"), key=lambda file: file.stat().st_mtime)
    for old in dumps[:-DUMPS_KEPT]:
        old.unlink()
