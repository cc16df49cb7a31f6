"""Which cluster is served: found, made, restored from a backup's dump, or brought over from an older PostgreSQL.

A cluster's folder is named `17.live` while it serves and `17` at rest. The Supervisor leaves `*.live` out of backups:
files of a running server copied one by one are no database. In their place a running app's backup holds a dump.
"""

import logging
import os
import shutil
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from marengocam.app.layout import Layout
from marengocam.app.postgres import MAJOR, Programs, Server, private_server
from marengocam.core.clock import SystemClock
from marengocam.core.errors import StoreError
from marengocam.db.embedded import processes
from marengocam.lasting import fsync

LIVE = ".live"
OLD = ".old"  # kept for a while after its data were brought over
PARTIAL = ".partial"
BACKUP_DUMP = "hub.dump"
BEFORE_UPGRADE_DUMP = "before-postgres-{major}.dump"
OLD_KEPT_S = 14 * 86400.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Use:
    """Serve this folder."""

    folder: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Make a cluster out of the dump that a backup held."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Bring the data of an older major version over."""

    folder: str
    major: int


@dataclass(frozen=True, slots=True)
class Create:
    """Begin with nothing."""


Plan = Use | Restore | Upgrade | Create


def plan(folders: Iterable[str], *, dump: bool, major: int = MAJOR) -> Plan:
    """Return what is to be done, from the names of the clusters' folders and whether a backup's dump is there.

    Raises StoreError when only a newer PostgreSQL can read what is there.
    """
    majors = {name: int(number) for name in folders if (number := name.removesuffix(LIVE)).isdigit()}
    newest = max(majors.values(), default=0)
    if newest > major:
        raise StoreError(
            f"The database was made by PostgreSQL {newest}, this app has {major}: update the app, or restore a backup "
            "that this version made."
        )
    if newest == 0:
        return Restore() if dump else Create()
    # A live one was served last, and what lies beside it is older.
    folder = max((name for name, found in majors.items() if found == newest), key=lambda name: name.endswith(LIVE))
    return Use(folder) if newest == major else Upgrade(folder, newest)


def ready_cluster(layout: Layout, programs: Programs | None = None) -> Path:
    """Return the folder that the server is to serve, after doing what `plan` says.

    Whatever breaks off in between leaves everything as it was. Raises StoreError.
    """
    programs = programs or Programs(layout.postgres_programs / str(MAJOR) / "bin", MAJOR)
    live = layout.clusters / f"{programs.major}{LIVE}"
    dump = layout.dumps / BACKUP_DUMP
    for partial in layout.clusters.glob(f"*{PARTIAL}"):
        shutil.rmtree(partial)
    _forget_old(layout.clusters, SystemClock().now())
    todo = plan((path.name for path in layout.clusters.iterdir()), dump=dump.exists(), major=programs.major)
    if isinstance(todo, Use):
        if todo.folder != live.name:
            (layout.clusters / todo.folder).rename(live)
        _clear_after_a_kill(live)
    elif isinstance(todo, Upgrade):
        _upgrade(layout, programs, todo, live)
    else:
        _make(programs, live, dump if isinstance(todo, Restore) else None)
    dump.unlink(missing_ok=True)  # done, or left by a backup that broke off
    return live


def put_to_rest(layout: Layout, major: int = MAJOR) -> None:
    """Rename the cluster of a server that has ended well, so that a backup of the stopped app holds it."""
    live = layout.clusters / f"{major}{LIVE}"
    if live.exists() and not (live / processes.PID_FILE).exists():
        live.rename(layout.clusters / str(major))


def _make(programs: Programs, live: Path, dump: Path | None) -> None:
    if dump is None:
        _LOG.info("a new database is made")
    else:
        _LOG.info("the database is restored from the backup's dump (%d bytes)", dump.stat().st_size)
    fresh = live.with_name(live.name + PARTIAL)
    programs.init(fresh)
    with private_server(programs, fresh) as server:
        server.make_database()
        if dump is not None:
            server.restore(dump)
    fresh.rename(live)
    fsync(live.parent)


def _upgrade(layout: Layout, programs: Programs, todo: Upgrade, live: Path) -> None:
    older = Programs(layout.postgres_programs / str(todo.major) / "bin", todo.major)
    source = layout.clusters / todo.folder
    if not older.there():
        raise StoreError(
            f"The database was made by PostgreSQL {todo.major}, and this version of the app can no longer read it: "
            f"install the last version of the app that came with PostgreSQL {todo.major} and then this one again."
        )
    _LOG.info("the database is brought over from PostgreSQL %d to %d", todo.major, programs.major)
    dump = layout.dumps / BEFORE_UPGRADE_DUMP.format(major=todo.major)
    with private_server(older, source) as server:
        _dump(programs, server, dump)
    _make(programs, live, dump)
    kept = source.with_name(f"{todo.major}{OLD}")
    source.rename(kept)
    os.utime(kept)
    _LOG.info("done; what PostgreSQL %d left is kept in %s for %d days", todo.major, kept, OLD_KEPT_S // 86400)


def _dump(programs: Programs, server: Server, file: Path) -> None:
    partial = file.with_name(file.name + PARTIAL)
    programs.dump(server.socket_folder, partial)
    partial.replace(file)
    fsync(file.parent)


def _clear_after_a_kill(live: Path) -> None:
    """End backends that outlived their server, and forget its number, which another process may have by now."""
    if processes.serving(live) is not None:
        return
    for pid in processes.members(live):
        _LOG.warning("process %d outlived its server: killed", pid)
        processes.send(pid, signal.SIGKILL)
    (live / processes.PID_FILE).unlink(missing_ok=True)


def _forget_old(clusters: Path, now: datetime) -> None:
    for kept in clusters.glob(f"*{OLD}"):
        if now.timestamp() - kept.stat().st_mtime > OLD_KEPT_S:
            shutil.rmtree(kept)
