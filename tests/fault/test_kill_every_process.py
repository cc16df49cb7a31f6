"""kill -9 of every process in turn while cameras run: what is lost, and whether the invariants hold afterwards."""

import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import aiohttp
import psutil
import pytest
from tests.support.backends import SERVICES, leftovers_adopted, service_process
from tests.support.squares import render_walks

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.core.errors import HubUnavailableError
from marengocam.db.hub import open_hub
from marengocam.db.tracks import TrackFilter
from marengocam.demo.backend import start_backend
from marengocam.demo.processes import stop_child
from marengocam.demo.rtsp import RtspServer
from marengocam.media.store import Store
from marengocam.settings import load_settings

EVERYTHING = "everything"
STEADY_S = 8.0
PAGE = 500
LOST_LIMIT_S = 12.0  # of video per kill of ingest: a fragment, the restart, the camera's next keyframe, a busy machine
ROUNDS = int(os.environ.get("MARENGOCAM_KILL_ROUNDS", "1"))  # of every service; 17 and more are the long mode
ROUND_LIMIT_S = 120
RUN_LIMIT_S = 160 + ROUND_LIMIT_S * ROUNDS


def postmaster(data: Path) -> psutil.Process:
    return psutil.Process(int((data / "backend/postgres/postmaster.pid").read_text().split()[0]))


async def living(parent: psutil.Process, name: str) -> psutil.Process:
    """Return a service's process, once the supervisor has started it again."""
    async with asyncio.timeout(30):
        while True:
            with suppress(LookupError):
                return service_process(parent, name)
            await asyncio.sleep(0.05)


async def restarted(parent: psutil.Process, name: str, old_pid: int) -> float:
    clock = SystemClock()
    start_s = clock.monotonic_s()
    async with asyncio.timeout(30):
        while True:
            with suppress(LookupError):
                if service_process(parent, name).pid != old_pid:
                    return clock.monotonic_s() - start_s
            await asyncio.sleep(0.05)


async def recorded(hub, camera_id, count):
    """Wait until a camera has so many indexed chunks; return all, by camera."""
    async with asyncio.timeout(60):
        while True:
            with suppress(HubUnavailableError):  # the database was killed, and comes back
                found = await all_chunks(hub)
                chunks = {name: [chunk for chunk in found if chunk.camera_id == name] for name in ("a", "b")}
                if len(chunks[camera_id]) >= count:
                    return chunks
            await asyncio.sleep(0.2)


async def all_chunks(hub):
    found, after = [], ""
    while page := await hub.chunks.page(after, PAGE):
        found += [chunk for chunk, _ in page]
        after = str(page[-1][0].path)
    return found


def gaps_after(kills, chunks):
    """Return the longest gap after each kind of kill: who was killed last before the recording went on."""
    longest = {}
    ordered = sorted(chunks, key=lambda chunk: chunk.started_at)
    for before, after in pairwise(ordered):
        lost_s = (after.started_at - before.ended_at).total_seconds()
        name = [name for name, at in kills if at <= after.started_at][-1:] or ["nothing"]
        longest[name[0]] = max(lost_s, longest.get(name[0], 0.0))
    return longest


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_no_kill_breaks_an_invariant_or_costs_more_than_seconds(short_data_folder, record_property):
    data = short_data_folder
    data.chmod(0o755)
    clip = render_walks(data / "walks.mp4", 12.0, [1.0, 6.0])
    environment = {"MARENGOCAM_DETECTOR": "hog", "MARENGOCAM_DOWNLOAD_MODELS": "false", "MARENGOCAM_CHUNK_S": "4"}
    result, kills, clock = {"restart_s": {}, "lost_s": {}}, [], SystemClock()
    async with RtspServer({"a": clip, "b": clip}) as cameras, aiohttp.ClientSession() as session:
        backend = await start_backend(data, environment, session)
        try:
            for name in ("a", "b"):
                await backend.call("POST", "/cameras", {"name": name, "main_url": cameras.url(name)})
            settings = load_settings(os.environ | backend.environment)
            async with open_hub(settings, "test") as hub:
                await recorded(hub, "a", 2)
                parent = psutil.Process(backend.child.process.pid)
                for name in SERVICES * ROUNDS:
                    victim = await living(parent, name)
                    kills.append((name, clock.now()))
                    victim.kill()
                    taken_s = await restarted(parent, name, victim.pid)
                    result["restart_s"][name] = round(max(taken_s, result["restart_s"].get(name, 0.0)), 2)
                    await asyncio.sleep(STEADY_S if name == "ingest" else 2)
                kills.append(("database", clock.now()))
                postmaster(data).kill()
                await asyncio.sleep(STEADY_S)
                before = await recorded(hub, "a", 4)
            # Everything at once, as when the power fails; then it starts again.
            kept_log(backend, "before")
            kills.append((EVERYTHING, clock.now()))
            os.kill(backend.child.process.pid, signal.SIGKILL)
            await backend.child.process.wait()
            backend = await start_backend(data, environment, session)
            async with open_hub(load_settings(os.environ | backend.environment), "test") as hub:
                chunks = await recorded(hub, "a", len(before["a"]) + 2)
                chunks = await recorded(hub, "b", len(before["b"]) + 2)
            for name in ("a", "b"):
                for cause, lost_s in gaps_after(kills, chunks[name]).items():
                    result["lost_s"][cause] = round(max(lost_s, result["lost_s"].get(cause, 0.0)), 2)
        finally:
            kept_log(backend, "after")
            await stop_child(backend.child)
        await verified(data, environment, session)
    told = f"{ROUNDS * len(SERVICES)} kills; restarted after at most {max(result['restart_s'].values())} s"
    everything_s = result["lost_s"].pop(EVERYTHING, 0.0)
    gap_s = max(result["lost_s"].values())
    record_property("measured", f"{told}; longest gap {gap_s} s, {everything_s} s when everything was killed at once")
    sys.stderr.write(f"{json.dumps(result)}\n")
    assert gap_s < LOST_LIMIT_S
    assert everything_s < LOST_LIMIT_S


def kept_log(backend, name):
    """Keep what was logged beside the test's other artifacts, where somebody asks for them."""
    artifacts = os.environ.get("MARENGOCAM_ARTIFACTS")
    if artifacts:
        shutil.copy(backend.child.log_file, Path(artifacts) / f"kill_every_process_{name}.log")


async def verified(data, environment, session):
    """Start once more, let leftovers be adopted, verify the invariants."""
    backend = await start_backend(data, environment, session)
    try:
        settings = load_settings(os.environ | backend.environment)
        async with open_hub(settings, "test") as hub:
            await leftovers_adopted(backend)
            findings = await findings_of(hub, Store(settings.media_dir), SystemClock(), deep=True)
            assert {one.name: one.problems for one in findings} == {"I1": [], "I2": [], "I3": []}
            assert all(one.checked for one in findings[:2])
            open_tracks = [row for row in await hub.tracks.list(TrackFilter(), 500) if row.track.open]
            assert len(open_tracks) <= 4, "tracks of killed processes were closed"
    finally:
        await stop_child(backend.child)
