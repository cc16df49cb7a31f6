"""A camera's zones, drawn on its picture in a real Chromium: with the mouse, with the keyboard, on a phone."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect
from tests.support.page import BROWSER, LOOK_MS, browser_page, home, sign_in
from tests.support.web_app import serving_api

from marengocam.media.store import Store

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)


async def _opened(page, api):
    await sign_in(page, api.token)
    await page.get_by_role("button", name="Zones of Corridor").click()
    editor = page.get_by_role("dialog", name="Zones of Corridor")
    await page.wait_for_function("() => document.querySelector('#zone-picture').naturalWidth === 640")
    return editor


async def _zones(api):
    _, camera = await api.call("GET", "/cameras/corridor")
    return {zone["name"]: zone for zone in camera["zones"]}


async def test_an_owner_draws_a_zone_with_the_mouse_and_it_stays_the_same_when_it_is_drawn_anew(
    hub, hub_settings, tmp_path
):
    async with serving_api(hub, hub_settings) as api, browser_page(api.address) as page:
        await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        editor = await _opened(page, api)
        await editor.get_by_role("button", name="Add a zone").click()
        await expect(editor.get_by_label("Name of zone 1")).to_be_focused()
        await page.keyboard.type("Front door")
        stage = await editor.locator("#zone-stage").bounding_box()
        await editor.get_by_role("button", name="Corner 1 of").hover()
        await page.mouse.down()
        await page.mouse.move(stage["x"] + 0.1 * stage["width"], stage["y"] + 0.2 * stage["height"], steps=4)
        await page.mouse.up()
        await editor.get_by_role("button", name="Add a corner after corner 1").click()
        await expect(editor.get_by_role("button", name="Corner 5 of Front door")).to_have_count(1)
        await page.screenshot(path=_artifact(tmp_path, "page-zones.png"))
        await editor.get_by_role("button", name="Save").click()
        await expect(editor).to_be_hidden()
        first = (await _zones(api))["Front door"]
        assert len(first["polygon"]) == 5
        assert first["polygon"][0] == pytest.approx([0.1, 0.2], abs=0.01)

        await page.get_by_role("button", name="Zones of Corridor").click()
        await editor.get_by_role("button", name="Corner 5 of Front door").press("Delete")
        await editor.get_by_role("button", name="Add a zone").click()
        await page.keyboard.type("Front door")
        await editor.get_by_role("button", name="Save").click()
        await expect(editor.get_by_role("alert")).to_contain_text("Two zones have the same name")
        await editor.get_by_label("Name of zone 2").fill("Path")
        await editor.get_by_role("button", name="Save").click()
        await expect(editor).to_be_hidden()
        both = await _zones(api)
        assert both.keys() == {"Front door", "Path"}
        assert (both["Front door"]["zone_id"], len(both["Front door"]["polygon"])) == (first["zone_id"], 4)


async def test_a_zone_is_drawn_with_the_keyboard_and_removed_on_a_phone_in_the_dark(hub, hub_settings, tmp_path):
    async with serving_api(hub, hub_settings) as api, browser_page(api.address, dark=True, width=390) as page:
        await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        editor = await _opened(page, api)
        await page.keyboard.press("Enter")
        await page.keyboard.type("Gate")
        corner = editor.get_by_role("button", name="Corner 2 of")
        await corner.focus()
        for key in ("ArrowRight", "Shift+ArrowUp", "ArrowDown"):
            await page.keyboard.press(key)
        await expect(corner).to_have_accessible_name("Corner 2 of Gate: 66 % from the left, 41 % from the top")
        await expect(corner).to_be_focused()
        await page.screenshot(path=_artifact(tmp_path, "page-zones-phone-dark.png"))
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 390
        page.once("dialog", lambda asked: asked.dismiss())
        await page.keyboard.press("Escape")
        await expect(editor).to_be_visible()
        await editor.get_by_role("button", name="Save").click()
        await expect(editor).to_be_hidden()
        assert (await _zones(api))["Gate"]["polygon"][1] == pytest.approx([0.66, 0.41])
        await page.get_by_role("button", name="Zones of Corridor").click()
        await editor.get_by_role("button", name="Remove Gate").click()
        await editor.get_by_role("button", name="Save").click()
        await expect(editor).to_be_hidden()
        assert await _zones(api) == {}


def _artifact(tmp_path: Path, name: str) -> Path:
    folder = Path(os.environ.get("MARENGOCAM_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
