"""The index of recorded files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import NotFoundError
from marengocam.core.model import Chunk
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

CHANNEL = "chunk"
LEAST_GAP_S = 2.0  # less than this between two files is their rounding
GROWING_SLACK_S = 15.0  # beyond the length of a file, until its row is there
_QUERIES = load("chunks")


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which a camera was not recorded."""

    camera_id: str
    from_at: datetime
    to_at: datetime


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
        return _chunk(row)

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

    async def oldest(self, limit: int) -> list[Chunk]:
        """Return the first to go."""
        return await self._list(_QUERIES.oldest, most=limit)

    async def condemn(self, chunk_ids: Sequence[UUID], at: datetime) -> None:
        """Sentence files to deletion; nobody is shown them any more."""
        async with self._database.connection() as connection:
            await _QUERIES.condemn(connection, chunk_ids=list(chunk_ids), at=at)

    async def oldest_at(self) -> datetime | None:
        """Return how far back recordings reach."""
        async with self._database.connection() as connection:
            found: datetime | None = await _QUERIES.oldest_at(connection)
        return found

    async def gaps(
        self, camera_id: str | None, from_at: datetime, to_at: datetime, *, chunk_s: float, limit: int
    ) -> list[Gap]:
        """Return the latest stretches without a recording, newest first.

        A file that is still growing has no row yet: what follows the last file is a gap when it is longer than a file.
        """
        async with self._database.connection() as connection:
            found = await rows(
                _QUERIES.gaps(
                    connection,
                    camera_id=camera_id,
                    from_at=from_at,
                    to_at=to_at,
                    open_until=to_at - timedelta(seconds=chunk_s + GROWING_SLACK_S),
                    least_s=LEAST_GAP_S,
                    most=limit,
                )
            )
        return [Gap(row["camera_id"], row["from_at"], row["to_at"]) for row in found]

    async def condemned(self, limit: int) -> list[Chunk]:
        """Return files that wait to be deleted."""
        return await self._list(_QUERIES.condemned, most=limit)

    async def forget(self, chunk_ids: Sequence[UUID]) -> None:
        """Drop the rows of condemned files that are gone."""
        async with self._database.connection() as connection:
            await _QUERIES.forget(connection, chunk_ids=list(chunk_ids))

    async def known_paths(self, camera_id: str, from_at: datetime, to_at: datetime) -> set[str]:
        """Return the paths indexed for a camera in a stretch of time, condemned or not."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.known_paths(connection, camera_id=camera_id, from_at=from_at, to_at=to_at))
        return {row["path"] for row in found}

    async def page(self, after_path: str, limit: int) -> list[tuple[Chunk, bool]]:
        """Return the next chunks by path, each with whether it is condemned."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.all_chunks(connection, after_path=after_path, most=limit))
        return [(_chunk(row), row["is_condemned"]) for row in found]

    async def _list(self, query: Any, **values: Any) -> list[Chunk]:
        async with self._database.connection() as connection:
            return [_chunk(row) for row in await rows(query(connection, **values))]


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


def _chunk(row: Any) -> Chunk:
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
