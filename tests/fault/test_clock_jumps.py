"""The wall clock is set an hour forward and an hour back while a camera is recorded: no frame is lost."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import av
import pytest
from tests.support.backends import CLOCK, holds, problems
from tests.support.clips import read_number, write_counter_clip
from tests.support.ingest_service import ingest_here

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.demo.rtsp import RtspServer

FRAMES, FPS, CHUNK_S = 450, 15, 2.0
HOUR = timedelta(hours=1)


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


async def more_than(chunks, count):
    return len(await chunks()) > count


def frames_of(file):
    with av.open(str(file)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
