"""Events to a real MQTT broker; a dead one delays nothing."""

import asyncio
import json
import os
import shutil
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import aiomqtt
import pytest
from tests.support.web_app import service_context

from marengocam.automation.service import CONSUMER, AutomationService
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.core.secret import Secret
from marengocam.db.rules import Rule
from marengocam.runtime.bus import Bus

MOSQUITTO = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin")
pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="needs mosquitto, which ./script/test installs")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def mosquitto(port):
    process = await asyncio.create_subprocess_exec(
        MOSQUITTO, "-p", str(port), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def automation(hub, settings, port):
    settings = replace(settings, mqtt_url=Secret(f"mqtt://127.0.0.1:{port}"))
    async with Bus(hub).running() as bus:
        context = service_context(hub, settings, bus, "automation")
        service = AutomationService()
        job = asyncio.create_task(service.run(context))
        try:
            yield service, context
        finally:
            context.stopping.set()
            await asyncio.wait_for(job, 8)


async def until(condition):
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.05)


def confirmed(now, person="Alice", age_s=0.0):
    at = now - timedelta(seconds=age_s)
    return NewEvent(new_id(now), EventType.PERSON_CONFIRMED, at, camera_id="yard", person_name=person, probability=0.97)


async def test_events_and_rules_reach_the_broker(hub, hub_settings):
    port = free_port()
    async with mosquitto(port), automation(hub, hub_settings, port) as (service, context):
        await until(lambda: service.health().status == "ok")
        now = context.clock.now()
        rule = Rule(
            new_id(now), "backyard", True, "person_confirmed", {"camera_id": "yard", "person": "alice"},
            "home/security/backyard", {"who": "person"}, now,
        )  # fmt: skip
        await hub.rules.add(rule)
        async with aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("#")
            await hub.events.append([confirmed(now), confirmed(now, "Bob"), confirmed(now, age_s=120)])
            heard = []
            async with asyncio.timeout(15):
                async for message in client.messages:
                    heard.append((str(message.topic), message.payload.decode()))
                    if len([topic for topic, _ in heard if "events" in topic]) == 3:
                        break
        assert ("marengocam/status", "online") in heard
        told = [json.loads(payload) for topic, payload in heard if topic == "marengocam/events/person_confirmed"]
        assert [one["person"] for one in told] == ["Alice", "Bob", "Alice"]
        assert [one["late"] for one in told] == [False, False, True]
        fired = [json.loads(payload) for topic, payload in heard if topic == "home/security/backyard"]
        assert fired == [{"who": "person"}], "Bob does not fit and a late event fires nothing"
        assert await hub.events.position(CONSUMER) == 3


async def test_a_dead_broker_delays_nothing_and_is_told_once(hub, hub_settings):
    port = free_port()
    async with automation(hub, hub_settings, port) as (service, context):
        await until(lambda: service._broker is not None)
        await asyncio.sleep(0.3)
        await hub.events.append([confirmed(context.clock.now()) for _ in range(3)])

        async def passed():
            return await hub.events.position(CONSUMER) == 3

        async with asyncio.timeout(10):
            while not await passed():
                await asyncio.sleep(0.05)
        assert service.health().status == "degraded"
        assert service.health().detail["missed"] == 3
        assert len([one for one in await hub.health.recent(10) if one.subject == "mqtt"]) == 1
        async with mosquitto(port):
            await until(lambda: service.health().status == "ok")
