"""What rules do besides MQTT: Home Assistant, webhooks, clips, recording, privacy; dwelling; restarts; outages."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
from datetime import timedelta
from uuid import uuid4

import pytest
from aiohttp import web
from tests.integration.automation.conftest import automation, confirmed, until

from marengocam.automation.service import CONSUMER
from marengocam.core.camera_options import Recording, RecordingMode
from marengocam.core.geometry import Box
from marengocam.core.model import Camera, EventType, LocalTrack, NewEvent, PathPoint, Zone
from marengocam.db.webhook_key import webhook_secret
from marengocam.ingest.recording_modes import Sights, records

UNKNOWN = "no.such.host.invalid"


async def outcomes(hub, rule):
    found = await hub.firings.list(100, rule.rule_id)
    return {(one.action, one.target): (one.state, one.reason) for firing in found for one in firing.outcomes}


async def until_outcomes(hub, rule, count):
    async def noted():
        return len(await outcomes(hub, rule)) == count

    await until(noted)
    return await outcomes(hub, rule)


@contextlib.asynccontextmanager
async def receiver(answer):
    """A real HTTP server that hands each request to `answer`."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_home_assistant_is_told_clips_kept_cameras_recorded_privacy_set(hub, hub_settings, add_rule):
    motion = Recording(mode=RecordingMode.MOTION)
    await hub.cameras.add(Camera("yard", "Yard", "rtsp://10.0.0.9/main", recording=motion))
    await hub.cameras.add(Camera("shed", "Shed", "rtsp://10.0.0.8/main", recording=Recording(mode=RecordingMode.OFF)))
    async with automation(hub, hub_settings) as (_, context):
        now = context.clock.now()
        rule = await add_rule(
            now,
            {"home_assistant": {"name": "alice_home", "data": {"where": "{{ event.camera }}"}}},
            {"keep_clip": {"label": "{{ event.person }} came", "after_s": 60}},
            {"record": {"duration_s": 30}},
            {"record": {"duration_s": 30, "cameras": ["shed", "nowhere"]}},
            {"privacy": {"enabled": True}},
            {"mqtt": {"topic": "t"}},
            {"home_assistant": {"name": "x", "data": "{{ 1 / 0 }}"}},
        )
        await hub.events.append([confirmed(now)])
        found = await until_outcomes(hub, rule, 7)
        assert found == {
            ("home_assistant", "alice_home"): ("done", ""),
            ("keep_clip", "Alice came"): ("done", ""),
            ("record", "yard"): ("done", ""),
            ("record", "shed, nowhere"): (
                "failed", "not recorded: nowhere, shed (unknown, switched off, or recording is off)"
            ),
            ("privacy", "on"): ("done", ""),
            ("mqtt", "t"): ("failed", "no mqtt_url is set"),
            ("home_assistant", ""): ("failed", "The template failed with this event: division by zero"),
        }  # fmt: skip
        told, kept = [one for one in await hub.events.after(0, 10) if one.number > 1]
        assert (told.type, kept.type) == (EventType.RULE_FIRED, EventType.MOMENT_MARKED)
        assert (told.data["name"], told.data["data"], told.data["rule"]) == ("alice_home", {"where": "Yard"}, "r")
        assert (told.person_name, told.camera_id, told.data["cause_number"]) == ("Alice", "yard", 1)
        assert kept.data["label"] == "Alice came"
        wishes = await hub.firings.record_wishes(now)
        assert set(wishes) == {"yard"}
        sights = Sights(looked_at=now, wished_until=wishes["yard"])
        assert records(motion, sights, now), "nothing moves, but a rule wants it"
        assert not records(motion, Sights(looked_at=now), now)
        assert (await hub.preferences.get()).privacy


