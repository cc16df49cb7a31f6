"""Home Assistant's ingress: open to the Supervisor alone, to its own page alone, and to no administrator's work."""

import re

import aiohttp
import pytest
from tests.support.ingress import serving_ingress

from marengocam.core.errors import BadInputError
from marengocam.settings import SUPERVISOR, load_settings
from marengocam.web.ingress import is_peer
from marengocam.web.service import ROUTES

ANY_ID = "01a20b6e-3e32-7844-b0e5-c2865c9de29c"
SPOOFED = {
    "X-Forwarded-For": "172.30.32.2", "X-Real-IP": "172.30.32.2", "Forwarded": "for=172.30.32.2",
    "X-Ingress-Path": "/api/hassio_ingress/x", "X-Hass-Source": "core.ingress", "X-Remote-User-Id": "admin",
    "X-Remote-User-Display-Name": "Anna", "Sec-Fetch-Site": "same-origin",
}  # fmt: skip
OWN = {"Origin": "http://homeassistant.local:8123", "X-Forwarded-Host": "homeassistant.local:8123"}


def _address(ingress, route):
    return f"{ingress.address}/api/v1" + re.sub(r"{\w+}", ANY_ID, route.path)


async def _answer(session, method, address, **more):
    async with session.request(method, address, **more) as answer:
        return answer.status, await answer.text()


async def test_nobody_but_the_supervisor_gets_anything_whatever_headers_they_send(hub, hub_settings):
    async with serving_ingress(hub, hub_settings, "127.0.0.1") as ingress:
        stranger = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
        async with aiohttp.ClientSession(connector=stranger) as session:
            paths = [(route.method, _address(ingress, route)) for route in ROUTES]
            paths += [("GET", ingress.address + path) for path in ("/", "/page/page.js", "/api/v1/openapi.json")]
            for method, address in paths:
                for headers in ({}, SPOOFED):
                    status, text = await _answer(session, method, address, headers=headers)
                    assert (status, "Supervisor only" in text) == (403, True), (method, address)
        async with aiohttp.ClientSession() as session:
            assert (await _answer(session, "GET", f"{ingress.address}/api/v1/cameras"))[0] == 200
            assert (await _answer(session, "GET", f"{ingress.address}/api/v1/cameras", headers=SPOOFED))[0] == 200


async def test_a_session_of_home_assistant_is_no_administrator(hub, hub_settings):
    async with serving_ingress(hub, hub_settings) as ingress, aiohttp.ClientSession() as session:
        for route in ROUTES:
            if route.scope == "admin":
                status, text = await _answer(session, route.method, _address(ingress, route), headers=OWN, json={})
                assert (status, "admin" in text) == (403, True), route.path
        token = await hub.tokens.add("boss", ["admin"], ingress.context.clock.now())
        headers = OWN | {"Authorization": f"Bearer {token}", "X-Remote-User-Id": "admin"}
        assert (await _answer(session, "GET", f"{ingress.address}/api/v1/tokens", headers=headers))[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example", "X-Forwarded-Host": "homeassistant.local:8123"},
        {"Origin": "https://homeassistant.local:8123.evil.example", "X-Forwarded-Host": "homeassistant.local:8123"},
        {"Origin": "http://homeassistant.local:9999", "X-Forwarded-Host": "homeassistant.local:8123"},
        OWN | {"Sec-Fetch-Site": "cross-site"},
        OWN | {"Sec-Fetch-Site": "same-site"},
        OWN | {"Sec-Fetch-Site": "none"},
    ],
)
async def test_what_another_site_makes_a_browser_send_changes_nothing(hub, hub_settings, headers):
    async with serving_ingress(hub, hub_settings) as ingress, aiohttp.ClientSession() as session:
        for route in ROUTES:
            if route.scope and route.method != "GET":
                status, _ = await _answer(session, route.method, _address(ingress, route), headers=headers)
                assert status == 403, route.path
        assert await hub.persons.list() == []
        stream = f"{ingress.address}/api/v1/events/stream"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(stream, headers=headers)


@pytest.mark.parametrize(
    "headers",
    [
        OWN,
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"},
        {"Origin": "https://ha.example", "X-Forwarded-Host": "ha.example:443"},
        {"Origin": "https://HA.example:443", "X-Forwarded-Host": "ha.example, 10.0.0.1"},
        {"Origin": "http://[fd00::1]:8123", "Host": "[fd00::1]:8123"},
    ],
)
async def test_its_own_page_names_people_and_hears_of_events(hub, hub_settings, headers):
    async with serving_ingress(hub, hub_settings) as ingress, aiohttp.ClientSession() as session:
        named = {"name": "Alice"}
        status, _ = await _answer(session, "POST", f"{ingress.address}/api/v1/persons", headers=headers, json=named)
        assert status == 201
        async with session.ws_connect(f"{ingress.address}/api/v1/events/stream", headers=headers) as stream:
            assert (await stream.receive_json(timeout=30))["kind"] == "hello"


async def test_without_a_port_there_is_no_ingress_and_nobody_is_trusted_by_default_but_the_supervisor(tmp_path):
    settings = load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path)})
    assert (settings.ingress_port, settings.ingress_peers) == (0, (SUPERVISOR,))
    assert is_peer("172.30.32.2", settings.ingress_peers)
    assert is_peer("::ffff:172.30.32.2", settings.ingress_peers)
    for other in ("172.30.32.1", "127.0.0.1", "::1", "", "unix", "172.30.32.2.evil", "fe80::1%eth0"):
        assert not is_peer(other, settings.ingress_peers), other


@pytest.mark.parametrize("peers", ["0.0.0.0/0", "10.0.0.0/8", "::/0", "everybody", "172.30.32.2;10.0.0.1", ""])
def test_whole_networks_are_never_let_in_without_a_token(peers, tmp_path):
    environment = {"MARENGOCAM_DATA_DIR": str(tmp_path), "MARENGOCAM_INGRESS_PEERS": peers}
    if not peers:
        assert load_settings(environment).ingress_peers == (SUPERVISOR,)
        return
    with pytest.raises(BadInputError, match="ingress_peers"):
        load_settings(environment)
    several = environment | {"MARENGOCAM_INGRESS_PEERS": "172.30.32.2, 10.0.0.0/24"}
    assert [str(one) for one in load_settings(several).ingress_peers] == ["172.30.32.2/32", "10.0.0.0/24"]
