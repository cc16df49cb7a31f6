"""The page in a real Chromium, and a home for it to show."""

import contextlib
import os
import shutil
from datetime import timedelta
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from playwright.async_api import async_playwright

from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState, EventType, LocalTrack, NewEvent, PathPoint
from marengocam.db.cameras import CameraStatus
from marengocam.media.names import live_path, picture_path

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
LOOK_MS = 30_000  # this machine may be busy


@contextlib.asynccontextmanager
async def browser_page(address, dark=False, width=1280):
    """Lend a page of a browser; what its console complains about, the Content-Security-Policy included, fails."""
    complaints = []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        try:
            page = await browser.new_page(
                viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
            )
            page.complaints = complaints
            page.set_default_timeout(LOOK_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
            await page.goto(address)
            yield page
            assert complaints == []
        finally:
            await browser.close()


def artifact(tmp_path, name):
    """Return where a picture of the page is kept to be looked at."""
    folder = Path(os.environ.get("MARENGOCAM_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def street(width=640, height=360, person=True):
    picture = np.full((height, width, 3), (150, 170, 160), np.uint8)
    picture[height // 2 :] = (90, 100, 95)
    if person:
        cv2.ellipse(picture, (width // 2, height * 2 // 3), (width // 16, height // 4), 0, 0, 360, (60, 60, 160), -1)
        cv2.circle(picture, (width // 2, height // 3), height // 12, (150, 180, 220), -1)
    return cv2.imencode(".jpg", picture)[1].tobytes()


async def home(hub, store, now):
    """Two cameras, a known person in view, a stranger, services that are well."""
    for camera_id, name in (("corridor", "Corridor"), ("back_yard", "Back yard")):
        await hub.cameras.add(Camera(camera_id, name, "rtsp://camera.invalid/main"))
        store.write_picture(live_path(camera_id), street(person=camera_id == "corridor"))
    await hub.cameras.write_status(CameraStatus("corridor", CameraState.ONLINE, "", now, now, now))
    reason = "The camera refused the password: check user and password."
    await hub.cameras.write_status(CameraStatus("back_yard", CameraState.OFFLINE, reason, now, now, now))
    for service in ("ingest", "resolver", "janitor"):
        await hub.health.beat(service, "1", "ok", "", now, {})
    await hub.health.beat("face", "1", "degraded", "No face model is here: people are known by looks only.", now, {})
    return await seen(hub, store, now), await seen(hub, store, now - timedelta(seconds=40))


async def seen(hub, store, now):
    """Save a track with its picture, and an identity of nobody known."""
    lease = await hub.leases.acquire("camera:corridor", "test", 30)
    track_id, identity_id = new_id(now), new_id(now)
    path = picture_path("corridor", now, track_id)
    store.write_picture(path, street(120, 200))
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


async def confirmed(hub, clock, track, person):
    now = clock.now()
    data = {"evidence": {"cues": [{"cue": "face", "log_ratio": 5.0, "detail": ""}]}}
    event = NewEvent(
        new_id(now), EventType.PERSON_CONFIRMED, now, camera_id="corridor", local_track_id=track.local_track_id,
        person_id=person.person_id, person_name=person.name, probability=0.97, data=data,
    )  # fmt: skip
    await hub.events.append([event])


async def sign_in(page, token):
    await page.get_by_label("Token").fill(token)
    await page.get_by_role("button", name="Open").click()


async def fill_moment(page, field, at):
    """Fill a field for a moment as its owner would: in the browser's own time zone."""
    local = await page.evaluate(
        "(at) => { const one = new Date(at); one.setMinutes(one.getMinutes() - one.getTimezoneOffset());"
        " return one.toISOString().slice(0, 19); }",
        at.isoformat(),
    )
    await page.locator(field).fill(local)
