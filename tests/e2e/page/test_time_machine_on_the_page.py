"""The Time Machine on the page, in a real Chromium: why somebody was missed, and a replay that its owner steers."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import expect
from tests.support.ingest_service import environment_of, ingest_here, until
from tests.support.page import BROWSER, LOOK_MS, browser_page, fill_moment, sign_in
from tests.support.recordings import recorded
from tests.support.squares import render_walks
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera, Chunk
from marengocam.media.names import RecordingName
from marengocam.media.store import Store

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)
CLIP_S = 6.0
REPLAY_MS = 60_000  # a replay is last in line for processors, and loads its detector first


async def test_an_owner_asks_why_sees_how_it_goes_and_cancels(hub, hub_settings):
    began = SystemClock().now().replace(microsecond=0) - timedelta(minutes=5)
    name = RecordingName("front", began, uuid4())
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.chunks.add([Chunk(name.chunk_id, "front", began, 60.0, 1, name.path, "h264", 320, 180)])
    async with serving_api(hub, hub_settings) as api, browser_page(api.address) as page:
        await sign_in(page, api.token)
        await expect(page.locator("#replay-camera")).to_contain_text("Front")
        await fill_moment(page, "#why-at", began + timedelta(seconds=10))
        await page.get_by_role("button", name="Why?").click()
        await expect(page.locator("#replays li")).to_contain_text("Why? Front")
        await page.get_by_role("button", name="Cancel").click()
        await expect(page.locator("#replays li")).to_contain_text("cancelled")
        await page.get_by_role("button", name="Remove").click()
        await expect(page.locator("#replays li")).to_have_count(0)
        await page.locator("#why-at").fill("2020-01-01T10:32:00")
        await page.get_by_role("button", name="Why?").click()
        await expect(page.get_by_role("alert").and_(page.locator("#replay-error"))).to_contain_text(
            "not recorded at that moment"
        )


@pytest.mark.timeout(240)  # a run in a process of its own
async def test_an_owner_replays_a_stretch_with_another_setting_step_by_step_and_opens_the_difference(
    hub, hub_settings, tmp_path, monkeypatch
):
    settings = replace(hub_settings, detector="hog", face_url="off")
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    store = Store(settings.media_dir)
    store.prepare()
    chunk = recorded(store, render_walks(tmp_path / "walk.mp4", CLIP_S, [1.0]), timedelta(minutes=5))
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.chunks.add([chunk])
    async with (
        ingest_here(hub, settings),
        serving_api(hub, settings) as api,
        browser_page(api.address) as page,
    ):
        await sign_in(page, api.token)
        await expect(page.locator("#replay-camera")).to_contain_text("Front")
        await fill_moment(page, "#replay-from", chunk.started_at)
        await fill_moment(page, "#replay-to", chunk.ended_at + timedelta(seconds=1))
        await page.locator("#replay-pace").select_option("step")
        machine = page.get_by_role("region", name="Time Machine")
        await machine.get_by_text("With other settings").click()
        button, run = page.get_by_role("button", name="Replay"), page.locator("#replays li").first
        for wrong, sentence in (("min score 0.3", "key = value"), ("colour = blue", "cannot change 'colour'")):
            await machine.get_by_label("Settings, one a line").fill(wrong)
            await button.click()
            await expect(page.get_by_role("alert").and_(page.locator("#replay-error"))).to_contain_text(sentence)
        await machine.get_by_label("Settings, one a line").fill("confirm_probability = 0.9\nanalysis_fps = 10")
        await button.click()
        await expect(run).to_contain_text("confirm_probability = 0.9")
        await expect(run).to_contain_text("waits for its owner: the next step", timeout=REPLAY_MS)
        await page.get_by_role("button", name="Step", exact=True).click()

        async def taken() -> bool:
            return [one.steps for one in await hub.replays.list(5)] == [1]

        await until(taken)
        await expect(run).to_contain_text("looking, at ")
        await page.screenshot(path=_artifact(tmp_path, "page-time-machine.png"), full_page=True)
        await page.get_by_role("button", name="Pause").click()
        await expect(run).to_contain_text("it is paused")
        await page.get_by_role("button", name="Go on").click()
        await expect(run).to_contain_text("finished", timeout=REPLAY_MS)
        async with page.expect_popup() as opened:
            await run.get_by_role("button", name="Compare").click()
        await expect((await opened.value).locator("body")).to_contain_text("live")

        await machine.get_by_label("Settings, one a line").fill("analysis_fps = 5")
        await page.locator("#replay-pace").select_option("fast")
        await button.click()
        await expect(run).to_contain_text("finishedanalysis_fps = 5", timeout=REPLAY_MS)
        await run.get_by_label("Compared with").select_option(index=1)
        async with page.expect_popup() as opened:
            await run.get_by_role("button", name="Compare").click()
        await expect((await opened.value).locator("body")).to_contain_text("the other replay")
    told = await hub.replays.list(5)
    assert [one.state for one in told] == ["finished", "finished"]
    assert told[1].overrides == {"confirm_probability": "0.9", "analysis_fps": "10"}


def _artifact(tmp_path: Path, name: str) -> Path:
    folder = Path(os.environ.get("MARENGOCAM_ARTIFACTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