async def test_a_webhook_is_signed_and_a_failing_one_is_tried_again(hub, hub_settings, add_rule, monkeypatch):
    monkeypatch.setattr("marengocam.automation.webhooks.RETRY_PAUSES_S", (0.05, 0.05))
    calls = []

    async def answer(request):
        calls.append((dict(request.headers), await request.read()))
        return web.Response(status=503 if len(calls) == 1 else 204)

    async with (
        receiver(answer) as address,
        automation(hub, hub_settings, webhook_hosts="127.0.0.1") as (_, context),
    ):
        now = context.clock.now()
        body = {"text": "{{ event.person }} is here"}
        rule = await add_rule(now, {"webhook": {"url": f"{address}/hook?key=SECRET", "body": body}})
        await hub.events.append([confirmed(now)])
        found = await until_outcomes(hub, rule, 1)
        assert found == {("webhook", address): ("done", "")}
        (first, content), (second, again) = calls
        assert content == again == json.dumps({"text": "Alice is here"}).encode()
        assert first["webhook-id"] == second["webhook-id"]
        key = base64.b64decode((await webhook_secret(hub.settings_store, rule.rule_id)).reveal().removeprefix("whsec_"))
        signed = f"{first['webhook-id']}.{first['webhook-timestamp']}.".encode() + content
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert first["webhook-signature"] == f"v1,{expected}"
        assert abs(int(first["webhook-timestamp"]) - now.timestamp()) < 60
        assert "SECRET" not in str(await hub.health.recent(50)) + str(await hub.firings.list(10))


@pytest.fixture
def _nobody_knows_the_name(monkeypatch):
    """Have a name be unknown at once: where no name server answers, asking for it takes longer than a call may."""
    real = socket.getaddrinfo

    def asked(host, *arguments, **named):
        if host == UNKNOWN:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", asked)


@pytest.mark.usefixtures("_nobody_knows_the_name")
async def test_webhooks_go_nowhere_else_and_hang_nobody(hub, hub_settings, add_rule, monkeypatch):
    monkeypatch.setattr("marengocam.automation.webhooks.RETRY_PAUSES_S", ())
    followed = []

    async def elsewhere(request):
        followed.append(request.path)
        return web.Response()

    async with receiver(elsewhere) as other:

        async def answer(request):
            if request.path == "/hangs":
                await asyncio.sleep(60)
            if request.path == "/streams":
                response = web.StreamResponse()
                await response.prepare(request)
                for _ in range(1000):
                    await response.write(b"x" * 65_536)
                return response
            raise web.HTTPFound(f"{other}/stolen")

        async with receiver(answer) as address:
            port = address.rpartition(":")[2]
            async with automation(hub, hub_settings, webhook_hosts="127.0.0.1") as (_, one):
                now = one.clock.now()
                rule = await add_rule(
                    now,
                    {"webhook": {"url": f"{address}/redirects"}},
                    {"webhook": {"url": f"http://127.0.0.2:{port}/unlisted"}},
                    {"webhook": {"url": "http://[::ffff:169.254.169.254]/latest"}},
                    {"webhook": {"url": f"http://{UNKNOWN}/"}},
                )
                await hub.events.append([confirmed(now)])
                found = await until_outcomes(hub, rule, 4)
                assert {state for state, _ in found.values()} == {"failed"}
                reasons = {target: reason for (_, target), (_, reason) in found.items()}
                assert "a redirect" in reasons[address]
                assert "list it in the setting webhook_hosts" in reasons[f"http://127.0.0.2:{port}"]
                assert "which webhooks never call" in reasons["http://[::ffff:169.254.169.254]"]
                assert "cannot be reached" in reasons[f"http://{UNKNOWN}"]
                assert not followed
                streams = await add_rule(now, {"webhook": {"url": f"{address}/streams"}}, name="streams")
                await hub.events.append([confirmed(now)])
                assert await until_outcomes(hub, streams, 1) == {("webhook", address): ("done", "")}
            with monkeypatch.context() as patch:
                patch.setattr("marengocam.automation.webhooks.ATTEMPT_LIMIT_S", 0.5)
                async with automation(hub, hub_settings, webhook_hosts="127.0.0.1") as (_, one):
                    slow = await add_rule(now, {"webhook": {"url": f"{address}/hangs"}}, name="slow")
                    await hub.events.append([confirmed(one.clock.now())])
                    found = await until_outcomes(hub, slow, 1)
                    assert found == {("webhook", address): ("failed", "no answer within 0.5 s")}
        async with automation(hub, hub_settings) as (_, one):
            named = await add_rule(now, {"webhook": {"url": f"http://localhost:{port}/"}}, name="named")
            await hub.events.append([confirmed(one.clock.now())])
            ((_, reason),) = (await until_outcomes(hub, named, 1)).values()
            assert "list it in the setting webhook_hosts" in reason, "what a name stands for is looked at as well"


