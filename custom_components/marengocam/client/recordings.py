"""Pictures, live video, recordings and clips."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from yarl import URL

from .connection import Connection, part, rfc3339
from .errors import UnexpectedAnswerError
from .models import Chunk, Gap


@dataclass(frozen=True, slots=True)
class LiveStream:
    """A signed HLS address and until when its signature holds."""

    url: str
    expires_at: datetime | None


class RecordingCalls(Connection):
    """What was and is filmed."""

    async def snapshot(self, camera_id: str) -> bytes:
        """Return the newest picture of a camera as JPEG."""
        return await self._picture(f"/cameras/{part(camera_id)}/snapshot.jpg")

    async def track_picture(self, local_track_id: str, width_px: int | None = None) -> bytes:
        """Return the best picture of a track as JPEG, at most so wide."""
        width = None if width_px is None else str(width_px)
        return await self._picture(f"/tracks/{part(local_track_id)}/crop.jpg", {"width": width})

    async def portrait(self, person_id: str) -> bytes:
        """Return a person's portrait as JPEG."""
        return await self._picture(f"/persons/{part(person_id)}/picture.jpg")

    async def live_stream(self, camera_id: str) -> LiveStream:
        """Return a signed HLS address of a camera's live picture."""
        path = (await self._json("POST", f"/cameras/{part(camera_id)}/stream")).text("url")
        if not path.startswith("/") or path.startswith("//"):
            raise UnexpectedAnswerError("The address of the live picture is not a path of the backend.")
        try:
            url = URL(f"{self._address}{path}", encoded=True)
            expires_s = float(url.query["expires"]) if "expires" in url.query else None
            expires_at = None if expires_s is None else datetime.fromtimestamp(expires_s, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise UnexpectedAnswerError("The address of the live picture cannot be read.") from error
        return LiveStream(str(url), expires_at)

    @asynccontextmanager
    async def clip(self, camera_id: str, from_at: datetime, to_at: datetime) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open a stretch of a camera's recording as one MP4 file; an hour at most."""
        query = {"from_at": rfc3339(from_at), "to_at": rfc3339(to_at)}
        path = f"/cameras/{part(camera_id)}/clip.mp4"
        async with self._answer("GET", path, query=query, limit_s=self._limits.clip_s) as answer:
            yield answer

    async def chunks(self, camera_id: str, from_at: datetime, to_at: datetime) -> tuple[Chunk, ...]:
        """Return the recorded files of a camera that overlap a stretch of time, in order."""
        query = {"camera_id": camera_id, "from_at": rfc3339(from_at), "to_at": rfc3339(to_at)}
        return (await self._json("GET", "/chunks", query=query)).objects("chunks", Chunk.parse)

    async def gaps(self) -> tuple[Gap, ...]:
        """Return where cameras were not recorded that should have been, of the last 24 hours."""
        return (await self._json("GET", "/gaps")).objects("gaps", Gap.parse)
