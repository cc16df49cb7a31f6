"""The event stream: in order, without gaps, resumable over restarts of the server."""

import asyncio
import json

from tests.support.ports import free_port
from tests.support.web_app import serving_api

from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.web.routes import events

LIMIT_S = 30.0


async def _append(hub, clock, count=1):
    for _ in range(count):
        now = clock.now()
        await hub.events.append([NewEvent(new_id(now), EventType.CAMERA_ONLINE, now, camera_id="x")])


async def _receive(socket, count, limit_s=LIMIT_S):
    numbers = []
    async with asyncio.timeout(limit_s):
        async for message in socket:
            content = json.loads(message.data)
            if content["kind"] == "event":
                numbers.append(content["event"]["number"])
            if len(numbers) >= count:
                break
    return numbers


def _connect(api, after=None):
    query = "" if after is None else f"?after={after}"
    headers = {"Authorization": f"Bearer {api.token}"}
    return api.session.ws_connect(f"{api.address}/api/v1/events/stream{query}", headers=headers)


async def test_events_come_in_order_from_the_asked_number_on(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await _append(hub, api.context.clock, 5)
        async with _connect(api, after=2) as socket:
            hello = json.loads((await socket.receive()).data)
            assert hello == {"kind": "hello", "last_number": 5}
            writing = asyncio.create_task(_append(hub, api.context.clock, 20))
            assert await _receive(socket, 23) == list(range(3, 26))
            await writing


async def test_nothing_is_lost_or_doubled_while_the_server_restarts(hub, hub_settings):
    seen, port = [], free_port()
    writing = None
    for _ in range(4):
        async with serving_api(hub, hub_settings, port=port) as api:
            if writing is None:
                writing = asyncio.create_task(_append(hub, api.context.clock, 120))
            async with _connect(api, after=seen[-1] if seen else 0) as socket:
                seen += await _receive(socket, 25)
    await writing
    async with serving_api(hub, hub_settings, port=port) as api, _connect(api, after=seen[-1]) as socket:
        seen += await _receive(socket, 120 - len(seen))
    assert seen == list(range(1, 121))


async def test_a_browser_connects_with_a_ticket_and_hears_of_changes(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, ticket = await api.call("POST", "/events/ticket")
        url = api.address + ticket["url"]
        async with api.session.ws_connect(url) as socket:
            await socket.receive()
            await asyncio.sleep(0.3)
            await hub.persons.add("Alice", api.context.clock.now())
            async with asyncio.timeout(LIMIT_S):  # listening rings every channel once when it begins
                while json.loads((await socket.receive()).data) != {"kind": "changed", "what": "persons"}:
                    pass
        async with api.session.get(url.replace("signature=", "signature=0")) as answer:
            assert answer.status == 403


async def test_an_open_stream_does_not_hold_up_the_end_of_the_server(hub, hub_settings):
    async with asyncio.timeout(LIMIT_S), serving_api(hub, hub_settings) as api:
        socket = await _connect(api)
        await socket.receive()


async def test_a_reader_that_does_not_read_is_closed_and_resumes_without_loss(hub, hub_settings, monkeypatch):
    monkeypatch.setattr(events, "SEND_LIMIT_S", 0.5)
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        for _ in range(60):
            data = {"filling": "x" * 300_000}
            await hub.events.append([NewEvent(new_id(now), EventType.CAMERA_ONLINE, now, camera_id="x", data=data)])
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.address.rpartition(":")[2]), limit=1024)
        writer.write(
            b"GET /api/v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Authorization: Bearer " + api.token.encode() + b"\r\n\r\n"
        )
        assert b"101" in await reader.readline()
        async with asyncio.timeout(LIMIT_S):
            while not _sending():
                await asyncio.sleep(0.01)
            while _sending():
                await asyncio.sleep(0.05)
        writer.transport.abort()
        monkeypatch.setattr(events, "SEND_LIMIT_S", LIMIT_S)  # this one reads, as fast as the machine lets it
        async with _connect(api, after=0) as socket:
            assert await _receive(socket, 60) == list(range(1, 61))


def _sending():
    return any("_send_events" in repr(task.get_coro()) for task in asyncio.all_tasks())
