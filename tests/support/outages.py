"""Outages of one test's own database, without touching the server that other tests use."""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg

from marengocam.core.secret import Secret

CALL_LIMIT_S = 60.0


@contextlib.asynccontextmanager
async def database_away(url: Secret) -> AsyncIterator[None]:
    """Refuse every connection to a database, and break those that are open, while the block runs."""
    address = url.reveal()
    name = urlsplit(address).path.removeprefix("/")
    maintenance = await asyncpg.connect(address.replace(f"/{name}", "/postgres"), timeout=CALL_LIMIT_S)
    try:
        await maintenance.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await maintenance.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        await maintenance.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await maintenance.close(timeout=CALL_LIMIT_S)


@contextlib.asynccontextmanager
async def database_only_reads(url: Secret) -> AsyncIterator[None]:
    """Refuse every write to a database, as a standby does, while the block runs."""
    address = url.reveal()
    name = urlsplit(address).path.removeprefix("/")
    maintenance = await asyncpg.connect(address.replace(f"/{name}", "/postgres"), timeout=CALL_LIMIT_S)
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
    try:
        await maintenance.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await maintenance.execute(ended, name)
        yield
    finally:
        await maintenance.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await maintenance.execute(ended, name)  # a session keeps what it began with
        await maintenance.close(timeout=CALL_LIMIT_S)
