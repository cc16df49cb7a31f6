"""The embedded server on a real folder: made, adopted, killed in every way, refused where it must be."""

import fcntl
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import asyncpg
import pytest

from marengocam.core.errors import HubUnavailableError, StoreError
from marengocam.db.embedded import EmbeddedServer, database_address
from marengocam.db.embedded.address import SOCKET
from marengocam.db.embedded.processes import members, send, serving
from marengocam.db.migrate import migrate_database
from marengocam.settings import Settings

CALL_LIMIT_S = 30.0
GONE_LIMIT_S = 30.0
NOBODY = 65534
STRANGER = 12345


@pytest.fixture
def data_dir():
    """A folder that the server's own account can reach when the tests run as root; pytest's are closed to it."""
    folder = Path(tempfile.mkdtemp(prefix="mc-pg-"))
    folder.chmod(0o755)
    yield folder
    EmbeddedServer(folder / "data").stop()
    shutil.rmtree(folder)


@pytest.fixture
def server(data_dir):
    """A server that is durable, as owners have it."""
    made = EmbeddedServer(data_dir / "data", die_with_parent=True)
    yield made
    made.stop()


async def ask(address, statement):
    connection = await asyncpg.connect(address.reveal(), timeout=CALL_LIMIT_S, command_timeout=CALL_LIMIT_S)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close(timeout=CALL_LIMIT_S)


def kill_everything(cluster):
    """Kill -9 the server and all its backends; return once they are gone."""
    for pid in members(cluster):
        send(pid, signal.SIGKILL)
    deadline = time.monotonic() + GONE_LIMIT_S
    while members(cluster):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_server(cluster):
    """Kill -9 the server itself; return once it is dead, not merely dying."""
    os.kill(serving(cluster), signal.SIGKILL)
    deadline = time.monotonic() + GONE_LIMIT_S
    while serving(cluster) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


async def test_a_first_start_makes_a_durable_database_that_is_not_on_the_network(server, data_dir):
    address = server.start()
    assert await ask(address, "SELECT current_database()") == "marengocam"
    for setting, value in {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}.items():
        assert await ask(address, f"SHOW {setting}") == value
    assert await ask(address, "SHOW listen_addresses") == ""
    assert await ask(address, "SELECT lower('ÄÖÜ')") == "äöü"
    assert await ask(address, "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 1
    for private in ("postgres", "postgres-run"):
        assert stat.S_IMODE((data_dir / "data" / private).stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "data" / "postgres.json").stat().st_mode) == 0o600


async def test_other_processes_find_the_running_server(server, data_dir):
    settings = Settings(data_dir=data_dir / "data", media_dir=data_dir / "media")
    with pytest.raises(HubUnavailableError, match="marengocam up"):
        database_address(settings)
    address = server.start()
    assert database_address(settings) == address


async def test_starting_again_adopts_the_living_server(server, data_dir):
    first = server.start()
    pid = serving(data_dir / "data" / "postgres")
    assert EmbeddedServer(data_dir / "data").start() == first
    assert serving(data_dir / "data" / "postgres") == pid


