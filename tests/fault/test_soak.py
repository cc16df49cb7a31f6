"""Faults at random for as long as MARENGOCAM_SOAK_S says: calls end in time, memory stays, no invariant is broken."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import aiohttp
import asyncpg
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.backends import (
    CLOCK,
    SERVICES,
    holds,
    leftovers_adopted,
    problems_of,
    service_process,
    settings_of,
)
from tests.support.squares import render_walks

from marengocam.db.embedded.address import database_address
from marengocam.db.embedded.processes import members, send
from marengocam.db.hub import open_hub
from marengocam.demo.backend import start_backend
from marengocam.demo.processes import stop_child
from marengocam.demo.rtsp import RtspServer
from marengocam.runtime.service import endpoint_of

SOAK_S = float(os.environ.get("MARENGOCAM_SOAK_S", "0"))
SEED = int(os.environ.get("MARENGOCAM_SOAK_SEED", "6"))
SHORTEST_S = 60.0
KILLING_SHARE = 1 / 3  # of the time; after it every service lives on, so that what grows can be seen
BETWEEN_S = (5.0, 20.0)  # two faults
STALL_S = 6.0
BACK_LIMIT_S = 60.0  # the supervisor notices a hang within 20 s, waits, and starts again; on a busy machine
SAMPLE_S = 5.0
WARM_UP_S = 180.0  # of a life, before its memory counts
LEAK_FROM_S = 900.0  # shorter runs tell no slope
MEGABYTE = 1e6
HOUR_S = 3600.0
CALL_LIMIT_S = 5.0
MEMORY_LIMIT_MB_H = 100.0
CAMERAS = ("a", "b")
CONNECTIONS = 100

pytestmark = pytest.mark.skipif(SOAK_S < SHORTEST_S, reason="long: set MARENGOCAM_SOAK_S to 1800 for half an hour")


@dataclass
class Watch:
    """What the services said and used, sampled while they ran."""

    calls: dict = field(default_factory=dict)  # by life: how many calls took at most so long
    memory: dict = field(default_factory=lambda: defaultdict(list))  # by life: (second, private bytes)

    def slower_than(self, limit_s):
        return sum(counts[float("inf")] - counts[limit_s] for counts in self.calls.values())

    @property
    def total(self):
        return sum(counts[float("inf")] for counts in self.calls.values())

    @property
    def slowest_within_s(self):
        bounds = sorted(next(iter(self.calls.values())))
        return next(bound for bound in bounds if bound == float("inf") or not self.slower_than(bound))

    def slope_mb_h(self, service):
        """Return how much a service's memory grew an hour, over all its lives, each after its warm-up."""
        over = under = 0.0
        for (name, _), samples in self.memory.items():
            late = [(at_s, used) for at_s, used in samples if at_s >= samples[0][0] + WARM_UP_S]
            if name != service or len(late) < 2:
                continue
            mean_s = sum(at_s for at_s, _ in late) / len(late)
            mean = sum(used for _, used in late) / len(late)
            over += sum((at_s - mean_s) * (used - mean) for at_s, used in late)
            under += sum((at_s - mean_s) ** 2 for at_s, _ in late)
        return round(over / under * HOUR_S / MEGABYTE, 1) if under else None


async def keep_watching(watch, parent, settings, session):
    while True:
        for name in SERVICES:
            with suppress(LookupError, psutil.Error, aiohttp.ClientError, TimeoutError):
                process = service_process(parent, name)
                used = await asyncio.to_thread(process.memory_full_info)
                watch.memory[name, process.pid].append((CLOCK.monotonic_s(), used.uss))
                counts = await calls_of(session, endpoint_of(name, settings).port)
                watch.calls[name, process.pid] = counts
        await asyncio.sleep(SAMPLE_S)


async def calls_of(session, port):
    """Return how many calls to the database took at most so long, by a service's own metrics."""
    limit = aiohttp.ClientTimeout(total=2)
    async with session.get(f"http://127.0.0.1:{port}/metrics", timeout=limit) as answer:
        families = text_string_to_metric_families(await answer.text())
        (calls,) = (one for one in families if one.name == "marengocam_database_call_s")
        return {float(one.labels["le"]): one.value for one in calls.samples if one.name.endswith("_bucket")}


