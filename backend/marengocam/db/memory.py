"""What the analysis of each camera has learned and keeps over restarts."""

from collections.abc import Sequence
from typing import Any

from marengocam.db.database import Database
from marengocam.db.queries import from_json, load, to_json

_QUERIES = load("memory")


class Memory:
    """`hub.memory`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def furniture(self, camera_id: str) -> list[dict[str, Any]]:
        """Return what was learned about things that stand in a camera's picture, as it was kept."""
        async with self._database.connection() as connection:
            row = await _QUERIES.furniture_of(connection, camera_id=camera_id)
        kept = from_json(row["furniture"]) if row is not None else None
        return kept.get("places", []) if isinstance(kept, dict) else []

    async def keep_furniture(self, camera_id: str, places: Sequence[dict[str, Any]], fence: int | None = None) -> None:
        """Keep what was learned, instead of what was kept before; nothing under a fence that is not the present one."""
        async with self._database.connection() as connection:
            await _QUERIES.keep_furniture(
                connection, camera_id=camera_id, fence=fence, furniture=to_json({"places": list(places)})
            )
