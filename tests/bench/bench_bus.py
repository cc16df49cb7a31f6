"""Wake-ups by NOTIFY, Redis and polling, alive and dead: latency from commit to reader; and from event to MQTT."""

import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from tests.bench.measuring import Target, arguments_of, at_most, percentile, tell
from tests.integration.automation.conftest import automation
from tests.support.mosquitto import MOSQUITTO, hearing, mosquitto
from tests.support.ports import free_port
from tests.support.redis_server import REDIS, RedisServer

from marengocam.core.clock import SystemClock
from marengocam.core.model import EventType, NewEvent
from marengocam.core.rules.schema import Possible, rule_from
from marengocam.core.secret import Secret
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.hub import Hub, open_hub
from marengocam.db.migrate import migrate_database
from marengocam.runtime.bus import Bus
from marengocam.settings import Settings

WAIT_LIMIT_S = 30.0
PAUSE_S = 0.01  # between events, so that each wakes a reader that rests
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'"
)


def event() -> NewEvent:
    return NewEvent(uuid4(), EventType.PERSON_CONFIRMED, SystemClock().now(), camera_id="yard", person_name="Alice")


async def latencies_ms(settings: Settings, count: int) -> list[float]:
    """Write events one after the other; return how long after its commit each was read."""
    async with open_hub(settings, "writer") as writer, open_hub(settings, "reader") as hub, Bus(hub).running() as bus:
        number = await hub.events.last_number()
        read = asyncio.Event()

        async def follow() -> None:
            nonlocal number
            with bus.subscribed("event") as told:
                while True:
                    found = await hub.events.after(number, 100)
                    if found:
                        number = found[-1].number
                        read.set()
                    else:
                        await told.wait()

        task = asyncio.create_task(follow())
        await asyncio.sleep(1.5)  # until it listens
        taken = []
        for _ in range(count):
            read.clear()
            (written,) = await writer.events.append([event()])
            began_s = time.perf_counter()
            while number < written.number:
                async with asyncio.timeout(WAIT_LIMIT_S):
                    await read.wait()
                read.clear()
            taken.append((time.perf_counter() - began_s) * 1000)
            await asyncio.sleep(PAUSE_S)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return taken


async def notify_dead_ms(settings: Settings, count: int) -> list[float]:
    """The same while every connection that listens is cut as soon as it is made."""
    connection = await asyncpg.connect(settings.database_url.reveal(), timeout=WAIT_LIMIT_S)

    async def cut() -> None:
        while True:
            await connection.execute(CUT)
            await asyncio.sleep(0.002)

    task = asyncio.create_task(cut())
    try:
        return await latencies_ms(settings, count)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        connection.terminate()


async def firing_ms(settings: Settings, hub: Hub, count: int) -> list[float]:
    """Return how long after an event's commit the message of its rule came to another client of the broker."""
    port = free_port()
    action = {"mqtt": {"topic": "home/fired", "payload": "{{ event.number }}"}}
    document = {"name": "bench", "events": ["person_confirmed"], "actions": [action]}
    async with mosquitto(port), automation(hub, settings, port) as (service, context), hearing(port) as heard:
        await hub.rules.put([rule_from(document, uuid4(), context.clock.now(), Possible())])
        while service.health().status != "ok":
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        taken = []
        for number in range(count):
            await hub.events.append([event()])
            began_s = time.perf_counter()
            async with asyncio.timeout(WAIT_LIMIT_S):
                while len(heard.of("home/fired")) <= number:
                    await asyncio.sleep(0.0002)
            taken.append((time.perf_counter() - began_s) * 1000)
            await asyncio.sleep(PAUSE_S)
    return taken


