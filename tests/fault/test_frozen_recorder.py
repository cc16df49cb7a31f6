"""An ingest process that is frozen, as on a host that hangs, is taken over; let go again it disturbs nobody."""

import asyncio
import signal
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.support.backends import CLOCK, holds
from tests.support.ingest_service import end_of, start_ingest
from tests.support.squares import render_walks

from marengocam.core.model import Camera
from marengocam.demo.rtsp import RtspServer

CAMERAS = ("a", "b")
RUN_LIMIT_S = 200
WAIT_S = 60.0
TAKE_OVER_LIMIT_S = 12.0
MERCY = 3.0  # for a machine that other tests keep busy


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_a_frozen_ingest_process_is_taken_over_and_only_it(hub, hub_settings, tmp_path, record_property):
    clip = await asyncio.to_thread(render_walks, tmp_path / "walks.mp4", 8.0, [2.0])
    common = replace(hub_settings, detector="hog", chunk_s=3.0)
    logs = [tmp_path / name for name in ("one.log", "two.log")]
    async with RtspServer(dict.fromkeys(CAMERAS, clip)) as cameras:
        for name in CAMERAS:
            await hub.cameras.add(Camera(name, name, cameras.url(name)))
        # Each with a data folder of its own, as on two hosts: neither can see whether the other's process lives.
        processes = [
            await start_ingest(replace(common, data_dir=tmp_path / log.stem, secret_key_file=None), log) for log in logs
        ]

        async def holders():
            return {one.name.removeprefix("camera:"): one.holder for one in await hub.leases.list()}

        async def shared():
            return len(set((await holders()).values())) == len(processes)

        async def recorded(name, since):
            """Return when the first recording of a camera since then began."""
            found = [one for one, _ in await hub.chunks.page("", 500) if one.camera_id == name]
            return min((one.started_at for one in found if one.started_at > since), default=None)

        try:
            await holds(shared, WAIT_S, 0.2)
            before, shared_at = await holders(), CLOCK.now()
            # Until then, whoever came second waits for a keyframe of the camera it was given.
            await holds(lambda: recorded("b", shared_at), WAIT_S, 0.2)
            victim = next(one for one in processes if f":{one.pid}:" in before["a"])
            frozen_at = CLOCK.now()
            victim.send_signal(signal.SIGSTOP)

            await holds(lambda: recorded("a", frozen_at), WAIT_S, 0.2)
            assert (await holders())["a"] == before["b"]
            lost_s = (await recorded("a", frozen_at) - frozen_at).total_seconds()
            chunks = [one for one, _ in await hub.chunks.page("", 500)]
            victim.send_signal(signal.SIGCONT)
            await holds(shared, WAIT_S, 0.2)
        finally:
            for process in processes:
                process.send_signal(signal.SIGCONT)
            await asyncio.gather(*(end_of(process) for process in processes))
    others = [one for one in chunks if one.camera_id == "b" and one.started_at > shared_at]
    others.sort(key=lambda one: one.started_at)
    gap_s = max((after.started_at - before.ended_at).total_seconds() for before, after in pairwise(others))
    said = "".join(log.read_text() for log in logs)
    record_property("measured", f"{lost_s:.1f} s of video lost")
    assert said.count("a is served by another process now") <= 1, "the frozen one learns of it, once"
    assert gap_s < 1.0, "the other one's cameras go on"
    assert lost_s < TAKE_OVER_LIMIT_S * MERCY
