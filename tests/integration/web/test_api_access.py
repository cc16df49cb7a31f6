"""Who may call what, and how refusals look."""

import pytest
from tests.support.web_app import serving_api

from marengocam.web.access import MAX_FAILURES


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
