"""Who may call what, and how refusals look."""

import re

import pytest
from tests.support.web_app import serving_api

from marengocam.web.access import MAX_FAILURES
from marengocam.web.service import ROUTES

GUARDED = [route for route in ROUTES if route.scope]
ANY_ID = "01a20b6e-3e32-7844-b0e5-c2865c9de29c"


def _path(route):
    return re.sub(r"{\w+}", ANY_ID, route.path)


async def test_no_route_opens_without_a_token(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        stranger = api.with_token(None)
        for route in GUARDED:
            status, answer = await stranger.call(route.method, _path(route))
            assert (status, answer["error"]["code"]) == (401, "unauthorized"), route.path


async def test_a_reading_token_changes_nothing(hub, hub_settings):
    async with serving_api(hub, hub_settings, scopes=["read"]) as api:
        for route in GUARDED:
            if route.scope != "read":
                status, answer = await api.call(route.method, _path(route), {})
                assert (status, answer["error"]["code"]) == (403, "forbidden"), route.path


async def test_a_revoked_token_opens_nothing_once_it_is_forgotten(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        other = await hub.tokens.add("phone", ["read"], api.context.clock.now())
        known = next(token for token in await hub.tokens.list() if token.name == "phone")
        await hub.tokens.revoke(known.token_id, api.context.clock.now())
        status, _ = await api.with_token(other).call("GET", "/cameras")
        assert status == 401


async def test_guessing_tokens_is_slowed_down(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for _ in range(MAX_FAILURES):
            status, _answer = await api.with_token("mc_wrong").call("GET", "/cameras")
            assert status == 401
        status, answer = await api.call("GET", "/cameras")
        assert status == 429
        assert "wait" in answer["error"]["message"]


async def test_signed_paths_open_only_what_was_signed(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front", "main_url": "rtsp://camera.invalid/a"})
        _, made = await api.call("POST", "/cameras/front/stream")
        stranger = api.with_token(None)
        status, answer = await stranger.call("GET", made["url"])
        assert status == 404, "nothing is recorded yet, but the signature opens it"
        url, other = made["url"], "1" if made["url"].endswith("0") else "0"
        for wrong in (url.replace("/front/", "/back/"), url[:-1] + other, url.split("?")[0]):
            status, answer = await stranger.call("GET", wrong)
            assert (status, answer["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/nothing", "/cameras/../tokens", "/tracks/not-an-id"])
async def test_what_does_not_exist_is_said_in_json(hub, hub_settings, path):
    async with serving_api(hub, hub_settings, scopes=["read"]) as api:
        status, answer = await api.call("GET", path)
        assert status in {403, 404}
        assert answer["error"]["message"]


async def test_everything_carries_security_headers(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for path in ("/", "/api/v1/openapi.json", "/api/v1/nothing"):
            async with api.session.get(api.address + path) as answer:
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
