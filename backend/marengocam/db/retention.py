"""What is kept and for how long: an owner's rules, favourites, classes of recordings, and moves to the archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import NotFoundError
from marengocam.core.model import Chunk
from marengocam.core.retention import Happenings, Rule
from marengocam.db.chunks import chunk_from
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

_QUERIES = load("retention")


@dataclass(frozen=True, slots=True)
class FavouriteRow:
    """A stretch that its owner wants to keep."""

    favourite_id: UUID
    camera_id: str | None
    from_at: datetime
    to_at: datetime
    label: str


@dataclass(frozen=True, slots=True)
class DeadRows:
    """A table's rows, and those of them that wait for a vacuum."""

    table: str
    live: int
    dead: int
    vacuumed_at: datetime | None


class RetentionStore:
    """`hub.retention`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rules(self) -> list[Rule]:
        """Return an owner's rules."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.list_rules(connection))
        return [Rule(row["camera_id"], row["class"], row["keep_days"], row["max_bytes"]) for row in found]

    async def set(self, rule: Rule) -> None:
        """Keep so much from now on."""
        async with self._database.connection() as connection:
            await _QUERIES.set_rule(
                connection,
                camera_id=rule.camera_id,
                kind=rule.kind,
                keep_days=rule.keep_days,
                max_bytes=rule.max_bytes,
            )

    async def clear(self, camera_id: str, kind: str) -> None:
        """Take a rule away; raises NotFoundError."""
        async with self._database.connection() as connection:
            status = await _QUERIES.clear_rule(connection, camera_id=camera_id, kind=kind)
        if str(status).endswith(" 0"):
            raise NotFoundError("There is no such rule.")

    async def take_favourites(self, before_s: float, after_s: float) -> list[FavouriteRow]:
        """Make favourites of moments marked lately; return the new ones, whose recordings are looked at anew."""
        async with self._database.transaction() as connection:
            new = await rows(_QUERIES.take_favourites(connection, before_s=before_s, after_s=after_s))
            for row in new:
                await self._unclass(connection, row)
        return [FavouriteRow(**dict(row)) for row in new]

    async def favourites(self) -> list[FavouriteRow]:
        """Return what an owner wants to keep, latest first."""
        async with self._database.connection() as connection:
            return [FavouriteRow(**dict(row)) for row in await rows(_QUERIES.list_favourites(connection))]

    async def remove_favourite(self, favourite_id: UUID, at: datetime) -> None:
        """Let go of a favourite: its recordings go with the others of their age. Raises NotFoundError."""
        async with self._database.transaction() as connection:
            row = await _QUERIES.remove_favourite(connection, favourite_id=favourite_id, at=at)
            if row is None:
                raise NotFoundError("There is no such favourite.")
            await self._unclass(connection, row)

    async def unclassed(self, before: datetime, limit: int) -> list[UUID]:
        """Return recordings begun before a moment whose class is not known yet."""
        async with self._database.connection() as connection:
            return [row["chunk_id"] for row in await rows(_QUERIES.unclassed(connection, before=before, most=limit))]

    async def happenings(self, chunk_ids: Sequence[UUID]) -> dict[UUID, Happenings]:
        """Return what happened during recordings."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.happenings(connection, chunk_ids=list(chunk_ids)))
        return {
            row["chunk_id"]: Happenings(row["motion"], row["person"], row["unknown"], row["named"], row["favourite"])
            for row in found
        }

    async def set_classes(self, classes: Mapping[UUID, str]) -> None:
        """Note the classes of recordings."""
        async with self._database.connection() as connection:
            await _QUERIES.set_classes(connection, chunk_ids=list(classes), classes=list(classes.values()))

    async def due(self, before: datetime, now: datetime, limit: int) -> list[Chunk]:
        """Return recordings begun before a moment, or whose review has come."""
        return await self._chunks(_QUERIES.due, before=before, now=now, most=limit)

    async def review_later(self, reviews: Mapping[UUID, datetime]) -> None:
        """Have recordings looked at again, each at its time."""
        async with self._database.connection() as connection:
            await _QUERIES.review_later(connection, chunk_ids=list(reviews), review_ats=list(reviews.values()))

    async def sizes(self) -> dict[tuple[str, str], int]:
        """Return the bytes kept by (camera, class)."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.sizes(connection))
        return {(row["camera_id"], row["class"]): row["size_bytes"] for row in found}

    async def oldest(
        self, limit: int, *, camera_id: str | None = None, kind: str | None = None, folder: str | None = None
    ) -> list[Chunk]:
        """Return the first to go, favourites only when nothing else is left (or they are asked for)."""
        found = []
        if kind != "favourite":
            wanted = {"camera_id": camera_id, "kind": kind, "folder": folder}
            found = await self._chunks(_QUERIES.oldest_of, most=limit, **wanted)
        if not found and kind in {None, "favourite"}:
            found = await self._chunks(_QUERIES.oldest_favourites, most=limit, camera_id=camera_id, folder=folder)
        return found

    async def movable(self, before: datetime, limit: int) -> list[Chunk]:
        """Return recordings of the first folder begun before a moment, oldest first."""
        return await self._chunks(_QUERIES.movable, before=before, most=limit)

    async def begin_move(self, chunk_id: UUID, other: PurePosixPath) -> bool:
        """Note that a copy may lie elsewhere from now on; False when the recording is condemned or on the move."""
        return await self._changed(_QUERIES.begin_move, chunk_id, other)

    async def switch_over(self, chunk_id: UUID, other: PurePosixPath) -> bool:
        """Make the whole copy the recording; False when it was condemned meanwhile."""
        return await self._changed(_QUERIES.switch_over, chunk_id, other)

    async def end_move(self, chunk_id: UUID, other: PurePosixPath) -> None:
        """Note that no file lies in the second place any more."""
        async with self._database.connection() as connection:
            await _QUERIES.end_move(connection, chunk_id=chunk_id, other_path=str(other))

    async def on_the_move(self, limit: int) -> list[tuple[UUID, PurePosixPath]]:
        """Return recordings with a second file, and where that is."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.on_the_move(connection, most=limit))
        return [(row["chunk_id"], PurePosixPath(row["other_path"])) for row in found]

    async def dead_rows(self) -> list[DeadRows]:
        """Return how much of each table waits for a vacuum, the worst first."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.dead_rows(connection))
        return [DeadRows(row["relname"], row["live"], row["dead"], row["vacuumed_at"]) for row in found]

    async def _changed(self, query: Any, chunk_id: UUID, other: PurePosixPath) -> bool:
        async with self._database.connection() as connection:
            return await query(connection, chunk_id=chunk_id, other_path=str(other)) is not None

    async def _chunks(self, query: Any, **values: Any) -> list[Chunk]:
        async with self._database.connection() as connection:
            return [chunk_from(row) for row in await rows(query(connection, **values))]

    @staticmethod
    async def _unclass(connection: Any, row: Any) -> None:
        await _QUERIES.unclass(connection, camera_id=row["camera_id"], from_at=row["from_at"], to_at=row["to_at"])
