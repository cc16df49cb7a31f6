"""How the hub's processes wake each other: PostgreSQL's NOTIFY, Redis, or not at all; a poll stands behind each."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from marengocam.core.errors import BadInputError
from marengocam.core.secret import Secret
from marengocam.db.database import Database
from marengocam.db.listen import Callback, listening

if TYPE_CHECKING:
    from marengocam.db.redis_bus import RedisTeller as Teller

POLL_ONLY = "poll"


class WakeUps:
    """`hub.wake_ups`, by the setting `bus_url`; raises BadInputError when Redis is wanted and its client lacks."""

    def __init__(self, database: Database, bus_url: Secret) -> None:
        self._database = database
        self._url = bus_url
        self._teller: Teller | None = None
        if bus_url and bus_url.reveal() != POLL_ONLY:
            try:
                from marengocam.db.redis_bus import RedisTeller  # noqa: PLC0415 - an extra that few install
            except ImportError:
                raise BadInputError(
                    "bus_url names Redis, but its client is not installed: pip install 'marengocam[redis]'."
                ) from None
            self._teller = RedisTeller(bus_url)
            database.on_told = self._teller.put

    @contextlib.asynccontextmanager
    async def listen(self, channels: Sequence[str], callback: Callback) -> AsyncIterator[None]:
        """Call `callback(channel, payload)` at every wake-up while the block runs; never under `poll`."""
        if self._teller is not None:
            from marengocam.db.redis_bus import redis_listening  # noqa: PLC0415 - an extra that few install

            async with redis_listening(self._url, channels, callback):
                yield
        elif self._url:
            yield
        else:
            async with listening(self._database, channels, callback):
                yield

    async def close(self) -> None:
        """Send what is on its way, for a moment, and end."""
        if self._teller is not None:
            await self._teller.close()
