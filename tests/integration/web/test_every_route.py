"""Every route against everybody who may not use it: made from the server's own table, so that a new route is in it."""

import itertools
import re
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from tests.support.web_app import serving_api

from marengocam.runtime.context import CONTEXT
from marengocam.web.access import SCOPE_ORDER
from marengocam.web.openapi import document
from marengocam.web.routes import events
from marengocam.web.service import ROUTES, WebService
from marengocam.web.signing import PURPOSE, Signer
from marengocam.web.table import PREFIX

ANY_ID = "01a20b6e-3e32-7844-b0e5-c2865c9de29c"
OPEN = {("GET", "/"), ("GET", f"{PREFIX}/openapi.json"), ("GET", "/page")}  # they hold nothing of anybody's
SELF_CHECKED = {f"{PREFIX}/events/stream"}  # a token or a ticket
ADDRESSES = itertools.cycle(f"127.0.{third}.{last}" for third in range(1, 200) for last in range(1, 250))


def _filled(path):
    return re.sub(r"{\w+}", ANY_ID, path)


async def _refusal(address, method, path, token=None, upgrade=False):
    """Ask from an address of its own each time: guessing is slowed down per address."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if upgrade:
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    connector = aiohttp.TCPConnector(local_addr=(next(ADDRESSES), 0))
    async with aiohttp.ClientSession(connector=connector) as session:
        json = None if upgrade or method == "GET" else {}
        async with session.request(method, address + path, headers=headers, json=json) as answer:
            told = await answer.json() if answer.content_type == "application/json" else {}
            return answer.status, told.get("error", {}).get("code")


async def _revoked(hub, now, scopes):
    before = {token.token_id for token in await hub.tokens.list()}
    text = await hub.tokens.add("revoked", list(scopes), now)
    (token,) = [token for token in await hub.tokens.list() if token.token_id not in before]
    await hub.tokens.revoke(token.token_id, now)
    return text


async def test_no_route_of_the_server_is_missing_here(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        app = web.Application()
        app[CONTEXT] = api.context
        WebService().routes(app)
    served = {(route.method, route.resource.canonical) for route in app.router.routes() if route.method != "HEAD"}
    assert served == {(route.method, PREFIX + route.path) for route in ROUTES} | OPEN
    for path, operations in document(ROUTES)["paths"].items():
        for method, operation in operations.items():
            if not operation["security"]:
                names = {parameter["name"] for parameter in operation["parameters"]}
                assert {"expires", "signature"} <= names, f"{method} {path} is open to everybody"


async def test_no_route_opens_without_a_token_or_with_a_bad_or_a_revoked_one(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        revoked = await _revoked(hub, api.context.clock.now(), SCOPE_ORDER)
        signed = f"{api.token[:-1]}{'a' if api.token[-1] != 'a' else 'b'}"
        for route in ROUTES:
            path = PREFIX + _filled(route.path)
            for token in (None, "mc_wrong", "", "' OR 1=1 --", signed, revoked):
                expected = (401, "unauthorized")
                if route.scope is None and PREFIX + route.path not in SELF_CHECKED:
                    expected = (403, "forbidden")  # signed: a token is no matter, its signature is missing
                upgrade = PREFIX + route.path in SELF_CHECKED
                assert await _refusal(api.address, route.method, path, token, upgrade) == expected, (path, token)


async def test_no_token_opens_what_needs_a_higher_scope(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for number, scope in enumerate(SCOPE_ORDER):
            token = await hub.tokens.add(scope, [scope], api.context.clock.now())
            for route in ROUTES:
                if route.scope is not None and SCOPE_ORDER.index(route.scope) > number:
                    answer = await _refusal(api.address, route.method, PREFIX + _filled(route.path), token)
                    assert answer == (403, "forbidden"), (scope, route.method, route.path)


async def test_what_changes_something_needs_more_than_reading():
    reading = {"live_url", "recording_url", "ticket"}  # they make a signed address and change nothing
    for route in ROUTES:
        if route.scope == "read" and route.handler.__name__ not in reading:
            assert route.method == "GET", route.path


@pytest.mark.parametrize("spoilt", ["signature=", "signature=é", "expires=1", "expires=9", "none", "other"])
async def test_no_signed_route_opens_with_another_signature(hub, hub_settings, spoilt):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/a"})
        made = (await api.call("POST", "/cameras/front/stream"))[1]["url"].partition("?")[2]
        expires, signature = made.split("&")
        query = {
            "signature=": f"{expires}&signature=", "signature=é": f"{expires}&signature=é",
            "expires=1": f"expires=1&{signature}",
            "expires=9": f"{expires}9&{signature}", "none": "", "other": made,
        }[spoilt]  # fmt: skip
        for route in ROUTES:
            if route.scope is None:
                named = route.path.replace("{camera_id}", "back").replace("{name}", "init_x.mp4")
                path = PREFIX + _filled(named)
                upgrade = PREFIX + route.path in SELF_CHECKED
                answer = await _refusal(api.address, route.method, f"{path}?{query}", upgrade=upgrade)
                expected = {(403, "forbidden"), (401, "unauthorized")} if upgrade else {(403, "forbidden")}
                assert answer in expected, (path, spoilt)


async def test_a_token_revoked_through_the_api_opens_nothing_from_that_moment(hub, hub_settings, monkeypatch):
    monkeypatch.setattr(events, "RECHECK_S", 0.1)
    async with serving_api(hub, hub_settings) as api:
        text = await hub.tokens.add("phone", ["read"], api.context.clock.now())
        phone = api.with_token(text)
        assert (await phone.call("GET", "/cameras"))[0] == 200
        headers = {"Authorization": f"Bearer {text}"}
        async with api.session.ws_connect(f"{api.address}{PREFIX}/events/stream", headers=headers) as stream:
            assert (await stream.receive_json(timeout=30))["kind"] == "hello"
            (known,) = [token for token in await hub.tokens.list() if token.name == "phone"]
            assert (await api.call("DELETE", f"/tokens/{known.token_id}"))[0] == 204
            assert (await phone.call("GET", "/cameras"))[0] == 401
            while not (await stream.receive(timeout=30)).type.name.startswith("CLOS"):
                pass


async def test_a_page_that_listens_by_ticket_has_to_show_its_token_again_in_time(hub, hub_settings, monkeypatch):
    monkeypatch.setattr(events, "TICKETED_LIFE_S", 0.2)
    async with serving_api(hub, hub_settings) as api:
        _, ticket = await api.call("POST", "/events/ticket")
        async with api.session.ws_connect(api.address + ticket["url"]) as stream:
            assert (await stream.receive_json(timeout=30))["kind"] == "hello"
            while not (await stream.receive(timeout=30)).type.name.startswith("CLOS"):
                pass
        async with api.session.ws_connect(api.address + ticket["url"]) as stream:
            assert (await stream.receive_json(timeout=30))["kind"] == "hello"
        late = api.context.clock.now() - timedelta(seconds=1)
        old = f"{PREFIX}/events/stream?{_signed_then(hub, late)}"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await api.session.ws_connect(api.address + old)


def _signed_then(hub, until):
    return Signer(hub.keyring.signing_key(PURPOSE)).query(f"{PREFIX}/events/stream", until)
