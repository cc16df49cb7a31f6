"""What an owner sees of one sighting: its film, why it is who it is, and that a wrong name can be taken back there."""

import asyncio
import json
from datetime import timedelta
from pathlib import PurePosixPath

import pytest
from playwright.async_api import expect
from tests.support.clips import write_counter_clip
from tests.support.page import BROWSER, LOOK_MS, artifact, browser_page, confirmed, home, sign_in, street
from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, LocalTrack, NewEvent, PathPoint
from marengocam.db.word_changes import Speaker
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.names import picture_path
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamReader

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)
PLAYS = """() => {
  const film = document.querySelector('#sighting-film');
  return film.videoWidth === 192 && film.duration > 2;
}"""


def _recorded(folder, store):
    clip, clock = write_counter_clip(folder / "clip.mp4", 60), SystemClock()
    with StreamReader(clip.as_uri(), StreamOptions(), clock, clock.now() - timedelta(minutes=1)) as reader:
        writer = ChunkWriter(store, "corridor", reader.video, reader.info, 100)
        for packet in reader:
            writer.write(packet)
        return writer.close()


async def _alice_seen(hub, store, at, before):
    """Alice is seen at a time, known by her clothes, which were seen on an earlier track."""
    lease = await hub.leases.acquire("camera:corridor", "test", 30)
    track_id, identity_id = new_id(at), new_id(at)
    path = picture_path("corridor", at, track_id)
    store.write_picture(path, street(120, 200))
    track = LocalTrack(
        track_id, "corridor", "person", at, at + timedelta(seconds=1), False, 0.9, 9,
        path=(PathPoint(at, Box(0.4, 0.2, 0.6, 0.9), 0.9),), crop_path=PurePosixPath(path),
    )  # fmt: skip
    await hub.tracks.save([track], {"corridor": lease.fence})
    alice = await hub.persons.add("Alice", at)
    looks = {
        "model": "test",
        "cosine": 0.71,
        "quality": 0.8,
        "compared": 3,
        "with_track_id": str(before.local_track_id),
    }
    both = {"cosine": 0.55, "compared": 6, "of_track_id": str(before.local_track_id)}
    both |= {"with_track_id": str(before.local_track_id)}
    way = {"from": "back_yard", "seconds": 9.0, "usual_s": 60.0}
    evidence = {
        "cues": [
            {"cue": "transit", "log_ratio": -1.2, "detail": way},
            {"cue": "appearance", "log_ratio": 5.1, "detail": looks},
            {"cue": "past_appearance", "log_ratio": 2.4, "detail": both},
        ],
        "margin": 3.4,
        "runner_up": {"identity_id": "new", "name": None, "log_odds": 0.0},
    }
    async with hub.database.connection() as connection:
        await connection.execute("INSERT INTO identity VALUES ($1, $2, $3, $3, $3)", identity_id, alice.person_id, at)
        await connection.execute(
            "INSERT INTO assignment VALUES ($1, $2, 0.97, 1.0, $4, 'resolver', $3)",
            track_id, identity_id, at, json.dumps(evidence),
        )  # fmt: skip
    return track, alice


async def test_a_sighting_shows_its_film_and_reasons_and_a_wrong_name_is_taken_back(hub, hub_settings, tmp_path):
    store = Store(hub_settings.media_dir)
    async with serving_api(hub, hub_settings) as api:
        _, (before, _) = await home(hub, store, api.context.clock.now())
        chunk = await asyncio.to_thread(_recorded, tmp_path, store)
        await hub.chunks.add([chunk])
        track, alice = await _alice_seen(hub, store, chunk.started_at + timedelta(seconds=1), before)
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            await confirmed(hub, api.context.clock, track, alice)
            await page.get_by_role("button", name="Alice on Corridor").click()
            sighting = page.get_by_role("dialog")
            await expect(sighting.get_by_role("heading").first).to_have_text("Alice on Corridor, 97 % sure")
            await page.wait_for_function(PLAYS)
            cues = sighting.locator("#sighting-cues li")
            await expect(cues.first).to_contain_text("Clothes and build: very strongly for it")
            await expect(cues.first).to_contain_text("71 of 100 alike, of 3 looks compared")
            await expect(cues.first.get_by_alt_text("compared with")).to_be_visible()
            await expect(cues.nth(1)).to_contain_text("All looks of this visit: strongly for it")
            await expect(cues.nth(1)).to_contain_text("55 of 100 alike, of 6 looks compared")
            await expect(cues.nth(1).get_by_alt_text("seen shortly before")).to_be_visible()
            await expect(cues.nth(1).get_by_alt_text("compared with")).to_be_visible()
            await expect(cues.last).to_contain_text("somewhat against it")
            await expect(cues.last).to_contain_text("took 9 s, usually 60 s")
            await expect(sighting).to_contain_text("Else it would be somebody never seen before: 30 times less likely.")
            await page.screenshot(path=artifact(tmp_path, "page-sighting.png"))

            await sighting.get_by_role("button", name="Not Alice").click()
            await expect(sighting.locator("#sighting-said")).to_have_text("This is not Alice.")
            await expect(sighting.get_by_role("heading").first).not_to_contain_text("Alice")
            await sighting.get_by_role("button", name="Undo").click()
            await expect(sighting.locator("#sighting-said")).to_have_text("Taken back.")
            await expect(sighting.get_by_role("heading").first).to_contain_text("Alice")

            await sighting.get_by_label("This is").fill("Ann")
            await sighting.get_by_role("button", name="Say").click()
            await expect(sighting.get_by_role("heading").first).to_have_text("Ann on Corridor, as you said")
            await sighting.get_by_role("button", name="Watch from here").click()
            await expect(sighting.get_by_role("heading").first).to_have_text("Corridor")
            await page.wait_for_function(PLAYS.replace("sighting-film", "watch-film"))
            await expect(sighting.locator("#watch-when")).not_to_have_text("Live")
            await sighting.get_by_role("button", name="Close").click()
            await expect(sighting).to_be_hidden()
    assert sorted(known.person.name for known in await hub.persons.list()) == ["Alice", "Ann"]


