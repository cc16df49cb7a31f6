"""A real Home Assistant in a real browser, from discovery to dashboard, with real cameras and the whole backend."""

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from marengocam.demo.backend import start_backend
from marengocam.demo.home.assistant import PASSWORD, USER, HomeAssistant, start_home_assistant
from marengocam.demo.home.dashboard import save_dashboard
from marengocam.demo.processes import free_port, stop_child
from marengocam.demo.report import Observations
from marengocam.demo.stage import Stage, set_stage
from marengocam.demo.worlds import build_world
from marengocam.web.announcing import addresses_of

ROOT = Path(__file__).resolve().parents[2]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTIFACTS = Path(os.environ.get("MARENGOCAM_ARTIFACTS") or tempfile.gettempdir())
COMPONENT = ROOT / "custom_components" / "marengocam"
BLUEPRINT = ROOT / "blueprints" / "automation" / "marengocam" / "who_is_this.yaml"
SET_UP_LIMIT_S = 420  # of Home Assistant's environment
HAPPEN_LIMIT_S = 120.0
LOOK_MS = 60_000
EVERYWHERE = "0.0.0.0"
HOME_ASSISTANTS_OWN = "/frontend_latest/"
COMPLAINT = re.compile("Detected|deprecated|will be removed|will stop working")
CAMERA = "camera.front_door"
# A phone, as far as a notification goes: what it is told is fired as an event.
PHONE = """\
zeroconf:
script:
  phone:
    fields: {title: {}, message: {}, data: {}}
    sequence:
      - event: phone_rang
        event_data: {title: "{{ title }}", message: "{{ message }}", content: "{{ data }}"}
"""
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it"),
    pytest.mark.timeout(SET_UP_LIMIT_S + 8 * HAPPEN_LIMIT_S),
]


@pytest.fixture(scope="module")
def hass() -> Path:
    made = subprocess.run(
        [ROOT / "script/setup-hass", "runtime"], capture_output=True, text=True, timeout=SET_UP_LIMIT_S, check=True
    )
    return Path(made.stdout.strip()) / "bin" / "hass"


