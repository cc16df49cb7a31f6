"""Real recordings of long ago, indexed or not, and what a player shows of a playlist."""

from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import av

from marengocam.core.clock import SystemClock
from marengocam.core.ids import new_id
from marengocam.core.model import Chunk, LocalTrack
from marengocam.db.hub import Hub
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.playlist import init_bytes, segment_bytes
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader
from tests.support.clips import read_number


def recorded(store: Store, clip: Path, age: timedelta, camera_id: str = "front") -> Chunk:
    """Return a real recording of long ago."""
    clock = SystemClock()
    with StreamReader(f"file://{clip}", StreamOptions(), clock, clock.now() - age) as reader:
        writer = ChunkWriter(store, camera_id, reader.video, reader.info, 100)
        for packet in reader:
            writer.write(packet)
        chunk = writer.close()
    assert chunk is not None
    return chunk


async def seen(hub: Hub, chunk: Chunk, label: str = "person") -> UUID:
    """Have something be in view during a recording."""
    lease = await hub.leases.acquire(f"camera:{chunk.camera_id}", "test", 600)
    assert lease is not None
    track = LocalTrack(
        local_track_id=new_id(chunk.started_at),
        camera_id=chunk.camera_id,
        label=label,
        first_seen_at=chunk.started_at,
        last_seen_at=chunk.ended_at,
        open=False,
        score=0.9,
        observations=5,
    )
    await hub.tracks.save([track], {chunk.camera_id: lease.fence})
    return track.local_track_id


def middle(chunk: Chunk) -> datetime:
    return chunk.started_at + timedelta(seconds=chunk.duration_s / 2)


def numbers_played(store: Store, playlist: str) -> list[int]:
    """Return the numbers in the pictures of camera `front` that a player of this playlist shows."""
    names = [line for line in playlist.splitlines() if line.endswith(".m4s") and not line.startswith("#")]
    header = init_bytes(store, "front", f"init_{names[0]}")
    shown = []
    for name in names:
        with av.open(BytesIO(header + segment_bytes(store, "front", name))) as container:
            shown += [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    return shown
