"""Life of the embedded server: made, started, adopted after a crash, stopped."""

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from marengocam.core.errors import StoreError
from marengocam.core.secret import Secret
from marengocam.db.embedded.account import database_account, own_folder
from marengocam.db.embedded.address import ADDRESS_FILE, DATABASE, PORT, SUPERUSER, socket_address
from marengocam.db.embedded.binaries import find_binaries

INITDB_LIMIT_S = 60.0
START_LIMIT_S = 30.0
FAST_STOP_LIMIT_S = 8.0
IMMEDIATE_STOP_LIMIT_S = 5.0
POLL_S = 0.05
MAX_SOCKET_FOLDER_CHARS = 85  # a socket's whole path may have 107
PR_SET_PDEATHSIG = 1

# Durable first: an owner's history must survive a power cut. Small: this shares a small machine with video.
SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "80",
    "shared_buffers": "64MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "unix_socket_permissions": "0700",
}
# For throw-away test databases only.
VOLATILE_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class EmbeddedServer:
    """One PostgreSQL cluster in a data folder.

    `start` is safe to call from several processes and after any crash; a server still alive is adopted.
    With `die_with_parent` the server shuts down when the thread that started it ends, however it ends.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True, die_with_parent: bool = False) -> None:
        self._data_dir = data_dir.absolute()
        self._cluster = self._data_dir / "postgres"
        self._durable = durable
        self._die_with_parent = die_with_parent
        self._child: subprocess.Popen[bytes] | None = None  # the server when this process started it

    def start(self) -> Secret:
        """Start or adopt the server; return the address of its database.

        Raises StoreError that tells what to change.
        """
        self._data_dir.mkdir(parents=True, exist_ok=True)
        with self._lock():
            account = database_account()
            binaries, version = find_binaries(account, self._data_dir)
            own_folder(self._cluster, account)
            own_folder(self._socket_folder, account)
            self._check_version(version)
            if not (self._cluster / "PG_VERSION").exists():
                self._create(binaries)
            if self._running_pid() is None:
                self._launch(binaries)
            url = socket_address(self._socket_folder)
            self._write_address(url)
            return Secret(url)

    def stop(self) -> None:
        """Shut the server down: politely, then at once; its data is safe either way."""
        for number, limit_s in ((signal.SIGINT, FAST_STOP_LIMIT_S), (signal.SIGQUIT, IMMEDIATE_STOP_LIMIT_S)):
            pid = self._running_pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + limit_s
            while self._running_pid() is not None and time.monotonic() < deadline:
                self._reap()
                time.sleep(POLL_S)
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(IMMEDIATE_STOP_LIMIT_S)

    def running(self) -> bool:
        """Return whether the server is alive."""
        return self._running_pid() is not None

    @property
    def _socket_folder(self) -> Path:
        folder = self._data_dir / "postgres-run"
        if len(str(folder)) <= MAX_SOCKET_FOLDER_CHARS:
            return folder
        digest = hashlib.sha256(str(self._data_dir).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"marengocam-{digest}"

    @property
    def _settings(self) -> dict[str, str]:
        changing = {"unix_socket_directories": str(self._socket_folder)}
        return SERVER_SETTINGS | ({} if self._durable else VOLATILE_SETTINGS) | changing

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        with (self._data_dir / "postgres.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _check_version(self, version: int) -> None:
        file = self._cluster / "PG_VERSION"
        if file.exists() and int(file.read_text()) != version:
            raise StoreError(
                f"The database in {self._cluster} was made by PostgreSQL {file.read_text().strip()}, but "
                f"{version} is installed: dump it with the old version and restore it, or install the old package."
            )

    def _create(self, binaries: Path) -> None:
        """Make the cluster and its database beside the final place, so that a crash leaves nothing half made."""
        account = database_account()
        leftovers = list(self._cluster.iterdir())
        if leftovers:
            raise StoreError(f"{self._cluster} holds files but no database: move them away ({leftovers[0].name}, ...).")
        fresh = self._data_dir / "postgres.new"
        _remove_tree(fresh)
        own_folder(fresh, account)
        command = [binaries / "initdb", "-D", fresh, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]
        self._program([*command, *([] if self._durable else ["--no-sync"])])
        single = [binaries / "postgres", "--single", "-D", fresh, "-c", f"timezone={SERVER_SETTINGS['timezone']}"]
        self._program([*single, "postgres"], given=f"CREATE DATABASE {DATABASE};\n")
        self._cluster.rmdir()
        fresh.rename(self._cluster)

    def _program(self, command: list[Path | str], given: str = "") -> None:
        done = subprocess.run(
            [str(part) for part in command],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=INITDB_LIMIT_S,
            cwd="/",
            **database_account().run_as,
        )
        if done.returncode != 0:
            raise StoreError(f"The embedded database could not be made: {(done.stderr or done.stdout).strip()[-600:]}")

    def _launch(self, binaries: Path) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while True:
            self._drop_stale_pid_file()
            server = self._child = self._spawn(binaries)
            while time.monotonic() < deadline and server.poll() is None:
                if self._ready():
                    return
                time.sleep(POLL_S)
            if time.monotonic() >= deadline:
                with contextlib.suppress(ProcessLookupError):
                    server.kill()
                raise StoreError(f"The embedded database did not start: {self._log_end()}")
            # Backends of a killed server hold its memory for a moment; the next attempt finds it free.
            time.sleep(POLL_S * 4)

    def _spawn(self, binaries: Path) -> "subprocess.Popen[bytes]":
        arguments = [f"--{name}={value}" for name, value in self._settings.items()]
        with (self._data_dir / "postgres.log").open("ab") as log:
            return subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(self._cluster), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=_stop_with_parent if self._die_with_parent else None,  # noqa: PLW1509 - one system call
                **database_account().run_as,
            )

    def _ready(self) -> bool:
        """Return whether the server takes connections: the last line of its pid file says so."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _running_pid(self) -> int | None:
        """Return the living server's process id; None also when the number now belongs to another program."""
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().splitlines()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, ValueError, IndexError):
            return None
        ours = str(self._cluster).encode() in command and command[0].endswith(b"postgres")
        return pid if ours and state != "Z" else None

    def _drop_stale_pid_file(self) -> None:
        if self._running_pid() is None:
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _reap(self) -> None:
        """Collect the server when it is our own child, so that it does not stay as a zombie."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None

    def _log_end(self) -> str:
        try:
            return (self._data_dir / "postgres.log").read_text(errors="replace")[-600:].strip()
        except OSError:
            return "it left no log"

    def _write_address(self, url: str) -> None:
        file = self._data_dir / ADDRESS_FILE
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps({"url": url}))
        partial.chmod(0o600)
        partial.replace(file)


def _stop_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _remove_tree(folder: Path) -> None:
    if not folder.exists():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()
