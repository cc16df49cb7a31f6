"""The wall clock is set forward and back while a camera is recorded: no frame is lost, nor out of order."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import av
import pytest
from tests.support.backends import CLOCK, holds, problems
from tests.support.clips import read_number, write_counter_clip
from tests.support.ingest_service import ingest_here
from tests.support.recordings import numbers_played

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.demo.rtsp import RtspServer
from marengocam.media.export import export
from marengocam.media.playlist import recording_playlist
from marengocam.media.runs import recordings_in
from marengocam.media.store import Store

FRAMES, FPS, CHUNK_S = 450, 15, 2.0
HOUR = timedelta(hours=1)
SET_BACK = timedelta(seconds=7)


class SetClock(SystemClock):
    """The machine's clock, set by a test."""

    shift = timedelta(0)

    def now(self):
        return super().now() + self.shift


@pytest.mark.timeout(150)
async def test_a_wall_clock_that_is_set_loses_no_frame_and_breaks_nothing(hub, hub_settings, tmp_path, record_property):
    clip = await asyncio.to_thread(write_counter_clip, tmp_path / "counter.mp4", FRAMES, FPS)
    settings, clock = replace(hub_settings, chunk_s=CHUNK_S, detector="hog", face_url="off"), SetClock()

    async def chunks():
        now = CLOCK.now()
        return await hub.chunks.span("front", now - timedelta(hours=3), now + timedelta(hours=3))

    async with RtspServer({"front": clip}) as cameras:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        async with ingest_here(hub, settings, clock):
            for shift in (timedelta(0), HOUR, timedelta(0), -HOUR):
                clock.shift = shift
                before = len(await chunks())
                await holds(lambda before=before: more_than(chunks, before + 1), 60, 0.2)
    assert await problems(hub, settings, deep=True) == {}
    ordered = sorted(await chunks(), key=lambda chunk: (settings.media_dir / chunk.path).stat().st_mtime)
    numbers = [number for chunk in ordered for number in frames_of(settings.media_dir / chunk.path)]
    lost = sum((after - before - 1) % FRAMES for before, after in pairwise(numbers))
    record_property("measured", f"{len(numbers)} frames in {len(ordered)} files over three jumps, {lost} lost")
    assert lost == 0


@pytest.mark.timeout(150)
async def test_what_is_dated_twice_by_a_clock_set_back_is_exported_and_played_as_it_was_recorded(
    hub, hub_settings, tmp_path, record_property
):
    clip = await asyncio.to_thread(write_counter_clip, tmp_path / "counter.mp4", FRAMES, FPS)
    settings, clock = replace(hub_settings, chunk_s=CHUNK_S, detector="hog", face_url="off"), SetClock()
    store = Store(settings.media_dir)

    async def chunks():
        now = CLOCK.now()
        return await hub.chunks.span("front", now - timedelta(minutes=5), now + timedelta(minutes=5))

    async with RtspServer({"front": clip}) as cameras:
        await hub.cameras.add(Camera("front", "Front", cameras.url("front"), detect=False))
        async with ingest_here(hub, settings, clock):
            await holds(lambda: more_than(chunks, 6), 60, 0.2)
            clock.shift = -SET_BACK
            await holds(lambda: more_than(chunks, 14), 60, 0.2)
    assert await problems(hub, settings, deep=True) == {}
    kept = await chunks()
    from_at, to_at = kept[0].started_at, max(chunk.ended_at for chunk in kept)
    assert await hub.history.gaps("front", from_at, to_at, chunk_s=CHUNK_S, over=True) == []
    files = recordings_in(store, "front", from_at, to_at)
    assert sorted(files) == sorted(store.resolve(chunk.path) for chunk in kept)
    done = await asyncio.to_thread(export, store, files, from_at, to_at, tmp_path / "out.mp4")
    exported = frames_of(done.file)
    text = recording_playlist(store, kept, from_at, to_at, str)
    played = numbers_played(store, text)
    assert len(exported) == len(played) == sum(len(frames_of(store.resolve(chunk.path))) for chunk in kept)
    assert [(after - before) % FRAMES for before, after in pairwise(exported)] == [1] * (len(exported) - 1)
    assert played == exported
    ((twice_from, twice_to),) = done.twice
    assert abs((twice_to - twice_from) - SET_BACK) < timedelta(seconds=1)
    with av.open(str(done.file)) as container:
        length_s = float(container.streams.video[0].duration * container.streams.video[0].time_base)
    assert length_s == pytest.approx(len(exported) / FPS, abs=1)
    record_property(
        "measured", f"{len(exported)} frames of {length_s:.0f} s in order, {SET_BACK.seconds} s of them twice"
    )


async def more_than(chunks, count):
    return len(await chunks()) > count


def frames_of(file):
    with av.open(str(file)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
