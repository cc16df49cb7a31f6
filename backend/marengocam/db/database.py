"""Connections to the hub's database: a small pool with time limits that opens late and heals by itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg

from marengocam.core.secret import Secret
from marengocam.db.admission import Admission
from marengocam.db.faults import our_errors, unsure
from marengocam.db.notices import Notice, noting

CONNECT_TIMEOUT_S = 3.0
CALL_TIMEOUT_S = 3.0
ACQUIRE_TIMEOUT_S = 3.0
RELEASE_TIMEOUT_S = 1.0
IDLE_CLOSE_S = 60.0
CLOSE_LIMIT_S = 3.0
# The server's own limits, so that what a lost or hung client left does not keep others waiting.
STATEMENT_LIMIT_S = 10
IDLE_IN_TRANSACTION_LIMIT_S = 10  # with a lease's time it is in what a take-over may take

Connection = Any  # asyncpg's connection, or the pool's proxy of one


class Database:
    """A pool that is opened at the first call and again after the database moved or went away.

    `address` is asked at each opening, since an embedded server may come back elsewhere. Where it leads to a pooler
    that lends a server's session for one transaction at a time (PgBouncer), `direct` gives the address past it.
    Every call raises HubUnavailableError when the database does not answer within the limits above.
    """

    def __init__(
        self,
        address: Callable[[], Secret],
        application: str,
        pool_size: int,
        direct: Callable[[], Secret] | None = None,
    ) -> None:
        self._address = address
        self._direct = direct
        self._application = application
        self._pool_size = pool_size
        self._pool: Any = None
        self._opened_with: Secret | None = None
        self._doubtful = False  # the last address may not hold any more
        self._opening = asyncio.Lock()
        self.admission = Admission()
        self.on_told: Callable[[list[Notice]], None] | None = None  # is given the channels that were told, afterwards
        self.on_done: Callable[[float], None] | None = None  # is given how many seconds each call took, refused or not

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; the driver's errors inside the block become ours.

        After a time-out, a break or a cancellation the connection is thrown away: the driver would wait for a hung
        server to confirm.
        """
        with our_errors(), self._timed():
            pool = await self._opened()
            try:
                async with self.admission.asked():
                    connection = await pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
            except BaseException:
                self._doubtful = True
                raise
            try:
                with noting() as told:
                    yield connection
                if told and self.on_told is not None:
                    self.on_told(told)
            except BaseException as error:
                if unsure(error):
                    self._doubtful = True
                    connection.terminate()
                raise
            finally:
                await pool.release(connection, timeout=RELEASE_TIMEOUT_S)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection within a transaction: committed at the end of the block, rolled back when it raises."""
        async with self.connection() as connection:
            block = connection.transaction()
            await block.start()
            try:
                yield connection
            except BaseException as error:
                if not unsure(error):
                    await block.rollback()
                raise
            await block.commit()

    async def direct(self) -> Connection:
        """Open a connection of its own, for LISTEN; the caller closes it."""
        with our_errors():
            async with self.admission.asked():
                return await self._connect((self._direct or self._address)())

    async def close(self) -> None:
        """Close the pool, by force when the server does not answer."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await pool.close()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            pool.terminate()

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            yield
        finally:
            if self.on_done is not None:
                self.on_done(loop.time() - began_s)

    async def _opened(self) -> Any:
        if self._pool is not None and not self._doubtful:
            return self._pool
        async with self._opening:
            address = self._address()
            if self._pool is not None and address != self._opened_with:
                self._pool.terminate()
                self._pool = None
            if self._pool is None:
                self._pool = await asyncpg.create_pool(
                    address.reveal(),
                    min_size=0,
                    max_size=self._pool_size,
                    max_inactive_connection_lifetime=IDLE_CLOSE_S,
                    reset=_nothing_to_reset,
                    timeout=CONNECT_TIMEOUT_S,
                    command_timeout=CALL_TIMEOUT_S,
                    max_cached_statement_lifetime=0,  # no end: the driver's five minutes forgot what is sent seldom
                    server_settings=self._server_settings(pooled=self._direct is not None),
                    **self._without_prepared_statements(),
                )
                self._opened_with = address
            self._doubtful = False
            return self._pool

    async def _connect(self, address: Secret) -> Connection:
        return await asyncpg.connect(
            address.reveal(),
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=CALL_TIMEOUT_S,
            server_settings=self._server_settings(pooled=False),
        )

    def _without_prepared_statements(self) -> dict[str, int]:
        """Return how to speak with a pooler: a statement prepared in one server's session is unknown to the next."""
        return {} if self._direct is None else {"statement_cache_size": 0}

    def _server_settings(self, *, pooled: bool) -> dict[str, str]:
        tracked = {"application_name": f"marengocam {self._application}", "timezone": "UTC"}
        if pooled:  # poolers refuse or drop the rest: there the limits hang on the service's role (grants.sql)
            return tracked
        return tracked | {
            "jit": "off",  # compiling a plan takes longer than any of our queries
            "statement_timeout": f"{STATEMENT_LIMIT_S}s",
            "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_LIMIT_S}s",
        }


async def _nothing_to_reset(_connection: Connection) -> None:
    """Spare a round trip a call: our queries leave no session state, and transactions end with their blocks."""
