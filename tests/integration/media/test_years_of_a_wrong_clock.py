"""What was recorded while the machine's clock was wrong, or is right in another year, is played whole and in order."""

from datetime import UTC, datetime, timedelta

import av
import pytest
from tests.support.clips import read_number, write_counter_clip

from marengocam.core.clock import SystemClock
from marengocam.ingest.frames import luma_of
from marengocam.media.adoption import chunk_of
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.names import RecordingName
from marengocam.media.playlist import LiveView, init_bytes, recording_playlist, segment_bytes
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader

STARTS = (
    datetime(1970, 1, 1, 0, 5, tzinfo=UTC),  # a machine without a clock of its own, before it has asked for the time
    datetime(2023, 5, 1, tzinfo=UTC),  # one that begins with the date of its system's image
    datetime(2025, 12, 31, 23, 59, 57, 123000, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 5, tzinfo=UTC),
    datetime(2106, 2, 7, 6, 28, 13, tzinfo=UTC),
)


@pytest.mark.parametrize("start", STARTS, ids=[str(start.year) for start in STARTS])
def test_a_recording_of_that_time_is_found_by_its_name_and_played_frame_by_frame(tmp_path, start):
    clip = write_counter_clip(tmp_path / "clip.mp4", 60)
    store, chunks = Store(tmp_path / "media"), []
    with StreamReader(f"file://{clip}", StreamOptions(), SystemClock(), start) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 2.0)
        chunks = [chunk for packet in reader if (chunk := writer.write(packet)) is not None]
        chunks.append(writer.close())
    assert len(chunks) > 1
    for chunk in chunks:
        assert RecordingName.from_path(chunk.path).path == chunk.path
        assert chunk_of(store, store.resolve(chunk.path)).started_at == chunk.started_at
    end = chunks[-1].ended_at + timedelta(seconds=1)
    text = recording_playlist(store, chunks, start, end, lambda name: name)
    names = [line for line in text.splitlines() if line.endswith(".m4s")]
    content = init_bytes(store, "front", names[0]) + b"".join(segment_bytes(store, "front", name) for name in names)
    (tmp_path / "played.mp4").write_bytes(content)
    with av.open(str(tmp_path / "played.mp4")) as container:
        assert [read_number(luma_of(frame)) for frame in container.decode(video=0)] == list(range(60))
    live = LiveView(store, "front").playlist(lambda name: name, end).text
    (sequence,) = [line.partition(":")[2] for line in live.splitlines() if line.startswith("#EXT-X-MEDIA-SEQUENCE")]
    assert sequence.isdecimal(), "a player knows no negative number"
