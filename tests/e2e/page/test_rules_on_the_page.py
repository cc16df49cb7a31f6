"""Rules on the page, in a real Chromium: read in words, switched, tried on the past, written as YAML, removed."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.async_api import expect
from tests.support.page import BROWSER, LOOK_MS, artifact, browser_page, confirmed, home, sign_in
from tests.support.web_app import serving_api

from marengocam.core.ids import new_id
from marengocam.db.firings import Firing, Outcome
from marengocam.media.store import Store

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)
ALICE = {
    "name": "Alice is home",
    "events": ["person_confirmed"],
    "conditions": {"persons": ["Alice"], "cameras": ["corridor"], "min_probability": 0.95},
    "limit": {"at_most": 1, "per_s": 600.0},
    "actions": [{"mqtt": {"topic": "home/arrivals"}}, {"webhook": {"url": "https://example.org/hook/key"}}],
}
NIGHT = {
    "name": "Loitering at the back",
    "events": ["zone_entered"],
    "conditions": {
        "zones": ["Back yard"],
        "identity": ["unknown", "undecided"],
        "time": {"after": "22:00", "before": "06:00"},
        "presence": {"anybody": False},
        "dwell_s": 20.0,
    },
    "actions": [{"keep_clip": {"label": "Somebody at the back"}}, {"record": {"duration_s": 120.0}}],
    "enabled": False,
}


async def _fired(hub, now, rule, event_number, *reasons):
    firing = Firing(
        firing_id=new_id(now), rule_id=UUID(rule["rule_id"]), rule_name=rule["name"], event_number=event_number,
        event_type="person_confirmed", occurred_at=now, fired_at=now, camera_id="corridor", person_name="Alice",
    )  # fmt: skip
    assert await hub.firings.add(firing)
    kinds = [next(iter(action)) for action in rule["actions"]]
    outcomes = [
        Outcome(place=place, action=kind, target="x", state="failed" if reason else "done", reason=reason, ended_at=now)
        for place, (kind, reason) in enumerate(zip(kinds, reasons, strict=True))
    ]
    await hub.firings.add_outcomes([(firing.firing_id, one) for one in outcomes])


async def test_an_owner_reads_rules_in_words_with_what_became_of_them_and_tries_one_on_the_past(
    hub, hub_settings, tmp_path
):
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        (track, _), _ = await home(hub, Store(hub_settings.media_dir), now)
        person = await hub.persons.add("Alice", now)
        for _ in range(2):
            await confirmed(hub, api.context.clock, track, person)
        _, alice = await api.call("POST", "/rules", ALICE)
        await api.call("POST", "/rules", NIGHT)
        await _fired(hub, now - timedelta(hours=2), alice, 1, "", "")
        await _fired(hub, now, alice, 2, "", "The host answers 500.")
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            first = page.locator("#rules > li", has_text="Alice is home")
            await expect(first).to_contain_text(
                "When a person is recognised, about Alice, on Corridor, at least 95 % sure, "
                "at most once in 10 minutes: it publishes to home/arrivals and calls example.org."
            )
            firings = first.get_by_role("list", name="Last firings").locator("li")
            await expect(firings).to_have_count(2)
            await expect(firings.nth(0)).to_contain_text("Alice on Corridor · mqtt done; webhook failed: The host")
            await expect(firings.nth(1)).to_contain_text("mqtt done; webhook done")
            second = page.locator("#rules > li", has_text="Loitering")
            await expect(second).to_contain_text(
                "When a zone is entered, about a stranger or somebody not yet known, in Back yard, "
                "between 22:00 and 06:00, while nobody else with a name is there, staying 20 seconds more: "
                "it keeps a clip “Somebody at the back” and records that camera for 2 minutes."
            )
            await expect(second).to_contain_text("No firing in the last 30 days.")
            await first.get_by_role("button", name="Would it have fired?").click()
            trial = first.get_by_role("status")
            await expect(trial).to_contain_text("It would have fired once from")
            await expect(trial).to_contain_text("Alice on Corridor, 97 % by face")
            await expect(trial).to_contain_text("1 event did not: it has fired once within 600 s")
            await page.screenshot(path=artifact(tmp_path, "page-rules.png"), full_page=True)


async def test_an_owner_switches_a_rule_with_the_keyboard_and_the_switch_keeps_the_focus(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, night = await api.call("POST", "/rules", NIGHT)
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            switch = page.get_by_role("switch", name="Loitering at the back may act")
            await expect(switch).not_to_be_checked()
            for on in (True, False):
                await switch.focus()
                async with page.expect_response(lambda one: one.request.method == "PATCH"):
                    await page.keyboard.press("Space")
                await expect(switch).to_be_checked(checked=on)
                await expect(switch).to_be_focused()
                assert (await api.call("GET", f"/rules/{night['rule_id']}"))[1]["enabled"] is on


async def test_an_owner_writes_a_rule_sees_what_is_wrong_in_its_line_tries_saves_renames_and_removes_it(
    hub, hub_settings, tmp_path
):
    async with serving_api(hub, hub_settings) as api, browser_page(api.address, dark=True, width=390) as page:
        await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        await sign_in(page, api.token)
        await expect(page.locator("#rules")).to_be_empty()
        await page.get_by_role("button", name="Add a rule").click()
        editor = page.get_by_role("dialog", name="A new rule")
        text = editor.get_by_label("The rule as YAML")
        await expect(text).to_be_focused()
        good = await text.input_value()
        await text.fill(good.replace("person_detected", "person_detect"))
        await editor.get_by_role("button", name="Save").click()
        await expect(editor.get_by_role("alert")).to_contain_text("Line 2: Field 'events[0]' cannot be used")
        await expect(text).to_have_attribute("aria-invalid", "true")
        selected = "(area) => area.value.slice(area.selectionStart, area.selectionEnd)"
        assert await text.evaluate(selected) == "events: person_detect"
        await page.screenshot(path=artifact(tmp_path, "page-rule-editor-phone-dark.png"))
        await text.fill(good)
        await editor.get_by_role("button", name="Would it have fired?").click()
        await expect(editor.get_by_role("status")).to_contain_text("It would have fired not at all")
        await expect(editor.get_by_role("alert")).to_be_empty()
        await editor.get_by_role("button", name="Save").click()
        rule = page.locator("#rules > li")
        await expect(rule).to_contain_text("When somebody is seen, on front_door, at most once in 10 minutes")
        assert await page.evaluate("() => document.documentElement.scrollWidth") <= 390
        await page.screenshot(path=artifact(tmp_path, "page-rules-phone-dark.png"), full_page=True)

        await rule.get_by_role("button", name="Edit").click()
        editor = page.get_by_role("dialog", name="Rule “Somebody at the door”")
        text = editor.get_by_label("The rule as YAML")
        await text.fill((await text.input_value()).replace("Somebody at the door", "Door").replace("cameras", "camras"))
        await editor.get_by_role("button", name="Save").click()
        await expect(editor.get_by_role("alert")).to_contain_text(
            "'conditions.camras' cannot be used: it is not known here"
        )
        await text.fill((await text.input_value()).replace("camras", "cameras"))
        page.once("dialog", lambda asked: asked.dismiss())
        await page.keyboard.press("Escape")
        await expect(editor).to_be_visible()
        await editor.get_by_role("button", name="Save").click()
        await expect(editor).to_be_hidden()
        await expect(rule).to_have_count(1)
        await expect(rule).to_contain_text("Door")
        assert [one.name for one in await hub.rules.list()] == ["Door"]

        page.once("dialog", lambda asked: asked.accept())
        await rule.get_by_role("button", name="Remove").click()
        await expect(rule).to_have_count(0)
        assert await hub.rules.list() == []


async def test_a_token_that_may_not_read_rules_is_told_so(hub, hub_settings):
    async with serving_api(hub, hub_settings, scopes=("read",)) as api, browser_page(api.address) as page:
        await sign_in(page, api.token)
        await expect(page.get_by_role("button", name="Add a rule")).to_be_disabled()
        shown = await page.evaluate("() => getComputedStyle(document.querySelector('#rules'), '::before').content")
        assert "a token with the scope write" in shown
