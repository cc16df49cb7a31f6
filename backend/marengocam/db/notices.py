"""Who told which channel: every query with a parameter `channel` notifies it, and is noted here as well."""

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

from aiosql.adapters.asyncpg import AsyncPGAdapter

Notice = tuple[str, str]  # channel and payload
_noting: ContextVar[list[Notice] | None] = ContextVar("notices", default=None)


@contextlib.contextmanager
def noting() -> Iterator[list[Notice]]:
    """Collect what is told within the block; it holds only once the block ended well."""
    told: list[Notice] = []
    before = _noting.set(told)
    try:
        yield told
    finally:
        _noting.reset(before)


class NotingAdapter(AsyncPGAdapter):  # type: ignore[misc]  # the library ships no types
    """Sends queries by asyncpg and notes which channels they tell."""

    def maybe_order_params(self, query_name: str, parameters: Any) -> Any:
        """Put a query's parameters into the driver's order; called once for each time that it is sent."""
        told = _noting.get()
        if told is not None and isinstance(parameters, dict) and "channel" in parameters:
            told.append((parameters["channel"], str(parameters.get("payload", ""))))
        return super().maybe_order_params(query_name, parameters)

    async def insert_update_delete_many(self, conn: Any, query_name: str, sql: str, parameters: Iterable[Any]) -> Any:
        """Send a query for each of many parameters; these may be made while the server takes the first ones."""
        return await conn.executemany(sql, (self.maybe_order_params(query_name, one) for one in parameters))