async def test_a_rule_waits_for_who_stays_over_a_restart(hub, hub_settings, add_rule):
    yard = Zone(uuid4(), "Yard", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    await hub.cameras.add(Camera("yard", "Yard", "rtsp://10.0.0.9/main", zones=(yard,)))
    fence = (await hub.leases.acquire("camera:yard", "test", 60)).fence

    async def seen(track_id, at, seconds, x):
        last = at + timedelta(seconds=seconds)
        path = tuple(
            PathPoint(at + timedelta(seconds=one), Box(x if one else 0.1, 0.1, x + 0.1, 0.5), 0.9)
            for one in range(seconds + 1)
        )
        track = LocalTrack(track_id, "yard", "person", at, last, True, 0.9, 9, path, ("Yard",))
        await hub.tracks.save([track], {"yard": fence})

    def entered(at, track_id):
        data = {"zone": "Yard", "label": "person"}
        return NewEvent(uuid4(), EventType.ZONE_ENTERED, at, camera_id="yard", local_track_id=track_id, data=data)

    stays, leaves = uuid4(), uuid4()
    async with automation(hub, hub_settings) as (_, context):
        now = context.clock.now()
        rule = await add_rule(
            now, {"home_assistant": {"name": "loiters"}}, events=["zone_entered"], conditions={"dwell_s": 5}
        )
        for track_id in (stays, leaves):
            await seen(track_id, now, 1, 0.1)
        await hub.events.append([entered(now, stays), entered(now, leaves)])

        async def waits():
            return await hub.firings.next_wait() is not None

        await until(waits)
    await seen(stays, now, 8, 0.1)
    await seen(leaves, now, 8, 0.7)
    async with automation(hub, hub_settings):

        async def decided():
            return await hub.firings.next_wait() is None

        await until(decided)
        assert [one.event_number for one in await hub.firings.list(10, rule.rule_id)] == [1]


async def test_a_restart_neither_loses_nor_repeats_a_firing(hub, hub_settings, add_rule):
    async with automation(hub, hub_settings) as (_, context):
        now = context.clock.now()
        rule = await add_rule(now, {"home_assistant": {"name": "x"}})
        await hub.events.append([confirmed(now)])
        await until_outcomes(hub, rule, 1)
    await hub.events.append([confirmed(now)])
    async with hub.database.connection() as connection:  # as if it had been killed before it noted how far it was
        await connection.execute("UPDATE consumer_position SET last_number = 0")
    async with automation(hub, hub_settings):

        async def passed():
            return await hub.events.position(CONSUMER) == await hub.events.last_number()

        await until(passed)
    assert sorted(one.event_number for one in await hub.firings.list(10, rule.rule_id)) == [1, 3]


async def test_firings_are_pruned_with_their_outcomes(hub, hub_settings, add_rule):
    async with automation(hub, hub_settings) as (_, context):
        now = context.clock.now()
        rule = await add_rule(now, {"mqtt": {"topic": "t"}})
        await hub.events.append([confirmed(now)])
        await until_outcomes(hub, rule, 1)
    assert await hub.firings.prune(now - timedelta(days=1)) == 0
    assert await hub.firings.prune(now + timedelta(days=1)) == 1
    assert await hub.firings.list(10) == []


@pytest.mark.parametrize("limit", [{"at_most": 2, "per_s": 600.0}])
async def test_a_limit_holds_over_restarts(hub, hub_settings, add_rule, limit):
    for _ in range(2):
        async with automation(hub, hub_settings) as (_, context):
            now = context.clock.now()
            if not await hub.rules.list():
                rule = await add_rule(now, {"mqtt": {"topic": "t"}}, limit=limit)
            await hub.events.append([confirmed(now), confirmed(now)])

            async def passed():
                return await hub.events.position(CONSUMER) == await hub.events.last_number()

            await until(passed)
    assert len(await hub.firings.list(10, rule.rule_id)) == 2
