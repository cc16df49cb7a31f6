"""Whatever a stranger or a broken client sends is answered in the API's form, never with an error of ours."""

import asyncio
import io
import socket

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.web_app import serving_api
from yarl import URL

from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.web.access import MAX_FAILURES
from marengocam.web.enrolment import MAX_PICTURE_BYTES
from marengocam.web.service import ROUTES

ODD = (
    "", "%00", "%FF", "-1", "9" * 40, "NaN", "a b", "%C3%A9", "..%2F..%2Fetc%2Fpasswd", "%27%3B--",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-11-24T10:00:00",
    "2026-11-24T10:00:00_01a20b6e-3e32-7844-b0e5-c2865c9de29c", "01a20b6e-3e32-7844-b0e5-c2865c9de29c",
)  # fmt: skip


async def _status(api, method, address, **more):
    headers = {"Authorization": f"Bearer {api.token}"} | more.pop("headers", {})
    url = URL(f"{api.address}/api/v1{address}", encoded=True)
    async with api.session.request(method, url, headers=headers, **more) as answer:
        return answer.status, await answer.read()


async def test_no_query_whatever_makes_a_route_fail(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for route in ROUTES:
            for parameter in route.parameters:
                for odd in ODD:
                    address = f"{route.path.replace('{camera_id}', 'front')}?{parameter.name}={odd}"
                    status, content = await _status(api, route.method, address)
                    assert status < 500, (address, content)


async def test_no_path_whatever_makes_a_route_fail(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for route in ROUTES:
            if "{" in route.path and not route.path.startswith("/media"):
                for odd in ODD:
                    start, _, rest = route.path.partition("{")
                    address = f"{start}{odd}{rest.partition('}')[2]}".replace("{name}", odd)
                    status, content = await _status(api, route.method, address, json={})
                    assert status < 500, (address, content)


@pytest.mark.parametrize("header", ["Bearer é", "Bearer ", "Basic YTpi", "Bearer " + "x" * 5000, "Bearer a b"])
async def test_no_token_whatever_opens_or_breaks_anything(hub, hub_settings, header):
    async with serving_api(hub, hub_settings) as api:
        status, _ = await _status(api, "GET", "/cameras", headers={"Authorization": header})
        assert status == 401


async def test_bytes_that_are_no_text_in_a_header_are_refused(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        reader, writer = await asyncio.open_connection(URL(api.address).host, URL(api.address).port)
        writer.write(b"GET /api/v1/cameras HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
        async with asyncio.timeout(30):
            first = await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert first.split()[1] in {b"400", b"401"}


async def test_who_is_known_is_served_while_another_guesses_from_the_same_address(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        assert (await api.call("GET", "/cameras"))[0] == 200
        for _ in range(MAX_FAILURES):
            await api.with_token("mc_wrong").call("GET", "/cameras")
        assert (await api.with_token("mc_wrong").call("GET", "/cameras"))[0] == 429
        assert (await api.call("GET", "/cameras"))[0] == 200


async def test_too_much_is_refused_as_too_large(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, alice = await api.call("POST", "/persons", {"name": "Alice"})
        form = aiohttp.FormData()
        form.add_field("picture", io.BytesIO(b"\xff\xd8\xff" + bytes(MAX_PICTURE_BYTES)), filename="big.jpg")
        status, content = await _status(api, "POST", f"/persons/{alice['person_id']}/faces", data=form)
        assert (status, b"too_large" in content) == (413, True)
        status, content = await _status(api, "POST", "/persons", data=io.BytesIO(bytes(13 << 20)))
        assert (status, b"too_large" in content) == (413, True)


async def test_a_body_that_is_no_json_is_refused_with_its_place(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        status, content = await _status(api, "POST", "/persons", data=b'{"name": }')
        assert status == 400
        assert b"byte 9" in content
        assert (await api.call("PUT", "/persons"))[0] == 405


async def test_a_stream_from_before_the_database_was_put_back_goes_on_with_what_is_new(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        headers = {"Authorization": f"Bearer {api.token}"}
        url = f"{api.address}/api/v1/events/stream?after=5000"
        async with api.session.ws_connect(url, headers=headers) as stream, asyncio.timeout(30):
            assert (await stream.receive_json()) == {"kind": "hello", "last_number": 0}
            now = api.context.clock.now()
            await hub.events.append([NewEvent(new_id(now), EventType.CAMERA_ONLINE, now, camera_id="x")])
            told = await stream.receive_json()
            while told["kind"] == "changed":  # a hint may come in between
                told = await stream.receive_json()
            assert told["event"]["number"] == 1


async def test_a_client_that_vanishes_mid_stream_leaves_nothing_behind(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for _ in range(3):
            raw = socket.create_connection((URL(api.address).host, URL(api.address).port), timeout=5)
            raw.sendall(
                b"GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                b"Authorization: Bearer " + api.token.encode() + b"\r\n\r\n"
            )
            await asyncio.sleep(0.2)
            raw.close()
        async with asyncio.timeout(30):
            while any("_send_events" in repr(task.get_coro()) for task in asyncio.all_tasks()):
                await asyncio.sleep(0.05)
        assert (await api.call("GET", "/info"))[0] == 200


async def test_no_changes_whatever_to_a_camera_make_the_api_fail(hub, hub_settings):
    bodies = []
    values = st.none() | st.booleans() | st.text(max_size=30) | st.sampled_from(["rtsp://[::1/x", "rtsp://a:b@/x"])
    names = st.sampled_from(["name", "main_url", "sub_url", "username", "password", "enabled", "detect"])

    @settings(max_examples=80, suppress_health_check=list(HealthCheck), database=None)
    @given(st.dictionaries(names, values, min_size=1, max_size=3))
    def gather(body):
        bodies.append(body)

    gather()
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://10.0.0.9/main"})
        for body in bodies:
            status, answer = await api.call("PATCH", "/cameras/front", body)
            assert status in {200, 400, 409}, (body, answer)
