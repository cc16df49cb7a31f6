"""Streams that are odd in one way: no keyframe for a minute, clocks that jump in mid-group, sizes that are lies."""

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import av
import psutil
import pytest
from tests.integration.media.test_recording_a_camera import numbers, record
from tests.support import bad_cameras as bad
from tests.support.clips import counter_picture, write_counter_clip, write_h265_clip
from tests.support.shared_assets import needed_folder

from marengocam.core.clock import SystemClock
from marengocam.demo.rtsp import RtspServer
from marengocam.demo.rtsp.clip import H264, Clip
from marengocam.ingest.decode_queue import MAX_PACKETS, DecodeQueue, QueuedPacket
from marengocam.ingest.decoding import SessionDecoder
from marengocam.media.chunk_writer import FRAGMENT_S, ChunkWriter
from marengocam.media.mp4.fragments import read_index
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader

FPS = 15
MINUTE_S = 60
REORDERED = timedelta(seconds=2 / FPS)  # a keyframe that claims to be shown before its neighbours
ROUNDED = timedelta(milliseconds=2)  # names keep milliseconds, durations are whole ticks: one each
MEMORY_GROWTH_LIMIT_BYTES = 64 * 2**20  # while a picture claims 12,288 x 12,288 pixels: one would be 226 MB


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_counter_clip(tmp_path_factory.mktemp("clip") / "counter.mp4", frames=300)


def write_minute_with_one_keyframe(file):
    with av.open(str(file), "w", format="mp4") as container:
        options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "keyint=infinite:scenecut=0:bframes=0"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuv420p"
        for number in range(MINUTE_S * FPS):
            frame = av.VideoFrame.from_ndarray(counter_picture(number, 192, 96), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def test_without_a_keyframe_for_a_minute_the_recording_grows_by_the_second_and_the_queue_does_not(tmp_path):
    source, store, queue = (
        write_minute_with_one_keyframe(tmp_path / "minute.mp4"),
        Store(tmp_path / "media"),
        DecodeQueue(),
    )
    store.prepare()
    with StreamReader(f"file://{source}", StreamOptions(), SystemClock(), datetime(2026, 1, 1, tzinfo=UTC)) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 10.0)
        for packet in reader:
            assert writer.write(packet) is None, "a chunk cannot begin without a keyframe"
            queue.offer(QueuedPacket(packet, 1, reader.info, reader.video))
            assert len(queue) <= MAX_PACKETS
        (growing,) = store.recordings("front")
        on_disk = read_index(growing)
        chunk = writer.close()
    assert on_disk.duration_s > MINUTE_S - 2 * FRAGMENT_S
    assert max(fragment.duration_s for fragment in on_disk.fragments) <= FRAGMENT_S + 2 / FPS
    assert numbers(store.resolve(chunk.path)) == list(range(MINUTE_S * FPS))
    assert queue.lost > 0


class WithoutSets(Clip):
    """A clip whose parameters stand in front of its keyframes only, as with many cameras."""

    @property
    def sdp_media(self):
        return f"a=rtpmap:96 {'H264' if self.codec == H264 else 'H265'}/90000\r\na=fmtp:96 packetization-mode=1\r\n"


@pytest.mark.parametrize("write", [write_counter_clip, write_h265_clip], ids=["h264", "hevc"])
async def test_a_camera_that_tells_its_size_at_its_seldom_keyframes_is_recorded_from_the_first(tmp_path, write):
    group_s = 8.0  # longer than a stream may take to open
    plain = bad.load(await asyncio.to_thread(write, tmp_path / "clip.mp4", 30))
    clip = bad.with_one_keyframe(plain, group_s)
    late = WithoutSets(clip.codec, clip.units, clip.duration_s)
    async with bad.clips_served({"front": late}, tmp_path / "clip.mp4") as server:
        await asyncio.sleep(1.0)  # the first keyframe is past
        (chunk,), written = await asyncio.to_thread(record, server.url("front"), tmp_path, 1.5 * group_s, 100.0)
    assert (chunk.codec, chunk.width_px, chunk.height_px) == (clip.codec, 192, 96)
    with av.open(str(tmp_path / chunk.path)) as container:
        assert sum(1 for packet in container.demux(video=0) if packet.size) == written > group_s / 4 * FPS
    assert numbers(tmp_path / chunk.path)[0] == 0, "the keyframe"


