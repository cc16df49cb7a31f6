"""The page as its owner sees it, in a real Chromium on a real server and hub."""

import contextlib
import os
import shutil
from datetime import timedelta
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import pytest
from playwright.async_api import async_playwright, expect
from tests.support.web_app import serving_api

from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState, EventType, LocalTrack, NewEvent, PathPoint
from marengocam.db.cameras import CameraStatus
from marengocam.db.word_changes import Speaker
from marengocam.media.store import Store, live_path, picture_path

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
LOOK_MS = 15_000
expect.set_options(timeout=LOOK_MS)


@contextlib.asynccontextmanager
async def _browser_page(address, dark=False, width=1280):
    """Lend a page of a browser; what its console complains about, the Content-Security-Policy included, fails."""
    complaints = []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        try:
            page = await browser.new_page(
                viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
            )
            page.set_default_timeout(LOOK_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
            await page.goto(address)
            yield page
            assert complaints == []
        finally:
            await browser.close()


def _street(width=640, height=360, person=True):
    picture = np.full((height, width, 3), (150, 170, 160), np.uint8)
    picture[height // 2 :] = (90, 100, 95)
    if person:
        cv2.ellipse(picture, (width // 2, height * 2 // 3), (width // 16, height // 4), 0, 0, 360, (60, 60, 160), -1)
        cv2.circle(picture, (width // 2, height // 3), height // 12, (150, 180, 220), -1)
    return cv2.imencode(".jpg", picture)[1].tobytes()


async def _home(hub, store, now):
    """Two cameras, a known person in view, a stranger, services that are well."""
    for camera_id, name in (("corridor", "Corridor"), ("back_yard", "Back yard")):
        await hub.cameras.add(Camera(camera_id, name, "rtsp://camera.invalid/main"))
        store.write_picture(live_path(camera_id), _street(person=camera_id == "corridor"))
    await hub.cameras.write_status(CameraStatus("corridor", CameraState.ONLINE, "", now, now, now))
    reason = "The camera refused the password: check user and password."
    await hub.cameras.write_status(CameraStatus("back_yard", CameraState.OFFLINE, reason, now, now, now))
    for service in ("ingest", "resolver", "janitor"):
        await hub.health.beat(service, "1", "ok", "", now, {})
    await hub.health.beat("face", "1", "degraded", "No face model is here: people are known by looks only.", now, {})
    return await _seen(hub, store, now), await _seen(hub, store, now - timedelta(seconds=40))


async def _seen(hub, store, now):
    """Save a track with its picture, and an identity of nobody known."""
    lease = await hub.leases.acquire("camera:corridor", "test", 30)
    track_id, identity_id = new_id(now), new_id(now)
    path = picture_path("corridor", now, track_id)
    store.write_picture(path, _street(120, 200))
    track = LocalTrack(
        track_id, "corridor", "person", now - timedelta(seconds=3), now, True, 0.9, 9,
        path=(PathPoint(now, Box(0.4, 0.2, 0.6, 0.9), 0.9),), crop_path=PurePosixPath(path),
    )  # fmt: skip
    await hub.tracks.save([track], {"corridor": lease.fence})
    async with hub.database.connection() as connection:
        await connection.execute("INSERT INTO identity VALUES ($1, NULL, $2, $2, $2)", identity_id, now)
        await connection.execute(
            "INSERT INTO assignment VALUES ($1, $2, 0.8, 1.0, '{}', 'resolver', $3)", track_id, identity_id, now
        )
    return track, identity_id


async def _confirmed(hub, clock, track, person):
    now = clock.now()
    data = {"evidence": {"cues": [{"cue": "face", "log_ratio": 5.0, "detail": ""}]}}
    event = NewEvent(
        new_id(now), EventType.PERSON_CONFIRMED, now, camera_id="corridor", local_track_id=track.local_track_id,
        person_id=person.person_id, person_name=person.name, probability=0.97, data=data,
    )  # fmt: skip
    await hub.events.append([event])


async def _sign_in(page, token):
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Open").click()


def _artifact(tmp_path, name):
    folder = Path(os.environ.get("MARENGOCAM_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


async def test_an_owner_sees_cameras_people_events_and_health_and_names_a_stranger(hub, hub_settings, tmp_path):
    store = Store(hub_settings.media_dir)
    async with serving_api(hub, hub_settings) as api:
        (track, identity_id), _ = await _home(hub, store, api.context.clock.now())
        alice = await hub.persons.add("Alice", api.context.clock.now())
        await hub.words.name(identity_id, alice.person_id, Speaker("test", api.context.clock.now()))
        async with _browser_page(api.address) as page:
            await _sign_in(page, api.token)
            await expect(page.locator("#cameras")).to_contain_text("refused the password")
            await expect(page.locator("#persons")).to_contain_text("now on Corridor")
            await expect(page.locator("#services")).to_contain_text("No face model is here")
            drawn = "() => [...document.querySelectorAll('.camera img')].every((image) => image.naturalWidth === 640)"
            await page.wait_for_function(drawn)
            await _confirmed(hub, api.context.clock, track, alice)
            await expect(page.locator("#events li").first).to_contain_text("Alice on Corridor, 97 % by face")
            await page.wait_for_function("() => document.querySelector('#events img').naturalWidth === 120")
            await page.screenshot(path=_artifact(tmp_path, "page-light.png"), full_page=True)
            await page.get_by_label("Name of this person").fill("Bob")
            await page.get_by_role("button", name="Name").click()
            await expect(page.locator("#persons")).to_contain_text("Bob")
            assert sorted(known.person.name for known in await hub.persons.list()) == ["Alice", "Bob"]
            await page.reload()
            await expect(page.locator("#persons")).to_contain_text("Bob")


async def test_the_page_fits_a_phone_in_the_dark(hub, hub_settings, tmp_path):
    async with serving_api(hub, hub_settings) as api:
        await _home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        async with _browser_page(api.address, dark=True, width=390) as page:
            await _sign_in(page, api.token)
            await expect(page.locator("#unknown li").first).to_be_visible()
            width = await page.evaluate("() => document.documentElement.scrollWidth")
            assert width <= 390
            await page.screenshot(path=_artifact(tmp_path, "page-phone-dark.png"), full_page=True)


async def test_a_wrong_token_is_told_and_a_revoked_one_asks_again(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await _home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        async with _browser_page(api.address) as page:
            await _sign_in(page, "mc_wrong")
            await expect(page.get_by_role("alert")).not_to_be_empty()
            await _sign_in(page, api.token)
            await expect(page.locator("#cameras")).to_contain_text("Corridor")
            (token,) = await hub.tokens.list()
            await hub.tokens.revoke(token.token_id, api.context.clock.now())
            await expect(page.get_by_role("alert")).to_contain_text("make a new one")
            await expect(page.locator("#cameras")).to_be_hidden()
            assert await page.evaluate("() => sessionStorage.length") == 0


async def test_what_happens_while_the_server_restarts_is_shown_once_and_in_order(hub, hub_settings):
    async with contextlib.AsyncExitStack() as stack:
        first = contextlib.AsyncExitStack()
        api = await first.enter_async_context(serving_api(hub, hub_settings))
        (track, _), _ = await _home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        people = [await hub.persons.add(name, api.context.clock.now()) for name in ("Ann", "Ben", "Cem")]
        page = await stack.enter_async_context(_browser_page(api.address))
        await _sign_in(page, api.token)
        await expect(page.locator("#cameras")).to_contain_text("Corridor")
        await _confirmed(hub, api.context.clock, track, people[0])
        await expect(page.locator("#events li strong")).to_have_text(["Ann"])
        await first.aclose()
        await _confirmed(hub, api.context.clock, track, people[1])
        port = int(api.address.rpartition(":")[2])
        await stack.enter_async_context(serving_api(hub, hub_settings, port=port))
        await _confirmed(hub, api.context.clock, track, people[2])
        await expect(page.locator("#events li strong")).to_have_text(["Cem", "Ben", "Ann"])
