"""What ingest tells the hub: the latest state of each track, finished chunks; kept while the hub is away."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from uuid import UUID

from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.model import Chunk, LocalTrack
from marengocam.db.hub import Hub

GATHER_S = 0.05  # rows of one batch
RETRY_S = 1.0
AWAY_AFTER_S = 10.0  # a hub that is away for less is not told of
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
        self._writing = asyncio.Lock()
        self._away_since_s: float | None = None
        self.problem = ""  # why rows wait, while they have waited for long
        self.dropped_tracks = 0

    @property
    def waiting(self) -> int:
        """How many rows wait."""
        return len(self._tracks) + len(self._chunks)

    @property
    def waiting_chunks(self) -> int:
        """How many files wait for their rows."""
        return len(self._chunks)

    @property
    def waiting_tracks(self) -> set[UUID]:
        """Which tracks' rows wait."""
        return set(self._tracks)

    @property
    def cameras(self) -> set[str]:
        """Of which cameras tracks wait."""
        return {track.camera_id for track in self._tracks.values()}

    def put_tracks(self, tracks: Iterable[LocalTrack]) -> None:
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

    def drop_camera(self, camera_id: str) -> None:
        """Forget the tracks of a camera that another process serves now; it ended them itself."""
        self._tracks = {key: track for key, track in self._tracks.items() if track.camera_id != camera_id}

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._woken.wait()
            await asyncio.sleep(GATHER_S)
            self._woken.clear()
            try:
                done = await self.flush()
            except Exception:  # noqa: BLE001 - the writer outlives what it cannot write; it is logged
                _LOG.exception("rows could not be written; they are tried again")
                done = False
            if not done:
                self._woken.set()
                await asyncio.sleep(RETRY_S)

    async def flush(self) -> bool:
        """Write what waits; return whether nothing is left."""
        async with self._writing:
            try:
                await self._write_chunks()
                await self._write_tracks()
            except HubUnavailableError as error:
                self._note_away(error)
            else:
                self._note_back()
        return not self.waiting

    def _note_away(self, error: HubUnavailableError) -> None:
        now_s = asyncio.get_running_loop().time()
        self._away_since_s = self._away_since_s or now_s
        if not self.problem and now_s - self._away_since_s >= AWAY_AFTER_S:
            self.problem = f"Recording goes on, but its rows wait in memory: {error}"
            _LOG.warning("%s", self.problem)

    def _note_back(self) -> None:
        if self.problem:
            _LOG.info("the hub answers again")
        self.problem, self._away_since_s = "", None

    async def _write_chunks(self) -> None:
        while self._chunks:
            batch = [self._chunks[number] for number in range(min(len(self._chunks), BATCH_CHUNKS))]
            try:
                await self._hub.chunks.add(batch)
            except HubUnavailableError:
                raise
            except MarengoCamError:
                await self._add_one_by_one(batch)
            for _ in batch:
                self._chunks.popleft()

    async def _add_one_by_one(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            try:
                await self._hub.chunks.add([chunk])
            except HubUnavailableError:
                raise
            except MarengoCamError as error:
                _LOG.error("the recording %s is not indexed: %s", chunk.path.name, error)

    async def _write_tracks(self) -> None:
        """Write the tracks of the cameras that are held; those of a start without a hub wait for their lease."""
        fences = self._fences()
        waiting = [key for key, track in self._tracks.items() if track.camera_id in fences]
        for start in range(0, len(waiting), BATCH_TRACKS):
            batch = [self._tracks[key] for key in waiting[start : start + BATCH_TRACKS] if key in self._tracks]
            try:
                await self._hub.tracks.save(batch, fences)
            except HubUnavailableError:
                raise
            except MarengoCamError as error:
                _LOG.warning("%s", error)
                await self._save_one_by_one(batch, fences)
            self._forget(batch)

    async def _save_one_by_one(self, tracks: list[LocalTrack], fences: dict[str, int]) -> None:
        """Save what may be saved; the tracks of a camera that was lost are another process's business now."""
        for track in tracks:
            try:
                await self._hub.tracks.save([track], fences)
            except HubUnavailableError:
                raise
            except MarengoCamError as error:
                _LOG.info("track %s is not written: %s", track.local_track_id, error)

    def _forget(self, written: list[LocalTrack]) -> None:
        """Take written states off the list, unless a newer one came meanwhile."""
        for track in written:
            if self._tracks.get(track.local_track_id) is track:
                del self._tracks[track.local_track_id]
