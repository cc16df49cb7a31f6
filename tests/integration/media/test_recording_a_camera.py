"""A real RTSP camera recorded, interrupted, adopted and played."""

import asyncio
import fcntl
import itertools
import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.clips import read_number, write_counter_clip

from marengocam.core.clock import SystemClock
from marengocam.core.errors import MediaError, NotFoundError, StoreError
from marengocam.core.secret import Secret
from marengocam.demo.rtsp import RtspServer
from marengocam.media.adoption import adopt_partials, chunk_of
from marengocam.media.chunk_writer import FRAGMENT_S, ChunkWriter
from marengocam.media.faults import Fault, StreamError
from marengocam.media.mp4.fragments import read_index
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.playlist import LiveView, init_bytes, recording_playlist, segment_bytes
from marengocam.media.store import Store, claimed
from marengocam.media.stream import StreamOptions, StreamReader

CHUNK_S = 2.0
WAIT_LIMIT_S = 30.0
RECORDER = """
import sys
from pathlib import Path
from tests.integration.media.test_recording_a_camera import record
record(sys.argv[1], Path(sys.argv[2]), 60, 100.0)
"""


def record(url, root, seconds_s, chunk_s=CHUNK_S, options=None):
    """Record a camera; return its chunks and how many packets were written."""
    store = Store(root)
    store.prepare()
    clock = SystemClock()
    end_s = clock.monotonic_s() + seconds_s
    chunks, packets = [], 0
    with StreamReader(url, options or StreamOptions(), clock) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, chunk_s)
        try:
            for packet in reader:
                packets += 1
                chunks.append(writer.write(packet))
                if clock.monotonic_s() > end_s:
                    break
        finally:
            chunks.append(writer.close())
    return [chunk for chunk in chunks if chunk], packets - writer.dropped


def numbers(file):
    with av.open(str(file)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_counter_clip(tmp_path_factory.mktemp("clip") / "counter.mp4", frames=300)


async def test_chunks_follow_each_other_without_losing_a_frame(clip, tmp_path):
    async with RtspServer({"front": clip}) as server:
        chunks, written = await asyncio.to_thread(record, server.url("front"), tmp_path, 7)
    assert len(chunks) >= 3
    seen = [number for chunk in chunks for number in numbers(tmp_path / chunk.path)]
    assert len(seen) == written
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    for before, after in itertools.pairwise(chunks):
        assert abs(after.started_at - before.ended_at) < timedelta(milliseconds=80)
    for chunk in chunks:
        assert (tmp_path / chunk.path).stat().st_size == chunk.size_bytes
        again = chunk_of(Store(tmp_path), tmp_path / chunk.path)
        assert (again.chunk_id, again.started_at) == (chunk.chunk_id, chunk.started_at)
        assert again.duration_s == pytest.approx(chunk.duration_s, abs=0.15)


async def test_a_killed_recorder_loses_at_most_the_last_fragment(clip, tmp_path):
    async with RtspServer({"front": clip}) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RECORDER, server.url("front"), str(tmp_path),
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        store = Store(tmp_path)
        async with asyncio.timeout(WAIT_LIMIT_S):
            while (on_disk_s := _on_disk_s(store)) < 3 * FRAGMENT_S:
                await asyncio.sleep(0.1)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
    growing = store.recordings("front")
    assert [file.name.endswith(GROWING_SUFFIX) for file in growing] == [True]
    adopted = await asyncio.to_thread(adopt_partials, store, "front")
    assert len(adopted) == 1
    seen = numbers(tmp_path / adopted[0].path)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    assert len(seen) >= round(15 * on_disk_s), "what was seen on the disk before it was killed is all there"
    assert adopt_partials(store, "front") == []


def _on_disk_s(store):
    """Return how much of the growing recording is on the disk."""
    with suppress(MediaError, OSError):
        return sum(read_index(file).duration_s for file in store.recordings("front"))
    return 0.0


def test_a_growing_file_of_a_living_recorder_is_left_alone_and_rubbish_removed(clip, tmp_path):
    store = Store(tmp_path)
    chunks, _ = [], 0
    with StreamReader(f"file://{clip}", StreamOptions(), SystemClock(), SystemClock().now()) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 100)
        for number, packet in enumerate(reader):
            writer.write(packet)
            if number == 40:
                break
        growing = store.recordings("front")[0]
        empty = growing.with_name(growing.name.replace("Z_0", "Z_1"))
        empty.write_bytes(b"no video at all")
        assert adopt_partials(store, "front") == []
        assert growing.exists()
        assert not empty.exists()
        chunks.append(writer.close())
    assert numbers(tmp_path / chunks[0].path) == list(range(41))