@pytest.mark.parametrize("jump_s", [100.0, -100.0])
async def test_a_clock_that_jumps_between_keyframes_costs_no_picture(clip, tmp_path, jump_s):
    at_s = 5.5  # keyframes are at the full seconds
    odd = bad.with_times(bad.load(clip), lambda second: 200 + second + (jump_s if second > at_s else 0.0))
    async with bad.clips_served({"front": odd}, clip) as server:
        chunks, written = await asyncio.to_thread(record, server.url("front"), tmp_path, 9, 100.0)
    assert len(chunks) == 2
    seen = [number for chunk in chunks for number in numbers(tmp_path / chunk.path)]
    assert len(seen) == written
    assert seen == list(range(seen[0], seen[0] + written))
    assert abs((chunks[1].started_at - chunks[0].ended_at).total_seconds()) < 0.2


async def test_a_clock_that_wraps_is_not_seen_at_all(clip, tmp_path):
    wrapping = bad.with_times(bad.load(clip), lambda second: second + bad.RTP_WRAP_S - 4)
    async with bad.clips_served({"front": wrapping}, clip) as server:
        (chunk,), written = await asyncio.to_thread(record, server.url("front"), tmp_path, 8, 100.0)
    seen = numbers(tmp_path / chunk.path)
    assert seen == list(range(seen[0], seen[0] + written))
    assert chunk.duration_s == pytest.approx(written / FPS, abs=0.1)


async def test_the_irregular_clock_of_a_real_camera_is_recorded_picture_by_picture(clip, tmp_path):
    footage = needed_folder("footage") / "night_ir_person_hevc_original.mp4"
    if not footage.is_file():
        pytest.skip(f"{footage.name} is not there")
    async with RtspServer({"front": footage}) as server:
        chunks, written = await asyncio.to_thread(record, server.url("front"), tmp_path, 10, 4.0)
    decoded = 0
    for chunk in chunks:
        with av.open(str(tmp_path / chunk.path)) as container:
            decoded += sum(1 for _ in container.decode(video=0))
    assert decoded == written > 0
    assert all(
        abs((after.started_at - before.ended_at).total_seconds()) < 0.5 for before, after in itertools.pairwise(chunks)
    )


async def test_chunks_of_a_stream_that_claims_to_reorder_its_pictures_do_not_overlap(clip, tmp_path):
    flipped = bad.flipped(bad.load(clip), 1000, seed=1)  # among others, the counts of pictures to reorder
    async with bad.clips_served({"front": flipped}, clip) as server:
        chunks, _ = await asyncio.to_thread(record, server.url("front"), tmp_path, 10, 4.0)
    assert len(chunks) >= 5, "parameters changed"
    assert all(
        before.ended_at <= after.started_at + REORDERED + ROUNDED for before, after in itertools.pairwise(chunks)
    )


async def test_a_size_that_grows_into_a_lie_while_it_streams_makes_nobody_fetch_the_memory(clip, tmp_path):
    plain = bad.load(clip)
    begin = bad.shortened(plain, 3.0)
    decoder, process = SessionDecoder(), psutil.Process()
    async with bad.clips_served({"front": begin}, clip) as server:
        server.mounts["front"].change(bad.claiming(plain, 12_288, 12_288))

        def read():
            before_bytes, damaged, changes = process.memory_info().rss, 0, 0
            with StreamReader(server.url("front"), StreamOptions(), SystemClock()) as reader:
                for number, packet in enumerate(reader):
                    changes += packet.changed is not None
                    list(decoder.frames(QueuedPacket(packet, 1 + changes, reader.info, reader.video)))
                    if number > 6 * FPS:
                        return changes, decoder.damaged - damaged, process.memory_info().rss - before_bytes
            return None

        changes, damaged, grown_bytes = await asyncio.to_thread(read)
    assert changes == 1
    assert damaged > 0
    assert grown_bytes < MEMORY_GROWTH_LIMIT_BYTES
