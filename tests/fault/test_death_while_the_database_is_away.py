"""An ingest process dies while there is no database: the others record on, and take its cameras once it is back."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.support.backends import CLOCK, holds, problems
from tests.support.ingest_service import end_of, start_ingest
from tests.support.outages import database_away
from tests.support.squares import render_walks

from marengocam.core.model import Camera
from marengocam.demo.rtsp import RtspServer

CAMERAS = ("a", "b", "c")
RUN_LIMIT_S = 200
WAIT_S = 60.0
AWAY_S = 12.0  # longer than a lease
TAKE_OVER_LIMIT_S = 15.0
MERCY = 3.0  # for a machine that other tests keep busy


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_its_cameras_are_taken_over_once_the_database_is_back(hub, hub_settings, tmp_path, record_property):
    clip = await asyncio.to_thread(render_walks, tmp_path / "walks.mp4", 8.0, [2.0])
    common = replace(hub_settings, detector="hog", chunk_s=3.0)
    logs = [tmp_path / f"{name}.log" for name in ("one", "two", "three")]
    async with RtspServer(dict.fromkeys(CAMERAS, clip)) as cameras:
        for name in CAMERAS:
            await hub.cameras.add(Camera(name, name, cameras.url(name)))
        # Each with a data folder of its own, as on as many hosts.
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
            shared_at = CLOCK.now()
            for name in CAMERAS:
                await holds(lambda name=name: recorded(name, shared_at), WAIT_S, 0.2)
            before = await holders()
            victim = next(one for one in processes if f":{one.pid}:" in before["a"])
            async with database_away(hub_settings.database_url):
                await asyncio.sleep(AWAY_S / 2)
                victim.kill()
                await victim.wait()
                await asyncio.sleep(AWAY_S / 2)
            back_at = CLOCK.now()
            await holds(lambda: recorded("a", back_at), WAIT_S, 0.2)
            taken_s = (await recorded("a", back_at) - back_at).total_seconds()
            after = await holders()
        finally:
            await asyncio.gather(*(end_of(one) for one in processes if one.returncode is None))
    assert after["a"] in {before["b"], before["c"]}
    assert (after["b"], after["c"]) == (before["b"], before["c"]), "nobody else's camera changes hands"
    gaps_s = []
    for name in ("b", "c"):
        chunks = [one for one, _ in await hub.chunks.page("", 500) if one.camera_id == name]
        chunks = sorted((one for one in chunks if one.started_at > shared_at), key=lambda one: one.started_at)
        gaps_s += [(later.started_at - one.ended_at).total_seconds() for one, later in pairwise(chunks)]
    record_property(
        "measured", f"taken over {taken_s:.1f} s after the database was back; the others' gap {max(gaps_s):.2f} s"
    )
    assert max(gaps_s) < 0.5, "the others' cameras go on"
    assert taken_s < TAKE_OVER_LIMIT_S * MERCY
    assert await problems(hub, hub_settings, deep=True) == {}
