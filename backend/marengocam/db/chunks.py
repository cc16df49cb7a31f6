"""The index of recorded files."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import NotFoundError
from marengocam.core.model import Chunk
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

CHANNEL = "chunk"
_QUERIES = load("chunks")


class Chunks:
    """`hub.chunks`: adding notifies the channel `chunk`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, chunks: Sequence[Chunk]) -> None:
        """Index finished files; one that is known already is left as it is."""
        if not chunks:
            return
        async with self._database.transaction() as connection:
            await _QUERIES.add_chunks(connection, [_columns(chunk) for chunk in chunks])
            for camera_id in sorted({chunk.camera_id for chunk in chunks}):
                await _QUERIES.notify(connection, channel=CHANNEL, payload=camera_id)

    async def get(self, chunk_id: UUID) -> Chunk:
        """Return one file that is kept; raises NotFoundError."""
        async with self._database.connection() as connection:
            row = await _QUERIES.get_chunk(connection, chunk_id=chunk_id)
        if row is None:
            raise NotFoundError("There is no such recording; it may have been deleted by retention.")
        return chunk_from(row)

    async def span(self, camera_id: str, from_at: datetime, to_at: datetime) -> list[Chunk]:
        """Return the files of a camera that overlap a stretch of time, in order."""
        return await self._list(_QUERIES.span, camera_id=camera_id, from_at=from_at, to_at=to_at)

    async def recorded_s(self, camera_id: str | None = None) -> float:
        """Return the seconds kept of one camera, or of all."""
        async with self._database.connection() as connection:
            return float(await _QUERIES.recorded_s(connection, camera_id=camera_id))

    async def total_bytes(self) -> int:
        """Return what the kept files take."""
        async with self._database.connection() as connection:
            return int(await _QUERIES.total_bytes(connection))

    async def condemn(self, chunk_ids: Sequence[UUID], at: datetime) -> None:
        """Sentence files to deletion; nobody is shown them any more."""
        async with self._database.connection() as connection:
            await _QUERIES.condemn(connection, chunk_ids=list(chunk_ids), at=at)

    async def oldest_at(self) -> datetime | None:
        """Return how far back recordings reach."""
        async with self._database.connection() as connection:
            found: datetime | None = await _QUERIES.oldest_at(connection)
        return found

    async def condemned(self, limit: int, folders: Sequence[str], but: Sequence[UUID] = ()) -> list[Chunk]:
        """Return files that wait to be deleted, by the first part of their path, but for some."""
        return await self._list(_QUERIES.condemned, most=limit, folders=list(folders), but=list(but))

    async def forget(self, chunk_ids: Sequence[UUID]) -> None:
        """Drop the rows of condemned files that are gone."""
        async with self._database.connection() as connection:
            await _QUERIES.forget(connection, chunk_ids=list(chunk_ids))

    async def condemn_paths(self, paths: Sequence[PurePosixPath], at: datetime) -> None:
        """Sentence files that went without the hub's knowledge; the janitor forgets their rows."""
        async with self._database.connection() as connection:
            await _QUERIES.condemn_paths(connection, paths=[str(path) for path in paths], at=at)

    async def second_paths(self, chunk_ids: Sequence[UUID]) -> dict[UUID, PurePosixPath]:
        """Return where second files of recordings may lie, since a move to the archive was cut short."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.second_paths(connection, chunk_ids=list(chunk_ids)))
        return {row["chunk_id"]: PurePosixPath(row["other_path"]) for row in found}

    async def known_paths(self, camera_id: str, from_at: datetime) -> set[str]:
        """Return the paths indexed for a camera since a moment, condemned or not."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.known_paths(connection, camera_id=camera_id, from_at=from_at))
        return {row["path"] for row in found}

    async def page(self, after_path: str, limit: int) -> list[tuple[Chunk, bool]]:
        """Return the next chunks by path, each with whether it is condemned."""
        return [(chunk, condemned) for chunk, condemned, _ in await self.pages(after_path, limit)]

    async def pages(self, after_path: str, limit: int) -> list[tuple[Chunk, bool, str | None]]:
        """Return the next chunks by path, each with whether it is condemned and where a second file may lie."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.all_chunks(connection, after_path=after_path, most=limit))
        return [(chunk_from(row), row["is_condemned"], row["other_path"]) for row in found]

    async def _list(self, query: Any, **values: Any) -> list[Chunk]:
        async with self._database.connection() as connection:
            return [chunk_from(row) for row in await rows(query(connection, **values))]


def _columns(chunk: Chunk) -> dict[str, Any]:
    return {
        "chunk_id": chunk.chunk_id,
        "camera_id": chunk.camera_id,
        "started_at": chunk.started_at,
        "duration_s": chunk.duration_s,
        "size_bytes": chunk.size_bytes,
        "path": str(chunk.path),
        "codec": chunk.codec,
        "width_px": chunk.width_px,
        "height_px": chunk.height_px,
    }


def chunk_from(row: Any) -> Chunk:
    """Return a row of `chunk` as its value."""
    return Chunk(
        chunk_id=row["chunk_id"],
        camera_id=row["camera_id"],
        started_at=row["started_at"],
        duration_s=row["duration_s"],
        size_bytes=row["size_bytes"],
        path=PurePosixPath(row["path"]),
        codec=row["codec"],
        width_px=row["width_px"],
        height_px=row["height_px"],
    )
