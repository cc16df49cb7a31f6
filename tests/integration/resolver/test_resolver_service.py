"""The resolver as a process: woken, drained, killed."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from dataclasses import replace

import asyncpg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from tests.support.ports import free_port
from tests.support.resolver_scenes import track

from marengocam.core.clock import SystemClock
from marengocam.core.model import EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.resolver.service import ResolverService
from marengocam.resolver.turn import take_turn
from marengocam.runtime.bus import Bus
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.watchdog import Watchdog
from marengocam.settings import Settings

SAID_LIMIT_S = 40.0
TRACKS = 120


async def fence(hub: Hub, camera: str = "front") -> dict[str, int]:
    lease = await hub.leases.acquire(f"camera:{camera}", "test", 600)
    return {camera: lease.fence}


async def until(condition, limit_s: float = SAID_LIMIT_S) -> None:
    async with asyncio.timeout(limit_s):
        while not await condition():
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def serving(hub: Hub, settings: Settings):
    clock = SystemClock()
    async with Bus(hub).running() as bus:
        context = ServiceContext(
            settings=settings,
            clock=clock,
            hub=hub,
            bus=bus,
            stopping=asyncio.Event(),
            service="resolver",
            instance="test",
            started_at=clock.now(),
            metrics=CollectorRegistry(),
            watchdog=Watchdog(clock),
        )
        service = ResolverService()
        job = asyncio.create_task(service.run(context))
        try:
            yield service, context
        finally:
            context.stopping.set()
            async with asyncio.timeout(SAID_LIMIT_S):
                await job


async def test_a_saved_track_wakes_the_resolver_and_stopping_ends_it(hub: Hub, hub_settings: Settings) -> None:
    fences = await fence(hub)
    async with serving(hub, hub_settings) as (service, context):
        await hub.tracks.save([track("walk", end_s=3)], fences)

        async def said() -> bool:
            return await hub.events.last_number() == 2

        await until(said)
        assert service.health().status == "ok"
        page = generate_latest(context.metrics).decode()
        assert 'marengocam_resolver_decisions_total{outcome="unknown"} 1.0' in page
        assert 'marengocam_resolver_events_total{type="person_detected"} 1.0' in page


async def test_how_sure_it_must_be_is_taken_from_its_owner_s_wish(
    hub: Hub, hub_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    taken = take_turn

    async def spied(resolution, graph, confirm_probability, clock, metrics):
        asked.append(confirm_probability)
        return await taken(resolution, graph, confirm_probability, clock, metrics)

    monkeypatch.setattr("marengocam.resolver.service.take_turn", spied)
    monkeypatch.setattr("marengocam.resolver.service.WISHES_EVERY_S", 0.1)
    monkeypatch.setattr("marengocam.resolver.service.POLL_S", 0.1)
    async with serving(hub, hub_settings):

        async def is_asked_with(probability: float) -> None:
            async def seen() -> bool:
                return bool(asked) and asked[-1] == probability

            await until(seen)

        await is_asked_with(hub_settings.confirm_probability)
        await hub.preferences.change(confirm_probability=0.7)
        await is_asked_with(0.7)
        await hub.preferences.change(confirm_probability=None)
        await is_asked_with(hub_settings.confirm_probability)


async def test_a_database_that_refuses_degrades_and_heals(hub: Hub, hub_settings: Settings) -> None:
    fences = await fence(hub)
    async with hub.database.connection() as connection:
        await connection.execute("ALTER TABLE assignment RENAME TO assignment_away")
    async with serving(hub, hub_settings) as (service, _):
        await hub.tracks.save([track("walk", end_s=3)], fences)

        async def degraded() -> bool:
            return service.health().status == "degraded"

        await until(degraded)
        async with hub.database.connection() as connection:
            await connection.execute("ALTER TABLE assignment_away RENAME TO assignment")

        async def healed() -> bool:
            return service.health().status == "ok" and await hub.events.last_number() == 2

        await until(healed)


async def _start(settings: Settings) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "MARENGOCAM_DATA_DIR": str(settings.data_dir),
        "MARENGOCAM_MEDIA_DIR": str(settings.media_dir),
        "MARENGOCAM_DATABASE_URL": settings.database_url.reveal(),
        "MARENGOCAM_RESOLVER_HEALTH_PORT": str(free_port()),
    }
    command = (sys.executable, "-m", "marengocam.cli", "resolver")
    return await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.DEVNULL)


@contextlib.asynccontextmanager
async def held(settings: Settings, one: LocalTrack):
    """Keep a track from being decided while the block runs."""
    connection = await asyncpg.connect(settings.database_url.reveal(), timeout=SAID_LIMIT_S)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM local_track WHERE local_track_id = $1 FOR UPDATE", one.local_track_id)
            yield
    finally:
        await connection.close(timeout=SAID_LIMIT_S)


async def test_a_resolver_killed_in_mid_work_is_taken_over_without_loss_or_repetition(
    hub: Hub, hub_settings: Settings
) -> None:
    fences = await fence(hub)
    tracks = [track(f"walk{n}", start_s=n * 10, end_s=n * 10 + 3, open_=False) for n in range(TRACKS)]
    await hub.tracks.save([replace(one, face=None) for one in tracks], fences)
    async with held(hub_settings, tracks[-1]):  # so that there is work left, however late it is killed
        first = await _start(hub_settings)

        async def under_way() -> bool:
            return await hub.events.last_number() >= 10

        await until(under_way)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    assert await hub.resolution.backlog() > 0
    second = await _start(hub_settings)
    try:

        async def done() -> bool:
            return await hub.resolution.backlog() == 0

        await until(done, 60)
    finally:
        second.send_signal(signal.SIGTERM)
        async with asyncio.timeout(SAID_LIMIT_S):
            assert await second.wait() == 0
    events = await hub.events.after(0, 1000)
    said = Counter((event.local_track_id, event.type) for event in events)
    assert set(said.values()) == {1}
    kinds = Counter(event.type for event in events)
    assert kinds == {EventType.PERSON_DETECTED: TRACKS, EventType.PERSON_UNKNOWN: TRACKS}


@pytest.fixture(autouse=True)
def _no_own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MARENGOCAM_OPTIONS_FILE", raising=False)