async def test_somebody_who_was_recognised_is_listed_once(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        (track, _), (other, _) = await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        bob = await hub.persons.add("Bob", api.context.clock.now())
        for one in (other, track):
            await hub.events.append([detected(one, api.context.clock.now())])
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            await expect(page.locator("#events li strong")).to_have_text(["Somebody", "Somebody"])
            await confirmed(hub, api.context.clock, track, bob)
            await expect(page.locator("#events li strong")).to_have_text(["Bob", "Somebody"])
            await page.reload()
            await expect(page.locator("#events li strong")).to_have_text(["Bob", "Somebody"])


async def test_strangers_and_persons_open_what_was_seen_of_them_last(hub, hub_settings):
    store = Store(hub_settings.media_dir)
    async with serving_api(hub, hub_settings) as api:
        (_, identity_id), _ = await home(hub, store, api.context.clock.now())
        alice = await hub.persons.add("Alice", api.context.clock.now())
        await hub.words.name(identity_id, alice.person_id, Speaker("test", api.context.clock.now()))
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            sighting = page.get_by_role("dialog")
            await page.locator("#persons").get_by_role("button", name="Alice").click()
            await expect(sighting.get_by_role("heading").first).to_have_text("Alice on Corridor, as you said")
            await sighting.get_by_role("button", name="Close").click()
            await page.get_by_role("button", name="See this stranger").first.click()
            await expect(sighting.get_by_role("heading").first).to_have_text("A stranger on Corridor")


async def test_a_sighting_without_a_picture_does_not_show_that_of_the_one_before(hub, hub_settings):
    store = Store(hub_settings.media_dir)
    async with serving_api(hub, hub_settings) as api:
        (track, _), (other, _) = await home(hub, store, api.context.clock.now())
        store.delete(other.crop_path)
        for one in (other, track):
            await hub.events.append([detected(one, api.context.clock.now())])
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            rows, sighting = page.locator("#events").get_by_role("button"), page.get_by_role("dialog")
            await rows.first.click()
            await page.wait_for_function("() => document.querySelector('#sighting-crop').naturalWidth === 120")
            await sighting.get_by_role("button", name="Close").click()
            await rows.last.click()
            await expect(sighting.locator("#sighting-missing")).not_to_be_empty()
            assert await page.evaluate("() => document.querySelector('#sighting-crop').naturalWidth") == 0


async def test_what_happened_before_is_a_press_away(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        (track, _), _ = await home(hub, Store(hub_settings.media_dir), api.context.clock.now())
        people = [await hub.persons.add(f"Person {number}", api.context.clock.now()) for number in range(40)]
        for person in people:
            await confirmed(hub, api.context.clock, track, person)
        async with browser_page(api.address) as page:
            await sign_in(page, api.token)
            listed = page.locator("#events li strong")
            await expect(listed).to_have_text([f"Person {number}" for number in range(39, 9, -1)])
            await confirmed(hub, api.context.clock, track, await hub.persons.add("New", api.context.clock.now()))
            await expect(listed.first).to_have_text("New")
            older = page.get_by_role("button", name="Older")
            await older.click()
            await expect(listed).to_have_text(["New", *(f"Person {number}" for number in range(39, -1, -1))])
            await expect(older).to_be_hidden()


def detected(track, now):
    return NewEvent(
        new_id(now), EventType.PERSON_DETECTED, now, camera_id="corridor", local_track_id=track.local_track_id
    )


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_sighting_that_was_not_recorded_shows_its_picture(hub, hub_settings, tmp_path, width):
    store = Store(hub_settings.media_dir)
    async with serving_api(hub, hub_settings) as api:
        (track, _), _ = await home(hub, store, api.context.clock.now())
        bob = await hub.persons.add("Bob", api.context.clock.now())
        async with browser_page(api.address, width=width) as page:
            await sign_in(page, api.token)
            await confirmed(hub, api.context.clock, track, bob)
            await page.locator("#events").get_by_role("button").first.click()
            sighting = page.get_by_role("dialog")
            await expect(sighting.locator("#sighting-missing")).not_to_be_empty()
            await page.wait_for_function("() => document.querySelector('#sighting-crop').naturalWidth === 120")
            await expect(sighting.locator("#sighting-film")).to_be_hidden()
            await page.screenshot(path=artifact(tmp_path, f"page-sighting-{width}.png"))
            assert await page.evaluate("() => document.documentElement.scrollWidth") <= width
