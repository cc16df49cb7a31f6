"""What an owner sees of a camera: live, from any moment that was recorded, and a clip of it to keep."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import av
import pytest
from playwright.async_api import expect
from tests.support.clips import BITS, read_number, write_counter_clip
from tests.support.crowd import known_visitor, passers_by
from tests.support.ingest_service import ingest_here, until
from tests.support.page import BROWSER, LOOK_MS, artifact, browser_page, home, sign_in
from tests.support.web_app import serving_api

from marengocam.core.ids import new_id
from marengocam.core.model import Camera, LocalTrack
from marengocam.demo.rtsp.server import RtspServer
from marengocam.media.store import Store

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)
BUSY = 9000  # a day's sightings before a camera on a street
MARKS = """() => [...document.querySelectorAll('#watch-sightings button')].map((mark) => {
  const { left, right, top, height } = mark.getBoundingClientRect();
  const begin = Math.max(left, 0) + 2;
  return {
    text: mark.ariaLabel, known: mark.className === 'known', left, right,
    seen: document.elementFromPoint(begin, top + height / 2) === mark,
  };
})"""
TICKS = """() => {
  const bar = document.querySelector('#watch-ticks').getBoundingClientRect();
  const ends = [...document.querySelectorAll('#watch-ticks .tick')].map((tick) => tick.getBoundingClientRect());
  return ends.length > 1 && ends[0].left >= bar.left && ends.at(-1).right <= bar.right
    && ends.every((tick, n) => n === 0 || tick.left >= ends[n - 1].right);
}"""
FPS = 15
FRAMES = 90 * FPS
KEYFRAME_S = 4
PLAYS = """() => {
  const film = document.querySelector('#watch-film');
  return film.videoWidth === 192 && film.currentTime > 0 && !film.paused && film.readyState >= 3;
}"""
# The number that the shown frame says, as tests.support.clips draws it.
NUMBER = """() => {
  const BITS = %d;
  const film = document.querySelector('#watch-film');
  const canvas = new OffscreenCanvas(192, 96).getContext('2d');
  canvas.drawImage(film, 0, 0, 192, 96);
  let number = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const [luma] = canvas.getImageData(Math.floor((bit + 0.5) * 192 / BITS), 24, 1, 1).data;
    if (luma > 127) number += 2 ** bit;
  }
  return number;
}""".replace("%d", str(BITS))


def _first_number(file):
    with av.open(str(file)) as opened:
        return read_number(next(opened.decode(video=0)).to_ndarray(format="gray"))


async def _stranger(hub, at):
    lease = await hub.leases.acquire("camera:elsewhere", "test", 30)
    await hub.cameras.add(Camera("elsewhere", "Elsewhere", "rtsp://camera.invalid/main"))
    track = LocalTrack(new_id(at), "elsewhere", "person", at, at + timedelta(seconds=2), False, 0.9, 9)
    await hub.tracks.save([track], {"elsewhere": lease.fence})
    async with hub.database.connection() as connection:  # ingest holds the camera's own lease
        await connection.execute("UPDATE local_track SET camera_id = 'hall' WHERE camera_id = 'elsewhere'")


async def test_a_camera_is_watched_live_and_from_the_moment_that_is_chosen(hub, hub_settings, tmp_path):
    clip = await asyncio.to_thread(write_counter_clip, tmp_path / "clip.mp4", FRAMES, keyframe_s=KEYFRAME_S)
    settings = replace(hub_settings, chunk_s=4)

    async def chunks():
        now = api.context.clock.now()
        return await hub.chunks.span("hall", now - timedelta(minutes=5), now)

    async def some():
        return len(await chunks()) > 1

    async with (
        RtspServer({"front": clip}) as server,
        serving_api(hub, hub_settings) as api,
        ingest_here(hub, settings),
    ):
        await hub.cameras.add(Camera("hall", "Hall", server.url("front"), detect=False))
        await until(some)
        first = (await chunks())[0]
        before = _first_number(hub_settings.media_dir / first.path)
        seen_at = first.started_at + timedelta(seconds=3)
        await _stranger(hub, seen_at)
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            await page.get_by_role("button", name="Watch Hall").click()
            watching = page.get_by_role("dialog")
            await expect(watching.locator("#watch-when")).to_have_text("Live")
            await page.wait_for_function(PLAYS)
            newest = (await page.evaluate(NUMBER) - before) / FPS
            late_s = (api.context.clock.now() - first.started_at).total_seconds() - newest
            assert 0 < late_s < 15, "live is some seconds late, as HLS is"

            await watching.get_by_role("button", name="A stranger").click()
            await expect(watching.locator("#watch-when")).not_to_have_text("Live")
            # Live it would be past that by now; the stranger came at the third second.
            await page.wait_for_function(f"(most) => ({PLAYS})() && ({NUMBER})() < most", arg=before + 5 * FPS)
            await page.screenshot(path=artifact(tmp_path, "page-watching.png"))

            await watching.get_by_role("slider").press("PageDown")
            await expect(watching.get_by_role("alert")).to_contain_text("Nothing was recorded at")
            await page.wait_for_function(PLAYS)
            async with page.expect_download() as saved:
                await watching.get_by_role("button", name="Save this minute").click()
            kept = await (await saved.value).path()
            assert kept.read_bytes()[4:8] == b"ftyp"

            await watching.get_by_role("button", name="Live").click()
            await expect(watching.locator("#watch-when")).to_have_text("Live")
            await page.wait_for_function(PLAYS)
            await watching.get_by_role("button", name="Close").click()
            await expect(watching).to_be_hidden()


async def test_a_camera_that_does_not_record_shows_its_newest_picture_and_says_so(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        async with browser_page(api.address, width=390) as page:
            await sign_in(page, api.token)
            await page.get_by_role("button", name="Watch Corridor").click()
            watching = page.get_by_role("dialog")
            await expect(watching.get_by_role("alert")).to_contain_text("does not record now")
            await page.wait_for_function("() => document.querySelector('#watch-picture').naturalWidth === 640")
            assert await watching.evaluate("one => one.scrollWidth <= one.clientWidth"), "it fits a phone"


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_busy_day_is_shown_whole_and_a_named_person_is_found_among_thousands(
    hub, hub_settings, tmp_path, width
):
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        await hub.cameras.add(Camera("street", "Street", "rtsp://camera.invalid/main"))
        await passers_by(hub, "street", now - timedelta(hours=23), BUSY, every=timedelta(hours=22) / BUSY)
        for minutes in (0, 2, 300):
            await known_visitor(hub, "street", now - timedelta(hours=8) + timedelta(minutes=minutes), "Alice")
        async with browser_page(api.address, width=width) as page:
            asked = []
            page.on("request", lambda request: asked.append(request.url))
            await sign_in(page, api.token)
            await page.get_by_role("button", name="Watch Street").click()
            watching = page.get_by_role("dialog")
            await watching.get_by_label("Shown").select_option("24")
            await expect(watching.get_by_role("button", name="Alice, 2 sightings")).to_be_visible()
            assert len([url for url in asked if "/sightings" in url or "/tracks?" in url]) < 5, "no page after page"
            marks = await page.evaluate(MARKS)
            strangers = [mark for mark in marks if not mark["known"]]
            assert sum(int(mark["text"].split()[0]) for mark in strangers) == BUSY
            assert [mark["text"].split(", ")[0] for mark in marks if mark["known"]] == ["Alice", "Alice"]
            assert all(mark["seen"] for mark in marks), "none is hidden by another"
            assert await page.evaluate(TICKS), "times are neither cut nor one over another"
            assert await watching.evaluate("one => one.scrollWidth <= one.clientWidth"), "it fits the window"
            await page.screenshot(path=artifact(tmp_path, f"page-busy-day-{width}.png"))
