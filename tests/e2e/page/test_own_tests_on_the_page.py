"""An owner's own tests on the page, in a real Chromium: marked, run with the recording, their outcomes, removed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.async_api import expect
from tests.support.page import BROWSER, LOOK_MS, artifact, browser_page, fill_moment, sign_in
from tests.support.recordings import recorded
from tests.support.replay_eyes import squares
from tests.support.squares import render_walks
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.media.store import Store
from marengocam.replay.suite_run import run_suite

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)


@pytest.fixture
async def walk(hub, hub_settings, tmp_path):
    """Six seconds of camera `front` with somebody who walks, and the settings they are looked at with."""
    store = Store(hub_settings.media_dir)
    store.prepare()
    chunk = recorded(store, render_walks(tmp_path / "walk.mp4", 6.0, [1.0]), timedelta(minutes=5))
    await hub.cameras.add(Camera("front", "Front", "rtsp://127.0.0.1:1/front"))
    await hub.persons.add("Alice", SystemClock().now())
    await hub.chunks.add([chunk])
    return chunk, replace(hub_settings, face_url="off", analysis_fps=10.0)


async def _fill(page, name, chunk, expected):
    await page.get_by_label("Name", exact=True).fill(name)
    await fill_moment(page, "#test-from", chunk.started_at)
    await fill_moment(page, "#test-to", chunk.ended_at)
    await page.get_by_label("Should be seen").fill(expected)
    await page.get_by_role("button", name="Add a test").click()


async def test_an_owner_marks_moments_runs_them_sees_the_outcomes_and_removes_one(hub, walk, tmp_path):
    chunk, settings = walk
    async with serving_api(hub, settings) as api, browser_page(api.address) as page:
        await sign_in(page, api.token)
        tests = page.get_by_role("region", name="Your own tests")
        await expect(page.locator("#test-camera")).to_contain_text("Front")
        await expect(page.locator("#test-expectations option[value='person:Alice']")).to_have_count(1)
        await expect(tests.get_by_role("button", name="Run all tests")).to_be_disabled()
        await _fill(page, "the mailman", chunk, "mailman")
        await expect(tests.get_by_role("alert")).to_contain_text("'mailman' cannot be expected")
        await expect(page.get_by_label("Should be seen")).to_be_focused()
        await expect(page.get_by_label("Should be seen")).to_have_attribute("aria-invalid", "true")
        await _fill(page, "the mailman", chunk, "person")
        await expect(tests.get_by_role("listitem")).to_have_count(1)
        await expect(tests.get_by_role("alert")).to_be_empty()
        await _fill(page, "Alice at the door", chunk, "person:Alice")
        mailman = tests.get_by_role("listitem").filter(has_text="the mailman")
        await expect(mailman).to_contain_text("expected: personnever run")

        await tests.get_by_role("button", name="Run all tests").click()
        await expect(page.locator("#replays li").first).to_contain_text("2 tests of your own")
        await run_suite(settings, await hub.replays.claim(SystemClock().now()), squares)
        alice = tests.get_by_role("listitem").filter(has_text="Alice at the door")
        await expect(mailman).to_contain_text("passed ")
        await expect(alice).to_contain_text("failed ")
        await expect(alice).to_contain_text(": saw person")
        await page.screenshot(path=artifact(tmp_path, "page-own-tests.png"), full_page=True)
        async with page.expect_popup() as opened:
            await page.locator("#replays li").first.get_by_role("button", name="Open").click()
        await expect((await opened.value).locator("body")).to_contain_text("1 of 2 passed")

        page.once("dialog", lambda asked: asked.accept())
        await alice.get_by_role("button", name="Remove").click()
        await expect(tests.get_by_role("listitem")).to_have_count(1)
        assert [case.name for case in await hub.cases.list()] == ["the mailman"]
        await tests.get_by_text("With other settings").click()
        await tests.get_by_label("Settings, one a line").fill("labels = car")
        await mailman.get_by_role("button", name="Run").click()
        await expect(page.locator("#replays li").first).to_contain_text("1 test of your own")
        newest = (await hub.replays.list(1))[0]
        assert (newest.overrides, len(newest.case_ids)) == ({"labels": "car"}, 1)


async def test_the_moment_of_a_run_becomes_a_test_and_the_form_fits_a_phone_in_the_dark(hub, walk, tmp_path):
    chunk, settings = walk
    await hub.replays.request("front", SystemClock().now(), from_at=chunk.started_at, to_at=chunk.ended_at)
    run = await hub.replays.claim(SystemClock().now())
    await hub.replays.finish(run.run_id, {}, SystemClock().now(), {})
    async with serving_api(hub, settings) as api, browser_page(api.address, dark=True, width=390) as page:
        await sign_in(page, api.token)
        await page.get_by_role("button", name="Make a test").click()
        await expect(page.get_by_label("Name", exact=True)).to_be_focused()
        await page.keyboard.type("somebody")
        await page.get_by_label("Should be seen").fill("person")
        await page.get_by_role("button", name="Add a test").click()
        await expect(page.locator("#tests li")).to_contain_text("somebody")
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 390
        await page.screenshot(path=artifact(tmp_path, "page-own-tests-phone-dark.png"), full_page=True)
    (case,) = await hub.cases.list()
    assert abs(case.from_at - chunk.started_at) < timedelta(seconds=1)
    assert abs(case.to_at - chunk.ended_at) < timedelta(seconds=1)
