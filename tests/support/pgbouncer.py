"""A real PgBouncer with the configuration that docker-compose.yml uses, before the tests' own server."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from marengocam.core.secret import Secret
from marengocam.db.embedded.account import Account
from marengocam.db.roles import ROLES
from tests.support.ports import free_port

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "compose" / "pgbouncer.ini"
START_LIMIT_S = 40.0
STOP_LIMIT_S = 30.0
PASSWORD = "of the tests"
CLIENT_LIMIT, KNOWS_CLIENT_LIMITS = " max_user_client_connections=80", (1, 24)


@dataclass(frozen=True)
class Pooler:
    """A running one."""

    port: int

    def address(self, database_url: Secret, role: str = "postgres") -> Secret:
        """Return the address of a database of the tests' server through the pooler, for one role."""
        database = urlsplit(database_url.reveal()).path
        password = PASSWORD.replace(" ", "%20")
        return Secret(f"postgresql://{role}:{password}@127.0.0.1:{self.port}{database}")


def program() -> str | None:
    """Return where PgBouncer is installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pooling(server_address: Secret, account: Account, roles: Sequence[str] = ("postgres", *ROLES)) -> Iterator[Pooler]:
    """Run it before a server behind a unix socket, as the account that may enter the socket's folder."""
    folder = Path(tempfile.mkdtemp(prefix="mc-pool-"))
    port = free_port()
    users = folder / "userlist.txt"
    users.write_text("".join(f'"{role}" "{PASSWORD}"\n' for role in roles))
    (folder / "pgbouncer.ini").write_text(_configuration(server_address, port, users))
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, account.uid, account.gid)
    command = [str(program()), "-q", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **account.run_as)
    try:
        _wait_for(port, process)
        yield Pooler(port)
    finally:
        process.terminate()
        process.wait(STOP_LIMIT_S)
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(server_address: Secret, port: int, users: Path) -> str:
    """Return the file as it is deployed, but for where things are."""
    query = parse_qs(urlsplit(server_address.reveal()).query)
    text = CONFIGURATION.read_text()
    for pattern, ours in (
        (r"^marengocam = host=.*$", f"* = host={query['host'][0]} port={query['port'][0]}"),
        (r"^listen_addr = .*$", "listen_addr = 127.0.0.1"),
        (r"^listen_port = .*$", f"listen_port = {port}"),
        (r"^auth_file = .*$", f"auth_file = {users}"),
    ):
        text, count = re.subn(pattern, ours, text, flags=re.MULTILINE)
        assert count == 1, pattern
    return text if _version() >= KNOWS_CLIENT_LIMITS else text.replace(CLIENT_LIMIT, "")


def _version() -> tuple[int, ...]:
    said = subprocess.run(
        [str(program()), "--version"], capture_output=True, text=True, check=True, timeout=STOP_LIMIT_S
    )
    found = re.search(r"PgBouncer (\d+)\.(\d+)", said.stdout + said.stderr)
    assert found is not None, said.stdout
    return tuple(int(part) for part in found.groups())


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"pgbouncer does not listen (status {process.poll()})")
