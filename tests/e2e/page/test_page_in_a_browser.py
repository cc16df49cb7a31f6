"""The page as its owner sees it, in a real Chromium on a real server and hub."""

import contextlib

import pytest
from playwright.async_api import expect
from tests.support.page import BROWSER, LOOK_MS, artifact, browser_page, confirmed, home, sign_in
from tests.support.ports import free_port
from tests.support.web_app import serving_api

from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.db.word_changes import Speaker
from marengocam.media.store import Store

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)


async def test_an_owner_sees_cameras_people_events_and_health_and_names_a_stranger(hub, hub_settings, tmp_path):
    store = Store(hub_settings.media_dir)
    async with serving_api(hub, hub_settings) as api:
        (track, identity_id), _ = await home(hub, store, api.context.clock.now())
        alice = await hub.persons.add("Alice", api.context.clock.now())
        await hub.words.name(identity_id, alice.person_id, Speaker("test", api.context.clock.now()))
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            await expect(page.locator("#cameras")).to_contain_text("refused the password")
            await expect(page.locator("#persons")).to_contain_text("now on Corridor")
            await expect(page.locator("#services")).to_contain_text("No face model is here")
            drawn = "() => [...document.querySelectorAll('.camera img')].every((image) => image.naturalWidth === 640)"
            await page.wait_for_function(drawn)
            await confirmed(hub, api.context.clock, track, alice)
            await expect(page.locator("#events li").first).to_contain_text("Alice on Corridor, 97 % by face")
            await page.wait_for_function("() => document.querySelector('#events img').naturalWidth === 120")
            await page.screenshot(path=artifact(tmp_path, "page-light.png"), full_page=True)
            await page.get_by_label("Name of this person").fill("Bob")
            await page.get_by_role("button", name="Name").click()
            await expect(page.locator("#persons")).to_contain_text("Bob")
            assert sorted(known.person.name for known in await hub.persons.list()) == ["Alice", "Bob"]
            await page.reload()
            await expect(page.locator("#persons")).to_contain_text("Bob")


async def test_what_happened_is_told_in_words_of_a_house(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        (track, _), _ = await home(hub, Store(hub_settings.media_dir), now)
        about = {"camera_id": "corridor", "local_track_id": track.local_track_id}
        cues = [{"cue": one, "log_ratio": 2.0, "detail": {}} for one in ("transit", "past_faces", "stay", "way")]
        told = [
            (EventType.PERSON_CONFIRMED, "Alice", {"evidence": {"cues": cues}}),
            (EventType.PERSON_UNKNOWN, None, {"was_person_name": "Alice"}),
            (EventType.PERSON_CORRECTED, "Bob", {"was_person_name": "Alice"}),
            (EventType.VISIT_ENDED, None, {}),
            (EventType.MOMENT_MARKED, None, {"label": "the parcel"}),
        ]
        for kind, name, data in told:
            event = NewEvent(new_id(now), kind, now, person_name=name, probability=0.98, data=data, **about)
            await hub.events.append([event])
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            said = page.locator("#events li")
            await expect(said).to_have_count(len(told))
            for words in (
                "the parcel was marked on Corridor",
                "Somebody has left, last on Corridor",
                "It was Bob on Corridor, not Alice",
                "A stranger on Corridor, not Alice",
                "Alice on Corridor, 98 % by the way, earlier faces",
            ):
                await expect(said.filter(has_text=words)).to_have_count(1)


HOLES = """() => {
  const boxes = [...document.querySelectorAll('#home section')].map((one) => one.getBoundingClientRect());
  const across = (one, other) => one.left < other.right && other.left < one.right;
  return boxes.map((one) => Math.min(...boxes.filter((other) => other.top >= one.bottom && across(one, other)).map(
    (other) => Math.round(other.top - one.bottom)))).filter((gap) => gap > 24 && gap < Infinity);
}"""


@pytest.mark.parametrize("width", [390, 820, 1440])
async def test_sections_stand_under_each_other_without_holes(hub, hub_settings, tmp_path, width):
    async with serving_api(hub, hub_settings) as api:
        (track, _), _ = await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        alice = await hub.persons.add("Alice", api.context.clock.now())
        for _ in range(12):
            await confirmed(hub, api.context.clock, track, alice)
        async with browser_page(api.address, width=width) as page:
            await sign_in(page, api.token)
            await expect(page.locator("#events li")).to_have_count(12)
            await expect(page.locator("#services")).to_contain_text("No face model is here")
            await page.screenshot(path=artifact(tmp_path, f"page-{width}.png"), full_page=True)
            assert await page.evaluate(HOLES) == []
            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width


async def test_the_page_fits_a_phone_in_the_dark(hub, hub_settings, tmp_path):
    async with serving_api(hub, hub_settings) as api:
        await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        async with browser_page(api.address, dark=True, width=390) as page:
            await sign_in(page, api.token)
            await expect(page.locator("#unknown li").first).to_be_visible()
            width = await page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= 390
            await page.screenshot(path=artifact(tmp_path, "page-phone-dark.png"), full_page=True)


async def test_a_wrong_token_is_told_and_a_revoked_one_asks_again(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        async with browser_page(api.address) as page:
            await sign_in(page, "mc_wrong")
            await expect(page.get_by_role("alert")).not_to_be_empty()
            await sign_in(page, api.token)
            await expect(page.locator("#cameras")).to_contain_text("Corridor")
            (token,) = await hub.tokens.list()
            await hub.tokens.revoke(token.token_id, api.context.clock.now())
            told = page.get_by_role("alert").and_(page.locator("#token-error"))
            await expect(told).to_contain_text("make a new one")
            await expect(page.locator("#cameras")).to_be_hidden()
            assert await page.evaluate("() => sessionStorage.length") == 0


async def test_what_happens_while_the_server_restarts_is_shown_once_and_in_order(hub, hub_settings):
    async with contextlib.AsyncExitStack() as stack:
        first = contextlib.AsyncExitStack()
        port = free_port()
        api = await first.enter_async_context(serving_api(hub, hub_settings, port=port))
        (track, _), _ = await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        people = [await hub.persons.add(name, api.context.clock.now()) for name in ("Ann", "Ben", "Cem")]
        page = await stack.enter_async_context(browser_page(api.address))
        await sign_in(page, api.token)
        await expect(page.locator("#cameras")).to_contain_text("Corridor")
        await confirmed(hub, api.context.clock, track, people[0])
        await expect(page.locator("#events li strong")).to_have_text(["Ann"])
        await first.aclose()
        await confirmed(hub, api.context.clock, track, people[1])
        await stack.enter_async_context(serving_api(hub, hub_settings, port=port))
        await confirmed(hub, api.context.clock, track, people[2])
        await expect(page.locator("#events li strong")).to_have_text(["Cem", "Ben", "Ann"])
