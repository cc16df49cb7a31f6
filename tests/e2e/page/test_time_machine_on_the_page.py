"""Why was somebody missed? Asked on the page, in a real Chromium."""

from datetime import timedelta
from uuid import uuid4

import pytest
from playwright.async_api import expect
from tests.support.page import BROWSER, LOOK_MS, browser_page, sign_in
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, Chunk
from marengocam.media.store import RecordingName

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)


async def test_an_owner_asks_why_sees_how_it_goes_and_cancels(hub, hub_settings):
    began = SystemClock().now().replace(microsecond=0) - timedelta(minutes=5)
    name = RecordingName("front", began, uuid4())
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.chunks.add([Chunk(name.chunk_id, "front", began, 60.0, 1, name.path, "h264", 320, 180)])
    async with serving_api(hub, hub_settings) as api, browser_page(api.address) as page:
        await sign_in(page, api.token)
        await expect(page.locator("#why-camera")).to_contain_text("Front")
        local = await page.evaluate(
            "(at) => { const one = new Date(at); one.setMinutes(one.getMinutes() - one.getTimezoneOffset());"
            " return one.toISOString().slice(0, 19); }",
            (began + timedelta(seconds=10)).isoformat(),
        )
        await page.locator("#why-at").fill(local)
        await page.get_by_role("button", name="Why?").click()
        await expect(page.locator("#replays li")).to_contain_text("Why? front")
        await page.get_by_role("button", name="Cancel").click()
        await hub.replays.claim(SystemClock().now())
        await expect(page.locator("#replays li")).to_contain_text("cancelled")
        await page.get_by_role("button", name="Remove").click()
        await expect(page.locator("#replays li")).to_have_count(0)
        await page.locator("#why-at").fill("2020-01-01T10:32:00")
        await page.get_by_role("button", name="Why?").click()
        await expect(page.get_by_role("alert")).to_contain_text("not recorded at that moment")