async def test_live_view_and_recording_play_on_one_time_line(clip, tmp_path):
    store = Store(tmp_path)
    async with RtspServer({"front": clip}) as server:
        recording = asyncio.create_task(asyncio.to_thread(record, server.url("front"), tmp_path, 9))
        view = LiveView(store, "front")

        async def playlist(segments, after=0):
            """Return a live playlist of so many segments that begins after the one of this number."""
            async with asyncio.timeout(WAIT_LIMIT_S):
                while True:
                    with suppress(NotFoundError):
                        text = view.playlist(lambda name: name, SystemClock().now()).text
                        if len(_segments(text)) >= segments and _first_of(text) > after:
                            return text
                    await asyncio.sleep(0.1)

        live = await playlist(3)
        assert "#EXT-X-ENDLIST" not in live
        first = _first_of(live)
        later = await playlist(1, after=first)
        chunks, _ = await recording
    names, later_names = _segments(live), _segments(later)
    assert _first_of(later) - first == later_names.index(names[-1]) * -1 + len(names) - 1
    whole = recording_playlist(store, chunks, chunks[0].started_at, chunks[-1].ended_at, lambda name: name)
    assert whole.count("#EXT-X-MAP") == 1, "one header serves all chunks of a stream"
    played = tmp_path / "played.mp4"
    names = _segments(whole)
    content = init_bytes(store, "front", names[0]) + b"".join(segment_bytes(store, "front", name) for name in names)
    played.write_bytes(content)
    seen = numbers(played)
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    with av.open(str(played)) as container:
        times = [packet.dts for packet in container.demux() if packet.size]
    assert times == sorted(set(times))


def _first_of(playlist):
    return int(playlist.split("#EXT-X-MEDIA-SEQUENCE:")[1].split()[0])


def _segments(playlist):
    return [line for line in playlist.splitlines() if line.endswith(".m4s")]


def test_live_view_shows_the_growing_recording_after_the_machine_s_clock_was_set_back(clip, tmp_path):
    store, clock = Store(tmp_path), SystemClock()
    store.prepare()
    now = datetime(2026, 6, 1, 11, 10, tzinfo=UTC)

    def record_from(at):
        with StreamReader(f"file://{clip}", StreamOptions(), clock, at) as reader:
            writer = ChunkWriter(store, "front", reader.video, reader.info, 100.0)
            for packet in reader:
                writer.write(packet)
        return writer

    for minutes in (-2, 5, 30):  # the later ones from before it was set back
        record_from(now + timedelta(minutes=minutes)).close()
    growing = record_from(now)
    playlist = LiveView(store, "front").playlist(lambda name: name, now + timedelta(seconds=20)).text
    names = [line for line in playlist.splitlines() if line.endswith(".m4s")]
    assert {name.partition("_")[0] for name in names} == {"20260601T111000.000Z"}
    growing.close()


