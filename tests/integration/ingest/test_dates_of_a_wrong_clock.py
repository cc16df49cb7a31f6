"""What was recorded by a wrong clock and left behind by a kill is finished and indexed once the clock is right."""

import asyncio
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from tests.support.backends import problems
from tests.support.clips import write_counter_clip
from tests.support.ingest_service import end_of, environment_of, start_ingest, until

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp.server import RtspServer
from marengocam.media.adoption import whole_part
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.store import Store
from marengocam.settings import Settings

TAKE_OVER_LIMIT_S = 60.0
WRONG_CLOCK = """
import sys
from datetime import timedelta
from marengocam.core.clock import SystemClock
right, off = SystemClock.now, timedelta(seconds=float(sys.argv.pop()))
SystemClock.now = lambda self: right(self) + off
from marengocam.cli.main import main
raise SystemExit(main())
"""
NOW = SystemClock().now()
OFF = {
    "an hour ahead": timedelta(hours=1),
    "weeks ahead": timedelta(days=40),
    "years ahead": timedelta(days=4000),
    "1970": timedelta(seconds=300 - NOW.timestamp()),
}


async def start_with_clock_off(settings: Settings, log: Path, off: timedelta) -> asyncio.subprocess.Process:
    command = (sys.executable, "-c", WRONG_CLOCK, "ingest", str(off.total_seconds()))
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, env=os.environ | environment_of(settings), stdout=output, stderr=output
        )


@pytest.mark.parametrize("off", OFF.values(), ids=OFF.keys())
async def test_files_of_another_date_are_adopted_and_indexed(
    hub: Hub, hub_settings: Settings, tmp_path: Path, off: timedelta
) -> None:
    settings = replace(hub_settings, detector="hog", chunk_s=2.0)
    store, log = Store(settings.media_dir), tmp_path / "ingest.log"
    clip = write_counter_clip(tmp_path / "counter.mp4", 300)
    async with RtspServer({"front": clip}) as server:
        await hub.cameras.add(Camera("front", "Front", server.url("front"), detect=False))
        wrong = await start_with_clock_off(settings, log, off)

        async def has_recorded() -> bool:
            files = store.recordings("front")
            return len(files) > 2 and files[-1].name.endswith(GROWING_SUFFIX) and whole_part(files[-1]) is not None

        try:
            await until(has_recorded)
        finally:
            wrong.kill()
            await wrong.wait()
        left = {str(store.relative(file)).removesuffix(".part") for file in store.recordings("front")}
        connection = await asyncpg.connect(settings.database_url.reveal())
        try:  # as if the hub had gone with the machine
            await connection.execute("DELETE FROM chunk")
        finally:
            await connection.close()
        right = await start_ingest(settings, log)
        try:

            async def indexed() -> bool:
                return left <= {str(chunk.path) for chunk, _ in await hub.chunks.page("", 100)}

            await until(indexed, TAKE_OVER_LIMIT_S)
        finally:
            status = await end_of(right)
    assert status == 0
    assert await problems(hub, settings, deep=True) == {}
