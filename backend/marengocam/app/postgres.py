"""PostgreSQL's own programs: making, dumping, restoring, and a server that only we can reach while we do."""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from marengocam.core.errors import StoreError
from marengocam.db.faults import our_errors
from marengocam.db.queries import load
from marengocam.lasting import fsync

MAJOR = 17
SUPERUSER = "postgres"
OWNER = "marengocam"
DATABASE = "marengocam"
PORT = "5432"
QUICK_LIMIT_S = 60.0
RECOVERY_LIMIT_S = 300  # a server that reads the log of a power cut
STOP_LIMIT_S = 60
DUMP_LIMIT_S = 3 * 3600.0
SHOWN_CHARS = 800
_QUERIES = load("app")


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs of one major version."""

    folder: Path
    major: int

    def there(self) -> bool:
        """Return whether they are installed."""
        return (self.folder / "postgres").exists()

    def init(self, cluster: Path) -> None:
        """Make an empty cluster; raises StoreError."""
        self.run(
            "initdb", f"--pgdata={cluster}", f"--username={SUPERUSER}", "--auth=peer", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        )  # fmt: skip

    def dump(self, socket_folder: Path, file: Path) -> None:
        """Write a consistent dump of the database to a file, and to the disk; raises StoreError."""
        file.touch(mode=0o600)
        self.run("pg_dump", *_where(socket_folder), "--format=custom", f"--file={file}", DATABASE, limit_s=DUMP_LIMIT_S)
        fsync(file)

    def run(self, program: str, *arguments: str, limit_s: float = QUICK_LIMIT_S) -> None:
        """Run one of them to its end; raises StoreError with its last words."""
        try:
            done = subprocess.run(
                [str(self.folder / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
                cwd="/",
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StoreError(f"PostgreSQL's {program} did not do its work: {error}.") from error
        if done.returncode != 0:
            raise StoreError(f"PostgreSQL's {program} failed: {done.stdout.strip()[-SHOWN_CHARS:]}")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers in a folder of its own."""

    programs: Programs
    socket_folder: Path

    def make_database(self) -> None:
        """Make the owner's role and its empty database; the schema step does the rest."""
        here = _where(self.socket_folder)
        self.programs.run("createuser", *here, "--createrole", OWNER)
        self.programs.run("createdb", *here, f"--owner={OWNER}", DATABASE)
        asyncio.run(_make_extension(self.socket_folder))

    def restore(self, dump: Path) -> None:
        """Fill the empty database from a dump, in one transaction; rights come back with the schema step."""
        self.programs.run(
            "pg_restore", *_where(self.socket_folder), f"--dbname={DATABASE}", "--no-privileges",
            "--single-transaction", "--exit-on-error", str(dump), limit_s=DUMP_LIMIT_S,
        )  # fmt: skip


@contextlib.contextmanager
def private_server(programs: Programs, cluster: Path, settings: Sequence[str] = ()) -> Iterator[Server]:
    """Run a cluster's server behind a socket in a closed folder while the block runs; raises StoreError."""
    folder = Path(tempfile.mkdtemp(prefix="mc-pg-"))
    log = folder / "log"
    try:
        hba = folder / "pg_hba.conf"
        hba.write_text("local all all trust\n")  # the folder is closed to every other account
        options = " ".join(
            f"-c {one}" for one in ("listen_addresses=", f"unix_socket_directories={folder}", f"hba_file={hba}",
                                    f"port={PORT}", "jit=off", "logging_collector=off", *settings)
        )  # fmt: skip
        # What is left of a server that was killed is no server: this folder is nobody else's.
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        try:
            programs.run(
                "pg_ctl", "start", f"--pgdata={cluster}", f"--log={log}", f"--options={options}", "--wait",
                f"--timeout={RECOVERY_LIMIT_S}", "--silent", limit_s=RECOVERY_LIMIT_S + QUICK_LIMIT_S,
            )  # fmt: skip
        except StoreError as error:
            words = log.read_text(errors="replace")[-SHOWN_CHARS:] if log.exists() else ""
            raise StoreError(f"{error} {words}") from error
        try:
            yield Server(programs, folder)
        finally:
            programs.run(
                "pg_ctl", "stop", f"--pgdata={cluster}", "--mode=fast", "--wait", f"--timeout={STOP_LIMIT_S}",
                "--silent", limit_s=STOP_LIMIT_S + QUICK_LIMIT_S,
            )  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _make_extension(socket_folder: Path) -> None:
    with our_errors():
        connection = await asyncpg.connect(
            host=str(socket_folder), port=int(PORT), user=SUPERUSER, database=DATABASE, timeout=QUICK_LIMIT_S
        )
        try:
            await _QUERIES.make_extension(connection)
        finally:
            await connection.close(timeout=QUICK_LIMIT_S)


def _where(socket_folder: Path) -> tuple[str, ...]:
    return (f"--host={socket_folder}", f"--port={PORT}", f"--username={SUPERUSER}", "--no-password")