def test_processes_that_start_it_at_once_share_one_server(data_dir):
    program = (
        "import sys; from pathlib import Path; from marengocam.db.embedded import EmbeddedServer;"
        "server = EmbeddedServer(Path(sys.argv[1])); print(server.start().reveal())"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", program, str(data_dir / "data")], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {starter.communicate(timeout=150)[0] for starter in starters}
    assert len(answers) == 1
    assert [starter.returncode for starter in starters] == [0] * 4


async def test_kill_9_of_the_server_loses_nothing_that_was_committed(server, data_dir):
    address = server.start()
    await ask(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    cluster = data_dir / "data" / "postgres"
    kill_server(cluster)
    assert await ask(server.start(), "SELECT answer FROM kept") == 42


async def test_kill_9_of_everything_loses_nothing_that_was_committed(server, data_dir):
    address = server.start()
    await ask(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    cluster = data_dir / "data" / "postgres"
    kill_everything(cluster)
    assert (cluster / "postmaster.pid").exists()
    assert await ask(server.start(), "SELECT answer FROM kept") == 42


async def test_a_backend_that_outlived_its_server_does_not_keep_the_next_one_out(server, data_dir):
    address = server.start()
    cluster = data_dir / "data" / "postgres"
    connection = await asyncpg.connect(address.reveal(), timeout=CALL_LIMIT_S)
    backend = connection.get_server_pid()
    os.kill(backend, signal.SIGSTOP)
    kill_server(cluster)
    assert await ask(server.start(), "SELECT 1") == 1
    assert backend not in members(cluster)
    connection.terminate()


async def test_a_process_id_that_was_used_again_is_not_taken_for_the_server(server, data_dir):
    address = server.start()
    cluster = data_dir / "data" / "postgres"
    await ask(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    pid_file = (cluster / "postmaster.pid").read_text().splitlines()
    kill_everything(cluster)
    somebody_else = subprocess.Popen(["sleep", "60"])
    try:
        (cluster / "postmaster.pid").write_text("\n".join([str(somebody_else.pid), *pid_file[1:]]) + "\n")
        (data_dir / "data" / "postgres-run" / f"{SOCKET}.lock").write_text(f"{somebody_else.pid}\n")
        assert not server.running()
        assert await ask(server.start(), "SELECT answer FROM kept") == 42
        assert somebody_else.poll() is None
    finally:
        somebody_else.kill()
        somebody_else.wait()


async def test_a_crash_while_the_cluster_is_made_leaves_nothing_half_made(server, data_dir):
    half_made = data_dir / "data" / "postgres.new" / "base"
    half_made.mkdir(parents=True)
    (half_made / "1").write_text("half")
    assert await ask(server.start(), "SELECT 1") == 1
    assert not half_made.exists()


def test_a_cluster_that_an_unseen_server_uses_is_refused(server, data_dir):
    """A server in another container has no process here; the lock that it holds is seen all the same."""
    server.start()
    with (data_dir / "data" / "postgres.alive").open() as seen:
        with pytest.raises(BlockingIOError):
            fcntl.flock(seen, fcntl.LOCK_SH | fcntl.LOCK_NB)
        server.stop()
        fcntl.flock(seen, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with pytest.raises(StoreError, match="another container"):
            server.start()
    server.start()


def test_stopping_ends_every_process(server, data_dir):
    server.start()
    server.stop()
    assert not members(data_dir / "data" / "postgres")
    assert not server.running()
    server.stop()


def test_a_hung_server_is_stopped_by_force(server, data_dir, monkeypatch):
    monkeypatch.setattr("marengocam.db.embedded.server.FAST_STOP_LIMIT_S", 0.3)
    monkeypatch.setattr("marengocam.db.embedded.server.IMMEDIATE_STOP_LIMIT_S", 0.3)
    server.start()
    os.kill(serving(data_dir / "data" / "postgres"), signal.SIGSTOP)
    server.stop()
    assert not members(data_dir / "data" / "postgres")


def test_another_major_version_is_refused_with_the_mend(server, data_dir):
    server.start()
    server.stop()
    version = data_dir / "data" / "postgres" / "PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(StoreError, match=r"made by PostgreSQL 12.*pg_dump"):
        server.start()


def test_a_folder_with_other_things_in_it_is_left_alone(server, data_dir):
    letter = data_dir / "data" / "postgres" / "letter.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text("dear")
    with pytest.raises(StoreError, match=r"no database.*letter\.txt"):
        server.start()
    assert letter.read_text() == "dear"


async def test_a_long_data_folder_gets_its_socket_in_a_short_private_one(data_dir):
    deep = data_dir / ("d" * 60) / ("e" * 60)
    server = EmbeddedServer(deep, durable=False, die_with_parent=True)
    try:
        address = server.start()
        assert await ask(address, "SELECT 1") == 1
        folder = Path(await ask(address, "SHOW unix_socket_directories"))
        assert not folder.is_relative_to(data_dir)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        server.stop()
    folder.rmdir()


def test_a_short_folder_that_somebody_else_prepared_is_refused(data_dir):
    deep = data_dir / ("d" * 60) / ("e" * 60)
    server = EmbeddedServer(deep, durable=False)
    server.start()
    server.stop()
    folder = Path(
        json.loads((deep / "postgres.json").read_text())["url"].split("host=")[1].split("&")[0].replace("%2F", "/")
    )
    folder.chmod(0o777)
    try:
        with pytest.raises(StoreError, match="not the database's own"):
            server.start()
    finally:
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
def test_a_folder_that_the_servers_account_cannot_enter_is_named_with_the_mend(data_dir):
    closed = data_dir / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(StoreError, match=r"cannot enter .*MARENGOCAM_DATA_DIR"):
        EmbeddedServer(closed / "data").start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server under another account")
async def test_binaries_that_the_servers_account_cannot_reach_are_copied(data_dir, monkeypatch):
    """As in a virtual environment under a closed /root."""
    from importlib.util import find_spec  # noqa: PLC0415

    from marengocam.db.embedded import binaries  # noqa: PLC0415

    real = Path(find_spec(binaries.WHEEL).origin).parent
    closed = data_dir / "closed"
    for part in (real, real.with_name(f"{real.name}.libs")):
        shutil.copytree(part, closed / part.name, symlinks=True, ignore=shutil.ignore_patterns("include", "pginstall"))
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(str(closed))
    server = EmbeddedServer(data_dir / "data", durable=False, die_with_parent=True)
    try:
        assert await ask(server.start(), "SELECT 1") == 1
        assert list((data_dir / "data" / "postgres-bin").glob("*/*/*/bin/postgres"))
    finally:
        server.stop()


def as_account(uid, act):
    """Return the error that `act` met as another account, in a copy of this process; empty when it met none."""
    reading, writing = os.pipe()
    with warnings.catch_warnings(action="ignore"):  # newer Pythons warn of threads; the copy only runs `act` and ends
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            act()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent reads it
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as said:
        return said.read()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
def test_an_ordinary_user_runs_it_and_a_stranger_is_told_whose_it_is(data_dir):
    home = data_dir / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)

    def live():
        server = EmbeddedServer(home / "data", durable=False)
        server.start()
        assert server.running()
        server.stop()

    assert as_account(NOBODY, live) == ""
    (home / "data" / "postgres.lock").chmod(0o666)
    assert "the account that made it" in as_account(STRANGER, live)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_backup_restored_without_its_owners_is_refused_with_the_mend(server, data_dir):
    server.start()
    server.stop()
    os.chown(data_dir / "data" / "postgres" / "PG_VERSION", 0, 0)
    with pytest.raises(StoreError, match="chown -R"):
        server.start()


async def test_a_first_start_leaves_no_error_in_the_server_s_log(server, data_dir):
    address = server.start()
    assert await migrate_database(address)
    assert await migrate_database(address) == []
    log = (data_dir / "data" / "postgres.log").read_text() + "".join(
        file.read_text() for file in (data_dir / "data" / "postgres").glob("log/*.log")
    )
    assert "ERROR" not in log
    assert "FATAL" not in log
