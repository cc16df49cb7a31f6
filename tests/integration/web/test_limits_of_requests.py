"""What one client may take: guesses, costly questions, sizes, and time."""

import asyncio
import io
import json

import aiohttp
import pytest
from aiohttp import web
from tests.support.web_app import serving_api
from yarl import URL

from marengocam.runtime import endpoint
from marengocam.web import access, answers
from marengocam.web.access import MAX_FAILURES, MAX_KNOWN, Gate
from marengocam.web.service import ROUTES


async def test_every_wrong_guess_beyond_the_limit_is_told_when_to_come_again(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for guess in range(MAX_FAILURES):
            assert (await api.with_token(f"mc_guess{guess}").call("GET", "/cameras"))[0] == 401
        headers = {"Authorization": "Bearer mc_guess", "X-Forwarded-For": "10.1.2.3"}
        async with api.session.get(f"{api.address}/api/v1/cameras", headers=headers) as answer:
            assert answer.status == 429
            assert 0 < int(answer.headers["Retry-After"]) <= access.FAILURE_WINDOW_S
        other = aiohttp.TCPConnector(local_addr=("127.0.0.9", 0))
        async with aiohttp.ClientSession(connector=other) as session:
            headers = {"Authorization": f"Bearer {api.token}"}
            async with session.get(f"{api.address}/api/v1/cameras", headers=headers) as answer:
                assert answer.status == 200, "another address is not held to account for it"


async def test_guesses_from_everywhere_take_bounded_memory_and_forget_nobody_who_is_known(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        gate = Gate(hub, api.context.clock)
        assert (await gate._find(api.token)) is not None
        for number in range(2 * MAX_KNOWN):
            await gate._find(f"mc_guess{number}")
        assert len(gate._known) <= MAX_KNOWN
        assert gate._was_good(api.token)


async def test_what_costs_much_is_refused_when_asked_too_often(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        limited = [route for route in ROUTES if route.limit is not None]
        assert {"probe_address", "probe_camera", "search_network", "look_up_camera", "clip_file", "add_face",
                "export_person", "request_replay"} <= {route.handler.__name__ for route in limited}  # fmt: skip
        for route in limited:
            path = route.path.replace("{camera_id}", "front").replace("{person_id}", "none")
            statuses = [(await api.call(route.method, path, "no"))[0] for _ in range(route.limit.calls)]
            assert 429 not in statuses, path
            status, answer = await api.call(route.method, path, "no")
            assert (status, answer["error"]["code"]) == (429, "too_many_requests")
        assert (await api.call("GET", "/cameras"))[0] == 200


async def test_json_that_is_too_large_or_too_deep_is_refused(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        headers = {"Authorization": f"Bearer {api.token}"}
        large = b'{"name": "' + b"A" * answers.MAX_JSON_BYTES + b'"}'
        nested = b'{"name": ' + b"[" * 500_000 + b"]" * 500_000 + b"}"
        for content, status in ((large, 413), (nested, 400)):
            sent = io.BytesIO(content)
            async with api.session.post(f"{api.address}/api/v1/persons", data=sent, headers=headers) as reply:
                assert reply.status == status
        body = {"name": 'A[["[[', "when": ["person_confirmed"], "do": [], "if": {}}
        for depth, is_too_deep in ((30, False), (31, True), (900, True), (100_000, True)):
            nested = json.dumps(body).replace("{}", '{"zone": ' + "[" * depth + "]" * depth + "}").encode()
            sent = io.BytesIO(nested)
            async with api.session.post(f"{api.address}/api/v1/rules", data=sent, headers=headers) as reply:
                assert reply.status == 400, depth
                message = (await reply.json())["error"]["message"]
                assert ("nested too deeply" in message) is is_too_deep, depth


async def test_a_body_that_drips_is_ended(hub, hub_settings, monkeypatch):
    monkeypatch.setattr(answers, "BODY_LIMIT_S", 0.3)
    async with serving_api(hub, hub_settings) as api:
        for path, kind in (("/persons", "application/json"), ("/persons/{}/faces", "multipart/form-data; boundary=x")):
            person = (await api.call("POST", "/persons", {"name": f"A{len(kind)}"}))[1]["person_id"]
            reader, writer = await asyncio.open_connection(URL(api.address).host, URL(api.address).port)
            head = (
                f"POST /api/v1{path.format(person)} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
                f"Content-Length: 900\r\nAuthorization: Bearer {api.token}\r\n\r\n"
            )
            writer.write(head.encode() + b"-")
            async with asyncio.timeout(20):
                answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.split()[1] == b"408"
            length = int(next(line for line in answer.split(b"\r\n") if b"Content-Length" in line).split()[1])
            async with asyncio.timeout(20):
                told = json.loads(await reader.readexactly(length))
            assert told["error"]["code"] == "too_slow"
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize("begun", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: a"])
async def test_who_connects_and_says_nothing_whole_is_sent_away(monkeypatch, begun):
    monkeypatch.setattr(endpoint, "IDLE_LIMIT_S", 0.3)
    async with endpoint.serving(web.Application(), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        async with asyncio.timeout(20):
            assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
