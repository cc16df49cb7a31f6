"""Life of the embedded server: made, started, adopted after a crash, stopped."""

import contextlib
import fcntl
import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from marengocam.core.errors import StoreError
from marengocam.core.secret import Secret
from marengocam.db.embedded import processes
from marengocam.db.embedded.account import Account, database_account, own_folder
from marengocam.db.embedded.address import ADDRESS_FILE, socket_address
from marengocam.db.embedded.binaries import find_binaries
from marengocam.db.embedded.cluster import (
    SERVER_SETTINGS,
    SHOWN_CHARS,
    VOLATILE_SETTINGS,
    check_version,
    create_cluster,
)
from marengocam.db.embedded.sockets import clear_sockets, socket_folder
from marengocam.orphans import end_with_parent

START_LIMIT_S = 120.0  # recovery after a power cut reads up to max_wal_size of log
LOCK_LIMIT_S = START_LIMIT_S + 10.0
FAST_STOP_LIMIT_S = 6.0
IMMEDIATE_STOP_LIMIT_S = 3.0
KILL_LIMIT_S = 2.0
LEFTOVER_LIMIT_S = 2.0  # backends notice within a moment that their server is gone
START_ATTEMPTS = 3
POLL_S = 0.02


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
        self._child: subprocess.Popen[bytes] | None = None  # the server, when this process started it

    def start(self) -> Secret:
        """Start or adopt the server; return the address of its database once it takes connections.

        Raises StoreError that tells what to change.
        """
        self._make_data_dir()
        with self._lock():
            folder = self._adopt() or self._launch()
            url = socket_address(folder)
            self._write_address(url)
            return Secret(url)

    def stop(self) -> None:
        """Shut the server down: politely, then at once, then by force; what was committed is safe either way."""
        if not self._cluster.exists():
            return
        with self._lock():
            for number, limit_s in (
                (signal.SIGINT, FAST_STOP_LIMIT_S),
                (signal.SIGQUIT, IMMEDIATE_STOP_LIMIT_S),
            ):
                pid = processes.serving(self._cluster)
                if pid is None:
                    break
                processes.send(pid, number)
                _until(lambda: not self.running(), limit_s)
            self._end_leftovers()
            self._collect()

    def running(self) -> bool:
        """Return whether the server is alive."""
        return processes.serving(self._cluster) is not None

    @property
    def _alive_file(self) -> Path:
        return self._data_dir / "postgres.alive"

    def _make_data_dir(self) -> None:
        try:
            self._data_dir.mkdir(parents=True)
            self._data_dir.chmod(0o755)  # the server's own account has to pass; what is secret is a 0600 file
        except OSError as error:
            if self._data_dir.is_dir():
                return  # it was there, or another process made it just now
            raise StoreError(
                f"The data folder {self._data_dir} cannot be made ({error.strerror}): choose another with "
                "MARENGOCAM_DATA_DIR, or make it and give it to this account."
            ) from error

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        """Keep other processes of this data folder from starting or stopping meanwhile."""
        file = self._data_dir / "postgres.lock"
        try:
            handle = file.open("w")
        except OSError as error:
            raise StoreError(
                f"{file} cannot be written ({error.strerror}): is the data folder this account's?"
            ) from error
        with handle:
            if not _until(lambda: _locked(handle.fileno()), LOCK_LIMIT_S):
                raise StoreError(f"Another process has been starting the database in {self._data_dir} for too long.")
            yield

    def _adopt(self) -> Path | None:
        """Return the socket folder of a server that is already there, once it is ready; None when there is none."""
        if not self.running():
            return None
        _until(lambda: processes.answers(self._cluster) or not self.running(), START_LIMIT_S)
        if not self.running():
            return None
        if not processes.answers(self._cluster):
            raise StoreError(
                f"The embedded database has not answered for {START_LIMIT_S:.0f} s: it is recovering or hangs. "
                "Try again later."
            )
        return processes.serving_socket_folder(self._cluster)

    def _launch(self) -> Path:
        account = database_account(self._cluster)
        binaries, version = find_binaries(account, self._data_dir)
        own_folder(self._cluster, account)
        if not check_version(self._cluster, version):
            create_cluster(self._cluster, binaries, account, durable=self._durable)
        folder = socket_folder(self._data_dir, account)
        for _ in range(START_ATTEMPTS):
            self._end_leftovers()
            self._collect()
            self._refuse_unseen()
            (self._cluster / processes.PID_FILE).unlink(missing_ok=True)
            clear_sockets(folder)
            server = self._child = self._spawn(binaries, account, folder)
            if self._came_up(server):
                return self._adopt() or folder
        raise StoreError(f"The embedded database did not start: {self._last_words()}")

    def _came_up(self, server: "subprocess.Popen[bytes]") -> bool:
        """Wait until the server is ready or ends; return whether it still runs."""
        _until(lambda: server.poll() is not None or processes.answers(self._cluster), START_LIMIT_S)
        return server.poll() is None

    def _spawn(self, binaries: Path, account: Account, folder: Path) -> "subprocess.Popen[bytes]":
        settings = SERVER_SETTINGS | ({} if self._durable else VOLATILE_SETTINGS)
        settings["unix_socket_directories"] = str(folder)
        arguments = [f"--{name}={value}" for name, value in settings.items()]
        with (self._data_dir / "postgres.log").open("wb") as log, self._alive_file.open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(self._cluster), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                pass_fds=(alive.fileno(),),  # the lock lasts as long as the server or any of its backends
                preexec_fn=partial(end_with_parent, signal.SIGINT) if self._die_with_parent else None,  # noqa: PLW1509 - one system call
                **account.run_as,
            )

    def _end_leftovers(self) -> None:
        """End what still works in the cluster's folder; a hung backend would keep the next server out."""
        if self.running():
            _force(self._cluster)
        if not _until(lambda: not processes.members(self._cluster), LEFTOVER_LIMIT_S):
            _force(self._cluster)

    def _refuse_unseen(self) -> None:
        """Raise StoreError when a server that cannot be seen from here, as in another container, has the cluster."""
        with self._alive_file.open("w") as alive:
            if not _until(lambda: _locked(alive.fileno()), LEFTOVER_LIMIT_S):
                raise StoreError(
                    f"Another MarengoCam, perhaps in another container, uses the database in {self._data_dir}: "
                    "stop it first, or give this one a data folder of its own."
                )

    def _collect(self) -> None:
        """Collect the server when it was our own child, so that it does not stay as a zombie."""
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(KILL_LIMIT_S)
            self._child = None

    def _last_words(self) -> str:
        files = [self._data_dir / "postgres.log", *self._cluster.glob("log/*.log")]
        written = sorted((file for file in files if file.exists()), key=lambda file: file.stat().st_mtime)
        texts = [file.read_text(errors="replace")[-SHOWN_CHARS:].strip() for file in written[-2:]]
        return "\n".join(text for text in texts if text) or "it left no log."

    def _write_address(self, url: str) -> None:
        file = self._data_dir / ADDRESS_FILE
        partial = file.with_suffix(".partial")
        partial.touch(mode=0o600)
        partial.write_text(json.dumps({"url": url}))
        partial.replace(file)


def _force(cluster: Path) -> None:
    for pid in processes.members(cluster):
        processes.send(pid, signal.SIGKILL)
    _until(lambda: not processes.members(cluster), KILL_LIMIT_S)


def _until(true: Callable[[], bool], limit_s: float) -> bool:
    """Wait until it is true, at most so long; return whether it is."""
    deadline_s = time.monotonic() + limit_s
    while not true():
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(POLL_S)
    return True


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
