"""The cluster on disk: made once, checked at each start, and the settings it runs with."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from marengocam.core.errors import StoreError
from marengocam.db.embedded.account import Account, own_folder
from marengocam.db.embedded.address import DATABASE, PORT, SUPERUSER
from marengocam.lasting import fsync

INITDB_LIMIT_S = 60.0
SHOWN_CHARS = 600  # of a program's last words

# Durable first: an owner's history must survive a power cut. Small: this shares a small machine with video.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "80",
    "shared_buffers": "64MB",
    "huge_pages": "off",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    "log_min_error_statement": "panic",  # statements may carry what their owner wrote
    "log_parameter_max_length_on_error": "0",
    "logging_collector": "on",  # a week of logs in the cluster's folder `log`, a file a weekday
    "log_filename": "%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
# For throw-away test databases only.
VOLATILE_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def check_version(cluster: Path, version: int) -> bool:
    """Return whether the cluster exists.

    Raises StoreError when another major version made it, or when the folder holds something else.
    """
    file = cluster / "PG_VERSION"
    if not file.exists():
        foreign = sorted(path.name for path in cluster.iterdir())
        if foreign:
            raise StoreError(f"{cluster} holds files but no database: move them away ({', '.join(foreign[:3])}).")
        return False
    made_by = file.read_text().strip()
    if made_by != str(version):
        raise StoreError(
            f"The database in {cluster} was made by PostgreSQL {made_by}, but {version} is installed: dump it with "
            "the old version (pg_dump), move the folder away and restore the dump, or install the old package again."
        )
    return True


def create_cluster(cluster: Path, binaries: Path, account: Account, *, durable: bool) -> None:
    """Make a cluster and its empty database beside the final place, so that a crash leaves nothing half made.

    Raises StoreError with the program's own last words.
    """
    fresh = cluster.with_name(f"{cluster.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    own_folder(fresh, account)
    sort_like_unicode = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = [*sort_like_unicode, *([] if durable else ["--no-sync"])]
    _run([binaries / "initdb", "-D", fresh, "-U", SUPERUSER, "-A", "trust", *options], account)
    alone: list[Path | str] = ["--single", "-D", fresh, "-c", "exit_on_error=true", "-c", "io_method=sync", "postgres"]
    _run([binaries / "postgres", *alone], account, given=f"CREATE DATABASE {DATABASE};\n")
    cluster.rmdir()
    fresh.rename(cluster)
    fsync(cluster.parent)


def _run(command: Sequence[Path | str], account: Account, given: str = "") -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=INITDB_LIMIT_S,
            cwd="/",
            **account.run_as,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"The embedded database could not be made: {error}.") from error
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip()[-SHOWN_CHARS:]
        raise StoreError(f"The embedded database could not be made: {words}")
