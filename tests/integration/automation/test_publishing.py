"""Events, states and rules to a real MQTT broker; a dead one delays nothing."""

import asyncio
import contextlib
import gc
import getpass
import json
import socket

import pytest
from tests.integration.automation.conftest import automation, confirmed, until
from tests.support.certificates import write_authority, write_certificate_of
from tests.support.mosquitto import MOSQUITTO, hearing, mosquitto
from tests.support.ports import free_port

from marengocam.automation.broker import Broker
from marengocam.automation.service import CONSUMER
from marengocam.automation.turn import LEASE
from marengocam.core.model import Camera
from marengocam.core.secret import Secret

pytestmark = pytest.mark.skipif(MOSQUITTO is None, reason="needs mosquitto, which ./script/test installs")
EVENTS = "marengocam/events/person_confirmed"


async def test_events_and_rules_reach_the_broker(hub, hub_settings, add_rule):
    port = free_port()
    async with mosquitto(port), automation(hub, hub_settings, port) as (service, context), hearing(port) as heard:
        await until(lambda: service.health().status == "ok")
        now = context.clock.now()
        payload = {"who": "{{ event.person }}", "sure": "{{ event.probability }}"}
        topic = "home/security/{{ event.camera_id }}"
        rule = await add_rule(
            now, {"mqtt": {"topic": topic, "payload": payload}}, conditions={"cameras": "yard", "persons": "alice"}
        )
        await hub.events.append([confirmed(now), confirmed(now, "Bob"), confirmed(now, age_s=120)])
        await until(lambda: len(heard.of(EVENTS)) == 3)
        told = [json.loads(one) for one in heard.of(EVENTS)]
        assert [one["person"] for one in told] == ["Alice", "Bob", "Alice"]
        assert [one["late"] for one in told] == [False, False, True]
        assert [one["number"] for one in told] == [1, 2, 3]
        await until(lambda: heard.of("home/security/yard"))
        fired = [json.loads(one) for one in heard.of("home/security/yard")]
        assert fired == [{"who": "Alice", "sure": pytest.approx(0.97)}], "Bob does not fit, a late event fires nothing"

        async def noted():
            (firing,) = await hub.firings.list(10, rule.rule_id)
            return [(one.target, one.state) for one in firing.outcomes] == [("home/security/yard", "done")]

        await until(noted)
        assert heard.latest["marengocam/status"] == "online"
    assert await hub.events.position(CONSUMER) == 3


async def test_a_dead_broker_delays_nothing_and_what_it_missed_is_noted(hub, hub_settings, add_rule):
    port = free_port()
    async with automation(hub, hub_settings, port) as (service, context):
        now = context.clock.now()
        rule = await add_rule(now, {"mqtt": {"topic": "t"}}, {"home_assistant": {"name": "seen"}})
        await hub.events.append([confirmed(now) for _ in range(3)])

        async def done():
            firings = await hub.firings.list(10, rule.rule_id)
            return sorted(one.state for firing in firings for one in firing.outcomes) == ["done"] * 3 + ["failed"] * 3

        await until(done)
        assert service.health().status == "degraded"
        assert service.health().detail["missed"] >= 6
        failed = await hub.firings.list(10, failed_only=True)
        assert {one.reason for firing in failed for one in firing.outcomes if one.action == "mqtt"} == {
            "the MQTT broker is away"
        }
        assert len([one for one in await hub.health.recent(50) if "not published" in one.message]) == 1
        async with mosquitto(port):
            await until(lambda: service.health().status == "ok")
            async with hearing(port) as heard:
                await hub.events.append([confirmed(now)])
                await until(lambda: heard.of("t"))


async def test_a_broker_that_is_killed_or_hangs_comes_back_with_everything_retained(hub, hub_settings, monkeypatch):
    monkeypatch.setattr("marengocam.automation.broker.KEEPALIVE_S", 2)
    port = free_port()
    await hub.cameras.add(Camera("yard", "Yard", "rtsp://10.0.0.9/main"))
    async with automation(hub, hub_settings, port) as (service, context):
        for way in ("kill", "stop"):
            async with mosquitto(port) as process:
                await until(lambda: service.health().status == "ok")
                async with hearing(port) as heard:
                    await until(lambda heard=heard: "marengocam/health/state" in heard.latest)
                    assert json.loads(heard.latest["marengocam/cameras/yard/state"])["name"] == "Yard"
                process.send_signal(9 if way == "kill" else 19)
                await hub.events.append([confirmed(context.clock.now())])
                last = await hub.events.last_number()
                await until(lambda last=last: _passed(hub, last))
                await until(lambda: service.health().status == "degraded")


async def _passed(hub, number):
    return await hub.events.position(CONSUMER) == number


async def test_states_follow_the_hub_and_go_when_their_subject_does(hub, hub_settings):
    port = free_port()
    await hub.cameras.add(Camera("yard", "Yard", "rtsp://10.0.0.9/main"))
    async with mosquitto(port), hearing(port) as heard:
        async with automation(hub, hub_settings, port, mqtt_discovery=True) as (_, context):
            await until(lambda: "marengocam/cameras/yard/state" in heard.latest)
            person = await hub.persons.add("Alice", context.clock.now())
            topic = f"marengocam/persons/{person.person_id}/state"
            await until(lambda: topic in heard.latest)
            assert json.loads(heard.latest[topic])["present"] is False
            await until(lambda: len(_devices(heard)) == 3)  # told after the states
            devices = _devices(heard)
            await hub.cameras.remove("yard")
            await until(lambda: heard.latest["marengocam/cameras/yard/state"] == "")
        await until(lambda: heard.latest["marengocam/status"] == "offline")
        async with automation(hub, hub_settings, port):
            # Discovery was switched off in between: what it had told is taken back.
            await until(lambda: {heard.latest[one] for one in devices} == {""})
    assert json.loads(heard.latest["marengocam/health/state"])["status"] == "failing"