@pytest.fixture
async def stage(short_data_folder: Path, composed_clips: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    """Return composed scenes on cameras, and the whole backend, which the network can find."""
    short_data_folder.chmod(0o755)
    monkeypatch.setenv("MARENGOCAM_BIND_HOST", EVERYWHERE)
    world = await asyncio.to_thread(build_world, None, None, composed_clips)
    async with set_stage(world, short_data_folder, None, COMPONENT, Observations(), print) as stage:
        yield stage


@dataclass
class Ear:
    """What happened on Home Assistant's bus."""

    heard: list[dict[str, Any]] = field(default_factory=list)

    def of(self, kind: str, **data: Any) -> list[dict[str, Any]]:
        return [one["data"] for one in self.heard if one["event_type"] == kind and data.items() <= one["data"].items()]


@asynccontextmanager
async def listening(home: HomeAssistant) -> AsyncIterator[Ear]:
    ear, started = Ear(), asyncio.Event()

    async def listen() -> None:
        async for event in home.events(started, frozenset({"phone_rang"})):
            ear.heard.append(event)

    task = asyncio.create_task(listen())
    await started.wait()
    try:
        yield ear
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Wait until something is true and return it."""
    async with asyncio.timeout(HAPPEN_LIMIT_S):
        while not (found := await condition()):
            await asyncio.sleep(0.2)
    assert found, what
    return found


async def sign_in(page: Page, home: HomeAssistant) -> None:
    await page.goto(home.address)
    await page.locator("input[name=username]").fill(USER)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator("home-assistant-main")).to_be_attached()


async def add_what_was_discovered(page: Page, home: HomeAssistant, token: str) -> None:
    """Add the backend that announced itself, as its owner would: two clicks and the token."""
    await page.goto(f"{home.address}/config/integrations/dashboard")
    found = page.locator("ha-config-flow-card", has_text="MarengoCam")
    await expect(found).to_be_visible()
    await expect(page.locator("#ha-launch-screen")).to_have_count(0)
    await page.screenshot(path=ARTIFACTS / "hass-discovered.png")
    await found.get_by_role("button", name="Add").click()
    dialog = page.locator("dialog-data-entry-flow")
    await expect(dialog.get_by_text("marengocam token create")).to_be_visible()
    await dialog.locator("input").first.fill(token)
    await page.screenshot(path=ARTIFACTS / "hass-token.png")
    await dialog.get_by_role("button", name="Submit").click()
    finish = dialog.get_by_role("button", name="Skip and finish")
    await expect(finish).to_be_visible()
    await page.screenshot(path=ARTIFACTS / "hass-added.png")
    await finish.click()
    await page.wait_for_url("**/integration/marengocam**")


async def use_blueprint(home: HomeAssistant, folder: Path) -> None:
    """Make an automation of *Who is this?*, with the phone as the one to be asked."""
    target = folder / "blueprints" / "automation" / "marengocam"
    target.mkdir(parents=True)
    shutil.copy(BLUEPRINT, target)
    blueprint = {"path": "marengocam/who_is_this.yaml", "input": {"phone": "script.phone"}}
    await home.call(
        "POST", "/api/config/automation/config/who_is_this", {"alias": "Who is this?", "use_blueprint": blueprint}
    )


async def test_from_discovery_to_a_stranger_named_on_the_phone_and_a_backend_that_is_killed(
    hass: Path, stage: Stage, short_data_folder: Path
) -> None:
    data = short_data_folder
    session = stage.backend.session
    home = await start_home_assistant(hass, COMPONENT, data, session, PHONE)
    try:
        async with async_playwright() as driver, listening(home) as ear:
            browser = await driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
            page = await browser.new_page(viewport={"width": 1280, "height": 1000})
            page.set_default_timeout(LOOK_MS)
            expect.set_options(timeout=LOOK_MS)
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await use_blueprint(home, data / "home-assistant")
            await sign_in(page, home)
            if addresses_of(EVERYWHERE):
                await add_what_was_discovered(page, home, stage.backend.token.reveal())
            else:  # there is no network on which the backend could be found
                await home.add_integration(stage.backend.address, stage.backend.token)
            entities = await home.entities()
            dashboard = await save_dashboard(home, entities)
            await page.goto(dashboard)
            journeys = page.locator("marengocam-journeys-card")
            picture = journeys.locator("img.picture").first
            await expect(picture).to_be_visible()
            assert "authSig=" in (await picture.get_attribute("src") or ""), "signed for a short time, without a token"
            await until(lambda: picture.evaluate("image => image.naturalWidth > 0"), "the picture is there")
            await page.screenshot(path=ARTIFACTS / "hass-dashboard.png")

            # Somebody unknown is on the phone, and gets a name there.
            rings = await until(lambda: _soon(ear.of("phone_rang")), "the phone rings")
            told = rings[0]["content"]
            assert told["image"].startswith("/api/marengocam/")
            answer = {"action": told["actions"][0]["action"], "reply_text": " Dave "}
            await home.call("POST", "/api/events/mobile_app_notification_action", answer)
            await expect(journeys.locator(".who", has_text="Dave").first).to_be_visible()
            await until(lambda: _soon(ear.of("marengocam_person_confirmed", person="Dave")), "Dave is recognised")
            await page.screenshot(path=ARTIFACTS / "hass-named.png")

            # Another one gets a name on the card.
            await journeys.get_by_role("button", name="Who is this?").first.click()
            await journeys.get_by_label("Name").fill("Erin")
            await journeys.get_by_role("button", name="Save").click()
            await expect(journeys.locator(".who", has_text="Erin").first).to_be_visible()

            # The backend is killed, and comes back.
            os.killpg(stage.backend.child.process.pid, signal.SIGKILL)
            await until(lambda: has_state(home, CAMERA, "unavailable"), "the camera is unavailable")
            await expect(page.get_by_text("Unavailable").first).to_be_visible()
            await page.screenshot(path=ARTIFACTS / "hass-away.png")
            ports = json.loads((data / "ports.json").read_text()).values()
            await until(lambda: _soon(all(free_port(port) == port for port in ports)), "its ports are free")
            again = await start_backend(data, {}, session)
            try:
                await until(lambda: has_state(home, CAMERA, "recording"), "the camera is back")
                seen = len(ear.of("marengocam_person_detected"))
                await until(lambda: _soon(len(ear.of("marengocam_person_detected")) > seen), "somebody is seen again")
                await page.screenshot(path=ARTIFACTS / "hass-back.png")
                log = (data / "logs" / "home-assistant.log").read_text()
            finally:
                await stop_child(again.child)
            await browser.close()
        # Home Assistant fetches parts of its own page late; one that is cut off by the end of the visit is not ours.
        assert [one for one in complaints if HOME_ASSISTANTS_OWN not in one] == []
    finally:
        await stop_child(home.child)
    numbers = [one["data"]["event_number"] for one in ear.heard if "event_number" in one["data"]]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "each event once, in order"
    away, back = log.count("Error fetching marengocam data"), log.count("Fetching marengocam data recovered")
    assert (away, back) == (1, 1), log
    warned = [line for line in log.splitlines() if COMPLAINT.search(line) and "marengocam" in line]
    assert warned == [], "nothing is deprecated, nothing blocks"
    assert "custom_components/marengocam/" not in log, "no traceback leads there"


async def has_state(home: HomeAssistant, entity_id: str, wanted: str) -> bool:
    state = (await home.call("GET", f"/api/states/{entity_id}"))["state"]
    return bool(state == wanted)


async def _soon(value: Any) -> Any:
    return value