class Faults:
    """What can be done to a running backend."""

    def __init__(self, data, backend, cameras, dice):
        self.parent = psutil.Process(backend.child.process.pid)
        self.cluster = data / "backend/postgres"
        self.address = database_address(settings_of(backend))
        self.cameras = cameras
        self.dice = dice
        self.inside = (self.kill_a_service, self.stop_a_service)
        self.outside = (
            self.kill_the_database,
            self.stop_the_database,
            self.take_all_connections,
            self.cameras_hang_up,
            self.a_camera_stalls,
            self.a_camera_is_busy,
        )

    async def kill_a_service(self):
        await self._end_a_service(signal.SIGKILL)

    async def stop_a_service(self):
        await self._end_a_service(signal.SIGSTOP)

    async def _end_a_service(self, number):
        name = self.dice.choice(SERVICES)
        with suppress(LookupError, psutil.Error):
            process = service_process(self.parent, name)
            process.send_signal(number)
            await holds(lambda: self._is_another(name, process.pid), BACK_LIMIT_S)

    def _is_another(self, name, pid):
        with suppress(LookupError):
            return service_process(self.parent, name).pid != pid
        return False

    async def kill_the_database(self):
        for pid in members(self.cluster):
            send(pid, signal.SIGKILL)

    async def stop_the_database(self):
        stopped = members(self.cluster)
        for pid in stopped:
            send(pid, signal.SIGSTOP)
        await asyncio.sleep(STALL_S)
        for pid in stopped:
            send(pid, signal.SIGCONT)

    async def take_all_connections(self):
        taken = []
        with suppress(asyncpg.PostgresError, OSError):
            for _ in range(CONNECTIONS):
                taken.append(await asyncpg.connect(self.address.reveal(), timeout=2))  # noqa: PERF401 - what was taken before a refusal counts
        await asyncio.sleep(STALL_S)
        for one in taken:
            one.terminate()

    async def cameras_hang_up(self):
        for mount in self.cameras.mounts.values():
            mount.drop_viewers()

    async def a_camera_stalls(self):
        mount = self.cameras.mounts[self.dice.choice(CAMERAS)]
        mount.stalled = True
        await asyncio.sleep(STALL_S)
        mount.stalled = False

    async def a_camera_is_busy(self):
        mount = self.cameras.mounts[self.dice.choice(CAMERAS)]
        mount.refusing = True
        mount.drop_viewers()
        await asyncio.sleep(STALL_S)
        mount.refusing = False


async def at_random(faults, dice):
    """Make one fault after another; return how many of each were made."""
    made, began_s = Counter(), CLOCK.monotonic_s()
    while (passed_s := CLOCK.monotonic_s() - began_s) < SOAK_S:
        kinds = faults.outside if passed_s > SOAK_S * KILLING_SHARE else faults.inside + faults.outside
        fault = dice.choice(kinds)
        made[fault.__name__] += 1
        await fault()
        await asyncio.sleep(dice.uniform(*BETWEEN_S))
    return made


async def recorded_share(settings):
    """Return the share of the time from each camera's first chunk to its last that is recorded, the lowest of all."""
    shares = []
    async with open_hub(settings, "test", 1) as hub:
        chunks, after = [], ""
        while page := await hub.chunks.page(after, 500):
            chunks += [chunk for chunk, _ in page]
            after = str(page[-1][0].path)
    for name in CAMERAS:
        own = sorted((one for one in chunks if one.camera_id == name), key=lambda one: one.started_at)
        lost_s = sum(max(0.0, (b.started_at - a.ended_at).total_seconds()) for a, b in pairwise(own))
        shares.append(1 - lost_s / (own[-1].ended_at - own[0].started_at).total_seconds())
    return min(shares)


@pytest.mark.timeout(SOAK_S + 400)
async def test_random_faults_leave_calls_short_memory_level_and_invariants_whole(short_data_folder, record_property):
    data, dice, watch = short_data_folder, random.Random(SEED), Watch()
    data.chmod(0o755)
    clip = render_walks(data / "walks.mp4", 12.0, [1.0, 6.0])
    environment = {"MARENGOCAM_DETECTOR": "hog", "MARENGOCAM_DOWNLOAD_MODELS": "false"}
    async with AsyncExitStack() as stack:
        cameras = await stack.enter_async_context(RtspServer(dict.fromkeys(CAMERAS, clip)))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        backend = await start_backend(data, environment, session)
        try:
            for name in CAMERAS:
                await backend.call("POST", "/cameras", {"name": name, "main_url": cameras.url(name)})
            faults = Faults(data, backend, cameras, dice)
            watching = asyncio.create_task(keep_watching(watch, faults.parent, settings_of(backend), session))
            made = await at_random(faults, dice)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        finally:
            await stop_child(backend.child)
        backend = await start_backend(data, environment, session)
        try:
            await leftovers_adopted(backend)
            share = await recorded_share(settings_of(backend))
            found = await problems_of(backend, deep=True)
        finally:
            await stop_child(backend.child)
    slopes = {name: watch.slope_mb_h(name) for name in SERVICES}
    grown = ", ".join(f"{name} {slope:+.1f}" for name, slope in slopes.items() if slope is not None)
    told = (
        f"{SOAK_S / 60:.0f} minutes, {made.total()} faults; {watch.total:.0f} calls to the database, none over "
        f"{watch.slowest_within_s:g} s; {share:.1%} of the time recorded; memory in MB an hour: {grown or 'too short'}"
    )
    record_property("measured", told)
    sys.stderr.write(json.dumps({"made": made, "slopes_mb_h": slopes, "told": told}) + "\n")
    if artifacts := os.environ.get("MARENGOCAM_ARTIFACTS"):
        lives = [{"service": name, "pid": pid, "memory": samples} for (name, pid), samples in watch.memory.items()]
        (Path(artifacts) / "soak.json").write_text(json.dumps({"made": made, "lives": lives}))
    assert found == {}
    assert watch.slower_than(CALL_LIMIT_S) == 0
    if SOAK_S >= LEAK_FROM_S:
        assert max(slope for slope in slopes.values() if slope is not None) < MEMORY_LIMIT_MB_H
