"""The cards in a real browser on a real Home Assistant, fed by the demo's cameras."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARTIFACTS = Path(os.environ.get("MARENGOCAM_ARTIFACTS") or tempfile.gettempdir())
START_LIMIT_S = 420  # set-up of Home Assistant's environment included
END_LIMIT_S = 40
VISIT_LIMIT_MS = 90_000
LOOK_MS = 30_000
FILMED = ("MARENGOCAM_FOOTAGE", "MARENGOCAM_FACES")
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it"),
    pytest.mark.timeout(START_LIMIT_S + 200),
]
HOME_ASSISTANTS_OWN = "/frontend_latest/"


@pytest.fixture
def demo(short_data_folder: Path) -> Iterator[Path]:
    """Run the demo with composed scenes; return what it prints."""
    short_data_folder.chmod(0o755)
    log = short_data_folder / "demo.log"
    environment = dict(os.environ) | dict.fromkeys(FILMED, "")  # composed scenes may be shown to everybody
    with log.open("wb") as output:
        process = subprocess.Popen(
            [ROOT / "script/demo", "--data", short_data_folder], env=environment, stdout=output, stderr=output
        )
    try:
        until_s = time.monotonic() + START_LIMIT_S
        while "Dashboard" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until_s, log.read_text()
            time.sleep(0.5)
        yield log
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(END_LIMIT_S)


def sign_in(page: Page, printed: str) -> None:
    address, user, password = (re.search(rf"{word}\s+(\S+)", printed)[1] for word in ("Dashboard", "user", "password"))
    page.goto(address)
    page.locator("input[name=username]").fill(user.rstrip(","))
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")


def test_who_came_is_shown_with_a_picture_and_a_stranger_is_named(demo: Path) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(LOOK_MS)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        sign_in(page, demo.read_text())
        journeys = page.locator("marengocam-journeys-card")
        picture = journeys.locator("img.picture").first
        expect(picture).to_be_visible(timeout=VISIT_LIMIT_MS)
        assert "authSig=" in (picture.get_attribute("src") or "")
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
        if "Carol is enrolled" in demo.read_text():  # that takes a face model
            expect(page.locator("marengocam-person-card").first).to_contain_text("Carol")

        ask = journeys.get_by_role("button", name="Who is this?").first
        expect(ask).to_be_visible(timeout=VISIT_LIMIT_MS)
        page.screenshot(path=ARTIFACTS / "cards.png")
        ask.click()
        journeys.get_by_label("Name").fill("Dave")
        journeys.get_by_role("button", name="Save").click()
        expect(journeys.locator(".who", has_text="Dave").first).to_be_visible()
        page.screenshot(path=ARTIFACTS / "cards-named.png")
        browser.close()
    # Home Assistant fetches parts of its own page late; one that is cut off by the end of the visit is not ours.
    assert [one for one in complaints if HOME_ASSISTANTS_OWN not in one] == []
