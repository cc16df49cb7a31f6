"""Home Assistant with 64 cameras and 200 persons, measured; prints one JSON line. Run by its own Python."""

import asyncio
import gc
import json
import logging
import resource
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import custom_components  # noqa: F401 - the first import wins, else the test harness's own folder hides ours
from contract_server import INSTALLATION, TOKEN, ContractServer, camera, person
from homeassistant.components.http.server import HomeAssistantHTTP
from homeassistant.const import MATCH_ALL
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.loader import DATA_CUSTOM_COMPONENTS
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_test_home_assistant
from real_backend import RealBackend

CAMERAS, PERSONS = 64, 200
EVENTS = 300
QUIET_S = 20.0
READY_LIMIT_S = 60.0
POLLS = 60
POLLS_A_DAY = 2880
PASSAGES = 40
PASSAGES_A_DAY = 20 * CAMERAS
SECONDS_OF_A_PASSAGE = 10
RECORDED_BYTES_A_POLL = CAMERAS * 30 * 4_000_000 // 8  # 4 Mbit/s a camera


@dataclass
class Strides:
    """How long the event loop was held at a time."""

    longest_s: float = 0.0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.perf_counter() - before - 0.001)


def memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def a_large_home() -> ContractServer:
    zones = [
        {"zone_id": str(UUID(int=n)), "name": f"Zone {n}", "polygon": [[0, 0], [1, 0], [1, 1]], "open_person_tracks": 0}
        for n in range(2)
    ]
    cameras = [camera(f"camera_{n}", f"Camera {n}", zones=zones, metrics={"packets": 0}) for n in range(CAMERAS)]
    return ContractServer(cameras=cameras, persons=[person(f"Person {n}", n + 1) for n in range(PERSONS)])