async def dead_broker_ms(settings: Settings, hub: Hub, count: int) -> dict[str, Any]:
    """Return how long an event takes to be written, and from its commit to what its rule tells the hub.

    Both while automation's broker is alive and while it is dead; the rule publishes before it tells.
    """
    actions = [{"mqtt": {"topic": "home/fired"}}, {"home_assistant": {"name": "fired"}}]
    document = {"name": "bench with a broker", "events": ["person_confirmed"], "actions": actions}
    await hub.rules.put([rule_from(document, uuid4(), SystemClock().now(), Possible())])
    figures: dict[str, Any] = {}
    for way in ("alive", "dead"):
        port = free_port()
        async with mosquitto(port) as process, automation(hub, settings, port) as (service, _):
            while service.health().status != "ok":
                await asyncio.sleep(0.05)
            if way == "dead":
                process.kill()
                await process.wait()
                while service.health().status == "ok":
                    await asyncio.sleep(0.05)
            figures[way] = await _writing_and_telling(hub, count)
    return figures


async def _writing_and_telling(hub: Hub, count: int) -> dict[str, Any]:
    written, told = [], []
    for _ in range(count):
        began_s = time.perf_counter()
        (one,) = await hub.events.append([event()])
        committed_s = time.perf_counter()
        written.append((committed_s - began_s) * 1000)
        async with asyncio.timeout(WAIT_LIMIT_S):
            while not any(later.type == EventType.RULE_FIRED for later in await hub.events.after(one.number, 10)):
                await asyncio.sleep(0.001)
        told.append((time.perf_counter() - committed_s) * 1000)
        await asyncio.sleep(PAUSE_S)
    return {"written": _told(written), "rule_told": _told(told)}


def _told(taken: list[float]) -> dict[str, Any]:
    p50, p99 = percentile(taken, 0.5), percentile(taken, 0.99)
    return {"p50_ms": round(p50 or 0, 2), "p99_ms": round(p99 or 0, 2), "events": len(taken)}


def _added(broker: dict[str, Any] | None, what: str) -> float | None:
    return None if broker is None else round(broker["dead"][what]["p50_ms"] - broker["alive"][what]["p50_ms"], 2)


async def measure(settings: Settings, events: int, slow_events: int) -> tuple[dict[str, Any], list[str]]:
    figures: dict[str, Any] = {"notify": _told(await latencies_ms(settings, events))}
    notes = []
    if REDIS is None:
        notes.append("redis-server is not here: Redis is not measured.")
    else:
        server = RedisServer()
        await server.start()
        over_redis = replace(settings, bus_url=Secret(server.url))
        figures["redis"] = _told(await latencies_ms(over_redis, events))
        await server.kill()
        figures["redis_dead"] = _told(await latencies_ms(over_redis, slow_events))
    figures["notify_dead"] = _told(await notify_dead_ms(settings, slow_events))
    figures["poll"] = _told(await latencies_ms(replace(settings, bus_url=Secret("poll")), slow_events))
    if MOSQUITTO is None:
        notes.append("mosquitto is not here: firing and a dead broker are not measured.")
    else:
        async with open_hub(settings, "bench") as hub:
            figures["event_to_mqtt_of_its_rule"] = _told(await firing_ms(settings, hub, events))
            figures["with_the_broker"] = await dead_broker_ms(settings, hub, events)
    return figures, notes


def main() -> int:
    arguments = arguments_of(__doc__, events=300, slow=30).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mc-bench-bus-"))
    folder.chmod(0o755)  # the database's own account has to get in when this runs as root
    server = EmbeddedServer(folder / "data", durable=False, die_with_parent=True)
    try:
        url = server.start()
        asyncio.run(migrate_database(url))
        settings = Settings(
            data_dir=folder / "data", media_dir=folder / "media", database_url=url, download_models=False
        )
        figures, notes = asyncio.run(measure(settings, arguments.events, arguments.slow))
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    broker = figures.get("with_the_broker")
    targets: list[Target] = [
        at_most("BUS", "NOTIFY, commit to reader, p99 ms", figures["notify"]["p99_ms"], 50.0),
        at_most("DEAD", "slowest bus when dead, p99 ms: the poll behind", figures["poll"]["p99_ms"], 2500.0),
        at_most("BROKER", "what a dead broker adds to writing an event, p50 ms", _added(broker, "written"), 1.0),
        at_most("RULE", "what a dead broker adds from event to its rule, p50 ms", _added(broker, "rule_told"), 10.0),
    ]
    tell("bus", arguments.json, figures, targets, notes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
