"""What ingest tells the hub: the latest state of each track, finished chunks; kept while the hub is away."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from uuid import UUID

from marengocam.core.errors import HubUnavailableError, LeaseLostError, MarengoCamError
from marengocam.core.model import Chunk, LocalTrack
from marengocam.db.hub import Hub

GATHER_S = 0.05  # rows of one batch
RETRY_S = 1.0
MAX_WAITING_TRACKS = 10_000
BATCH_TRACKS = 200
BATCH_CHUNKS = 100
_LOG = logging.getLogger(__name__)


class HubWriter:
    """Writes in the background; `put_*` never wait. Runs on the event loop only."""

    def __init__(self, hub: Hub, fences: Callable[[], dict[str, int]]) -> None:
        self._hub = hub
        self._fences = fences
        self._tracks: dict[UUID, LocalTrack] = {}
        self._chunks: deque[Chunk] = deque()
        self._woken = asyncio.Event()
        self.dropped_tracks = 0

    @property
    def waiting(self) -> int:
        """How many rows wait."""
        return len(self._tracks) + len(self._chunks)

    def put_tracks(self, tracks: tuple[LocalTrack, ...]) -> None:
        """Have the latest state of tracks written; an older state that still waits is replaced."""
        for track in tracks:
            self._tracks[track.local_track_id] = track
        while len(self._tracks) > MAX_WAITING_TRACKS:
            self._tracks.pop(next(iter(self._tracks)))
            self.dropped_tracks += 1
        self._woken.set()

    def put_chunk(self, chunk: Chunk) -> None:
        """Have a finished chunk indexed."""
        self._chunks.append(chunk)
        self._woken.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(GATHER_S)
            self._woken.clear()
            if not await self.flush():
                self._woken.set()
                await asyncio.sleep(RETRY_S)

    async def flush(self) -> bool:
        """Write what waits; return whether nothing is left."""
        try:
            await self._write_chunks()
            await self._write_tracks()
        except HubUnavailableError as error:
            _LOG.debug("%d rows wait for the hub: %s", self.waiting, error)
        return not self.waiting

    async def _write_chunks(self) -> None:
        while self._chunks:
            batch = [self._chunks[number] for number in range(min(len(self._chunks), BATCH_CHUNKS))]
            await self._hub.chunks.add(batch)
            for _ in batch:
                self._chunks.popleft()

    async def _write_tracks(self) -> None:
        fences = self._fences()
        ready = [track for track in self._tracks.values() if track.camera_id in fences][:BATCH_TRACKS]
        if not ready:
            return
        try:
            await self._hub.tracks.save(ready, fences)
        except LeaseLostError as error:
            _LOG.warning("%s", error)
            await self._write_one_by_one(ready, fences)
            return
        self._forget(ready)

    async def _write_one_by_one(self, tracks: list[LocalTrack], fences: dict[str, int]) -> None:
        """Save what may be saved; the tracks of a camera that was lost are another process's business now."""
        for track in tracks:
            try:
                await self._hub.tracks.save([track], fences)
            except HubUnavailableError:
                raise
            except MarengoCamError as error:
                _LOG.info("track %s is not written: %s", track.local_track_id, error)
            self._forget([track])

    def _forget(self, written: list[LocalTrack]) -> None:
        """Take written states off the list, unless a newer one came meanwhile."""
        for track in written:
            if self._tracks.get(track.local_track_id) is track:
                del self._tracks[track.local_track_id]
        if self._tracks:
            self._woken.set()