async def test_a_password_opens_the_camera_and_a_wrong_one_is_told_without_showing_it(clip, tmp_path):
    async with RtspServer({"front": clip}, credentials=("owner", "p@ss:w/rd")) as server:
        right = StreamOptions("owner", Secret("p@ss:w/rd"))
        chunks, _ = await asyncio.to_thread(record, server.url("front"), tmp_path, 3, CHUNK_S, right)
        assert chunks
        for options in (StreamOptions(), StreamOptions("owner", Secret("wr0ngpass"))):
            with pytest.raises(StreamError) as caught:
                await asyncio.to_thread(record, server.url("front"), tmp_path, 1, CHUNK_S, options)
            assert caught.value.kind is Fault.AUTH
            assert "wr0ngpass" not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_camera_that_falls_silent_is_noticed(clip, tmp_path):
    async with RtspServer({"front": clip}) as server:

        async def silence():
            async with asyncio.timeout(WAIT_LIMIT_S):
                while not Store(tmp_path).recordings("front"):
                    await asyncio.sleep(0.1)
            server.mounts["front"].stalled = True

        silencing = asyncio.create_task(silence())
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(
                record, server.url("front"), tmp_path, 60, CHUNK_S, StreamOptions(stall_timeout_s=2)
            )
        await silencing
        assert caught.value.kind is Fault.STALLED
        assert all(not file.name.endswith(GROWING_SUFFIX) for file in Store(tmp_path).recordings("front"))


async def _html(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    page = b"<html>hello</html>" * 50
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n"
    writer.write(head.encode() + page)
    await writer.drain()
    writer.close()


async def test_every_wrong_address_has_its_own_sentence(clip, tmp_path):
    text = tmp_path / "letter.mp4"
    text.write_text("Dear reader")
    web = await asyncio.start_server(_html, "127.0.0.1", 0)
    port = web.sockets[0].getsockname()[1]
    async with RtspServer({"front": clip}) as server, web:
        wanted = {
            "rtsp://127.0.0.1:1/x": Fault.REFUSED,
            server.url("nothing"): Fault.NOT_FOUND,
            f"file://{text}": Fault.NOT_VIDEO,
            f"http://127.0.0.1:{port}/": Fault.NOT_VIDEO,
            "gopher://x/y": Fault.NOT_VIDEO,
        }
        for url, kind in wanted.items():
            with pytest.raises(StreamError) as caught:
                await asyncio.to_thread(record, url, tmp_path / "media", 2)
            assert caught.value.kind is kind, url
            assert len(str(caught.value)) > 30


def test_a_file_that_is_taken_for_a_crash_s_before_it_is_locked_is_not_written_without_its_lock(
    clip, tmp_path, monkeypatch
):
    store, lock = Store(tmp_path), fcntl.flock

    def too_late(file, how):
        Path(file.name).unlink()  # by whoever adopts, who found nothing in it
        lock(file, how)

    with StreamReader(f"file://{clip}", StreamOptions(), SystemClock(), SystemClock().now()) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 100)
        first = next(iter(reader))
        with monkeypatch.context() as patched:
            patched.setattr(fcntl, "flock", too_late)
            with pytest.raises(StoreError, match="cannot be begun"):
                writer.write(first)
        assert store.recordings("front") == []
        writer.write(first)
        with claimed(store.recordings("front")[0]) as ours:
            assert not ours
        writer.close()


def test_any_bytes_are_an_index_or_a_clear_error(clip, tmp_path):
    target = tmp_path / "x.mp4"
    with StreamReader(f"file://{clip}", StreamOptions(), SystemClock(), SystemClock().now()) as reader:
        writer = ChunkWriter(Store(tmp_path), "front", reader.video, reader.info, 100)
        for packet in reader:
            writer.write(packet)
        good = (tmp_path / writer.close().path).read_bytes()

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, len(good) - 1), st.binary(max_size=12), st.booleans())
    def tried(place, noise, cut):
        target.write_bytes(good[:place] + noise + (b"" if cut else good[place + len(noise) :]))
        try:
            index = read_index(target)
        except MediaError:
            return
        assert index.end <= target.stat().st_size

    tried()