def _devices(heard):
    return [one for one in heard.latest if one.startswith("homeassistant/device/marengocam_")]


async def test_what_happened_before_the_start_waits_a_moment_for_the_connection(hub, hub_settings, monkeypatch):
    greet = Broker._say_online

    async def greet_slowly(broker, client):
        await asyncio.sleep(0.5)
        await greet(broker, client)

    port = free_port()
    async with mosquitto(port), hearing(port) as heard:
        async with automation(hub, hub_settings, port) as (_, context):
            now = context.clock.now()
        await hub.events.append([confirmed(now)])
        monkeypatch.setattr(Broker, "_say_online", greet_slowly)
        monkeypatch.setattr("marengocam.automation.service.FIRST_TRY_LIMIT_S", 20.0)  # the machine may be slower yet
        async with automation(hub, hub_settings, port):
            await until(lambda: len(heard.of(EVENTS)) == 1)


async def test_whoever_dies_is_told_by_the_broker(hub, hub_settings):
    port = free_port()
    async with mosquitto(port), hearing(port) as heard, automation(hub, hub_settings, port) as (service, _):
        await until(lambda: heard.latest.get("marengocam/status") == "online")
        service._broker.client._client._sock.shutdown(socket.SHUT_RDWR)
        await until(lambda: "offline" in heard.of("marengocam/status"))
        await until(lambda: heard.latest["marengocam/status"] == "online")


# paho leaves the socket of a refused connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_with_an_authority_and_a_certificate_of_ones_own(hub, hub_settings, tmp_path):
    authority = write_authority(tmp_path / "ca.pem")
    broker = write_certificate_of(authority, tmp_path / "broker.pem", "localhost")
    ours = write_certificate_of(authority, tmp_path / "ours.pem", "marengocam")
    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(
        f"listener {port}\ncafile {tmp_path / 'ca.pem'}\ncertfile {broker}\nkeyfile {broker}\n"
        f"require_certificate true\nuse_identity_as_username true\nuser {getpass.getuser()}\n"
    )
    url = Secret(f"mqtts://localhost:{port}")
    files = {"mqtt_ca_file": tmp_path / "ca.pem", "mqtt_certificate_file": ours}
    async with mosquitto(port, configuration):
        async with automation(hub, hub_settings, mqtt_url=url, **files) as (service, _):
            await until(lambda: service.health().status == "ok")
        async with automation(hub, hub_settings, mqtt_url=url, mqtt_ca_file=files["mqtt_ca_file"]) as (service, _):
            await until(lambda: "the MQTT broker is away (" in service.health().reason)
        async with automation(hub, hub_settings, mqtt_url=url) as (service, _):
            await until(lambda: "the MQTT broker is away (" in service.health().reason)
    gc.collect()


async def test_of_two_processes_one_publishes_and_the_other_takes_over(hub, hub_settings, add_rule):
    port = free_port()
    async with mosquitto(port), hearing(port) as heard, contextlib.AsyncExitStack() as first_one:
        first, context = await first_one.enter_async_context(automation(hub, hub_settings, port, "first"))
        await until(lambda: first.health().detail["mqtt"] == "on" and first.health().status == "ok")
        async with automation(hub, hub_settings, port, "second", turn="stands by") as (second, _):
            now = context.clock.now()
            rule = await add_rule(now, {"mqtt": {"topic": "t", "payload": "{{ event.number }}"}})
            await hub.events.append([confirmed(now) for _ in range(5)])
            await until(lambda: len(heard.of("t")) == 5)
            assert second.health().detail["turn"] == "stands by"
            await first_one.aclose()
            await until(lambda: second.health().detail["turn"] == "ours" and second.health().status == "ok")
            await hub.events.append([confirmed(now) for _ in range(5)])
            await until(lambda: len(heard.of("t")) == 10)
            await until(lambda: heard.latest["marengocam/status"] == "online")
        assert sorted(heard.of("t"), key=int) == [str(number) for number in range(1, 11)]
        assert [json.loads(one)["number"] for one in heard.of(EVENTS)] == list(range(1, 11))
        assert len(await hub.firings.list(100, rule.rule_id)) == 10


async def test_a_process_that_has_lost_its_turn_stops_and_says_no_goodbye_for_the_other(hub, hub_settings):
    port = free_port()
    async with (
        mosquitto(port),
        hearing(port) as heard,
        automation(hub, hub_settings, port, "first") as (first, context),
    ):
        await until(lambda: first.health().status == "ok" and first.health().detail["turn"] == "ours")
        async with hub.database.connection() as connection:  # as if it had been frozen, and another had taken over
            await connection.execute("UPDATE lease SET holder = 'other', fence = fence + 1 WHERE name = $1", LEASE)
        await until(lambda: first.health().detail["turn"] == "stands by")
        await hub.events.append([confirmed(context.clock.now())])
        assert heard.latest["marengocam/status"] == "online"
        async with hub.database.connection() as connection:
            await connection.execute("UPDATE lease SET expires_at = clock_timestamp() WHERE name = $1", LEASE)
        await until(lambda: len(heard.of(EVENTS)) == 1)
