"""A real hub for tests: one throw-away PostgreSQL a run, a fresh copy of the migrated database for every test."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from marengocam.core.secret import Secret
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.migrate import migrate_database
from marengocam.settings import Settings

CALL_LIMIT_S = 90.0  # of making the schema and its copies, on a slow and busy machine
TEMPLATE = "/marengocam?"  # the embedded server's own database, as it stands in an address


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine apart from the loop of the test."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result(CALL_LIMIT_S)


async def _order(address: str, statement: str) -> None:
    connection = await asyncpg.connect(address, timeout=CALL_LIMIT_S, command_timeout=CALL_LIMIT_S)
    try:
        await connection.execute(statement)
    finally:
        await connection.close(timeout=CALL_LIMIT_S)


async def _migrate(address: Secret) -> None:
    await migrate_database(address)


@pytest.fixture(scope="session")
def hub_server() -> Iterator[EmbeddedServer]:
    """One server for the whole run; it goes with the test process, however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="mc-hub-"))
    folder.chmod(0o755)  # the server's own account has to get in when the tests run as root
    server = EmbeddedServer(folder, durable=False, die_with_parent=True)
    try:
        _run(_migrate(server.start()))
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database_url(hub_server: EmbeddedServer) -> Iterator[Secret]:
    """A fresh, migrated, empty database of this test's own."""
    address = hub_server.start().reveal()  # adopts the running server; starts it again should a test have killed it
    name = f"test_{uuid4().hex}"
    maintenance = address.replace(TEMPLATE, "/postgres?")
    # Copied file by file: each block through the log takes several times as long.
    _run(_order(maintenance, f"CREATE DATABASE {name} TEMPLATE marengocam STRATEGY FILE_COPY"))
    yield Secret(address.replace(TEMPLATE, f"/{name}?"))
    _run(_order(maintenance, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def hub_settings(database_url: Secret, tmp_path: Path) -> Settings:
    """Settings on folders and a database of this test's own."""
    data, media = tmp_path / "data", tmp_path / "media"
    data.mkdir()
    media.mkdir()
    return Settings(
        data_dir=data, media_dir=media, database_url=database_url, download_models=False, loopback_cameras=True
    )


@pytest_asyncio.fixture
async def hub(hub_settings: Settings) -> AsyncIterator[Any]:
    """An open Hub on this test's database."""
    from marengocam.db.hub import open_hub  # noqa: PLC0415 - tests of the database below it need no hub

    async with open_hub(hub_settings, application="test", pool_size=4) as opened:
        yield opened