async def loaded(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    async with asyncio.timeout(READY_LIMIT_S):
        while not entry.runtime_data.feed.connected:
            await asyncio.sleep(0.01)
    await hass.async_block_till_done()


async def setting_up(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    gc.collect()
    strides, before_mb = Strides(), memory_mb()
    watching = asyncio.create_task(strides.watch())
    began_s, began_cpu_s = time.perf_counter(), cpu_s()
    await loaded(hass, entry)
    figures = {
        "set_up_s": round(time.perf_counter() - began_s, 2),
        "set_up_cpu_s": round(cpu_s() - began_cpu_s, 2),
        "longest_stride_s": round(strides.longest_s, 3),
        "states": len(hass.states.async_all()),
        "memory_mb": round(memory_mb() - before_mb, 1),
    }
    watching.cancel()
    return figures


async def quiet(hass: HomeAssistant, server: ContractServer) -> dict[str, Any]:
    """Count what is written while the backend says every second that something changed, and nothing seen did."""
    written = 0

    @callback
    def count(_event: Event[Any]) -> None:
        nonlocal written
        written += 1

    stop = hass.bus.async_listen("state_changed", count)
    began_cpu_s, rounds = cpu_s(), int(QUIET_S)
    for number in range(rounds):
        for one in server.cameras:
            one["metrics"] = {"packets": number}
        await server.changed("cameras")
        await asyncio.sleep(1.0)
    stop()
    # The server is in this process too; its share is small.
    return {"quiet_writes": written, "quiet_cpu_share": round((cpu_s() - began_cpu_s) / QUIET_S, 3)}


async def events(hass: HomeAssistant, server: ContractServer) -> dict[str, Any]:
    """Time each event from the backend's socket to the bus."""
    heard: dict[int, float] = {}

    @callback
    def hear(event: Event[Any]) -> None:
        heard[event.data["event_number"]] = time.perf_counter()

    stop = hass.bus.async_listen("marengocam_person_confirmed", hear)
    sent: dict[int, float] = {}
    for number in range(EVENTS):
        event = server.event("person_confirmed", camera_id=f"camera_{number % CAMERAS}", person_id=str(UUID(int=1)))
        sent[event["number"]] = time.perf_counter()
        await server.say({"kind": "event", "event": event})
        await asyncio.sleep(0.02)
    async with asyncio.timeout(READY_LIMIT_S):
        while len(heard) < EVENTS:
            await asyncio.sleep(0.01)
    stop()
    waits_ms = sorted(1000 * (heard[number] - at_s) for number, at_s in sent.items())
    return {
        "event_median_ms": round(statistics.median(waits_ms), 2),
        "event_p99_ms": round(waits_ms[int(0.99 * len(waits_ms))], 2),
    }


async def a_day(hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry) -> dict[str, Any]:
    """Count what the recorder would keep of a day: figures that grow at each poll, and people who pass by."""
    rows: Counter[str] = Counter()

    @callback
    def count(event: Event[Any]) -> None:
        if event.event_type == "state_changed" or event.event_type.startswith("marengocam_"):
            rows[event.event_type] += 1

    stop = hass.bus.async_listen(MATCH_ALL, count)
    coordinator, storage = entry.runtime_data.coordinator, server.health["storage"]
    for poll in range(POLLS):
        storage["used_bytes"] += RECORDED_BYTES_A_POLL
        storage["free_bytes"] -= RECORDED_BYTES_A_POLL
        storage["recorded_s"] += 30.0
        storage["database_bytes"] += 20_000
        storage["oldest_at"] = (dt_util.utcnow() - timedelta(days=7) + timedelta(seconds=30 * poll)).isoformat()
        server.health["now"] = dt_util.utcnow().isoformat()
        await coordinator.async_refresh()
        await hass.async_block_till_done()
    idle = rows.total() / POLLS
    rows.clear()
    began_s = time.perf_counter()
    for number in range(PASSAGES):
        await passage(hass, server, coordinator, number)
    stop()
    passing = rows.total() / PASSAGES
    day = idle * POLLS_A_DAY + passing * PASSAGES_A_DAY
    return {
        "rows_a_poll_without_people": round(idle, 2),
        "rows_a_passage": round(passing, 1),
        "recorder_rows_a_day": round(day),
        "state_writes_a_second_of_the_day": round(day / 86_400, 2),
        "writes_a_second_at_most": round(rows.total() / (time.perf_counter() - began_s)),
    }


async def passage(hass: HomeAssistant, server: ContractServer, coordinator: Any, number: int) -> None:
    """Let somebody pass a camera: seen, recognised, looked at for some seconds, gone."""
    one, who = server.cameras[number % CAMERAS], server.persons[number % PERSONS]
    track, seen = str(uuid4()), dt_util.utcnow()
    about = {"camera_id": one["camera_id"], "local_track_id": track}
    named = about | {"person_id": who["person_id"], "person_name": who["name"]}
    one |= {"moving": True, "open_person_tracks": 1, "last_person_track_id": track, "last_person_at": seen.isoformat()}
    await server.happen("person_detected", person_id=None, person_name=None, **about)
    for second in range(SECONDS_OF_A_PASSAGE):
        who |= {"last_seen_at": (seen + timedelta(seconds=second)).isoformat(), "last_seen_track_id": track}
        who |= {"present": True, "last_seen_camera_name": one["name"], "last_seen_camera_id": one["camera_id"]}
        if second == 1:
            await server.happen("person_confirmed", **named)
        await coordinator.async_refresh()
        await hass.async_block_till_done()
    one |= {"moving": False, "open_person_tracks": 0}
    who["present"] = False
    await server.happen("visit_ended", **named)
    await coordinator.async_refresh()
    await hass.async_block_till_done()


async def from_the_real_backend(hass: HomeAssistant) -> dict[str, Any]:
    """Time each event from just before it is written to the database until it is on the bus: web and socket between."""
    heard: dict[int, float] = {}

    @callback
    def hear(event: Event[Any]) -> None:
        at = datetime.fromisoformat(event.data["occurred_at"])
        heard[event.data["event_number"]] = 1000 * (dt_util.utcnow() - at).total_seconds()

    backend = await asyncio.to_thread(RealBackend.start)
    try:
        told = await asyncio.to_thread(backend.call, "GET", "/info")
        entry = MockConfigEntry(
            domain="marengocam",
            unique_id=told["installation_id"],
            data={"address": backend.address, "token": backend.token},
        )
        entry.add_to_hass(hass)
        await loaded(hass, entry)
        stop = hass.bus.async_listen("marengocam_person_unknown", hear)
        for _ in range(EVENTS):
            await asyncio.to_thread(backend.do, "event", type="person_unknown")
        async with asyncio.timeout(READY_LIMIT_S):
            while len(heard) < EVENTS:
                await asyncio.sleep(0.01)
        stop()
        await hass.config_entries.async_remove(entry.entry_id)
    finally:
        await asyncio.to_thread(backend.stop)
    waits_ms = sorted(heard.values())
    return {
        "backend_to_bus_median_ms": round(statistics.median(waits_ms), 1),
        "backend_to_bus_p99_ms": round(waits_ms[int(0.99 * len(waits_ms))], 1),
    }


async def removing(hass: HomeAssistant, times: int) -> dict[str, Any]:
    """Count what is left behind by adding a small home and removing it again and again."""
    server = ContractServer()
    await server.start()
    counts: list[int] = []
    for _ in range(times):
        entry = MockConfigEntry(
            domain="marengocam", unique_id=INSTALLATION, data={"address": server.address, "token": TOKEN}
        )
        entry.add_to_hass(hass)
        await loaded(hass, entry)
        assert await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()
        del entry
        for notes in (server.asked, server.queries, server.resumed_from):
            notes.clear()
        gc.collect()
        counts.append(len(gc.get_objects()))
    await server.stop()
    half = len(counts) // 2
    grown = statistics.median(counts[half:]) - statistics.median(counts[:half])
    return {"removals": times, "objects_left_a_removal": round(grown / max(half, 1), 1)}


async def reloading(hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, times: int) -> dict[str, Any]:
    """Count what is left behind by setting up and unloading again and again."""
    counts: list[int] = []
    for _ in range(times):
        assert await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
        for notes in (server.asked, server.queries, server.resumed_from):
            notes.clear()  # what our server notes down is not left behind by the integration
        gc.collect()
        counts.append(len(gc.get_objects()))
        await loaded(hass, entry)
    half = len(counts) // 2
    grown = statistics.median(counts[half:]) - statistics.median(counts[:half])
    return {"reloads": times, "objects_left_a_reload": round(grown / max(half, 1), 1)}


async def main(reloads: int) -> None:
    """Measure everything once."""
    logging.disable(logging.WARNING)
    server = a_large_home()
    await server.start()
    async with async_test_home_assistant() as hass:
        # Nobody looks at its pages, and another Home Assistant may have the port.
        patch.object(HomeAssistantHTTP, "async_bind").start()
        patch.object(HomeAssistantHTTP, "start").start()
        hass.data.pop(DATA_CUSTOM_COMPONENTS)
        entry = MockConfigEntry(
            domain="marengocam", unique_id=INSTALLATION, data={"address": server.address, "token": TOKEN}
        )
        entry.add_to_hass(hass)
        figures = await setting_up(hass, entry)
        figures |= await quiet(hass, server)
        figures |= await events(hass, server)
        figures |= await a_day(hass, server, entry)
        figures |= await reloading(hass, server, entry, reloads)
        await hass.config_entries.async_remove(entry.entry_id)
        figures |= await removing(hass, reloads)
        figures |= await from_the_real_backend(hass)
        await hass.async_stop(force=True)
    await server.stop()
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
