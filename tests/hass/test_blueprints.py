"""The blueprints do what they promise, in a real automation."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract_server import TRACK, ContractServer
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_mock_service

from conftest import PATIENCE_S, Until

BLUEPRINTS = Path(__file__).resolve().parents[2] / "blueprints" / "automation" / "marengocam"
STRANGER = {"person_id": None, "person_name": None}


@pytest.fixture
def phone(hass: HomeAssistant) -> list[ServiceCall]:
    return async_mock_service(hass, "notify", "phone")


async def automate(hass: HomeAssistant, tmp_path: Path, name: str, **inputs: Any) -> None:
    hass.config.config_dir = str(tmp_path)
    target = tmp_path / "blueprints" / "automation" / "marengocam"
    shutil.copytree(BLUEPRINTS, target)
    use = {"path": f"marengocam/{name}.yaml", "input": inputs}
    assert await async_setup_component(hass, "automation", {"automation": {"alias": name, "use_blueprint": use}})
    await hass.async_block_till_done()
    assert hass.states.get(f"automation.{name}").state == "on", "the blueprint is not valid"


async def soon(condition: Callable[[], object]) -> None:
    """Wait without waiting for the automation, which itself waits for an answer."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.01)


async def reply(hass: HomeAssistant, action: str, text: str) -> None:
    """Answer a notification until the automation, which may not listen yet, has heard it and ended."""

    def running() -> int:
        state = hass.states.get("automation.who_is_this")
        return int(state.attributes["current"]) if state else 0

    def answered() -> bool:
        hass.bus.async_fire("mobile_app_notification_action", {"action": action, "reply_text": text})
        return running() == 0

    await soon(lambda: running() == 1)
    await soon(answered)


async def test_a_stranger_is_named_from_the_phone(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    phone: list[ServiceCall],
    tmp_path: Path,
) -> None:
    await automate(hass, tmp_path, "who_is_this", phone="notify.phone", cameras=["camera.front_door"])
    await server.happen("person_unknown", camera_id="yard", **STRANGER)
    event = await server.happen("person_unknown", **STRANGER)
    await soon(lambda: phone)
    (told,) = phone
    assert told.data["data"]["image"] == f"/api/marengocam/{loaded.entry_id}/track/{TRACK}.jpg"
    answer = told.data["data"]["actions"][0]["action"]
    await reply(hass, answer, " Dave ")
    assert _said(server) == [(f"/identities/{event['identity_id']}/name", {"name": "Dave"})]


@pytest.mark.parametrize("words", [("LEAVE", ""), ("NAME", "  ")])
async def test_a_stranger_that_is_not_named_stays_one(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    phone: list[ServiceCall],
    tmp_path: Path,
    words: tuple[str, str],
) -> None:
    await automate(hass, tmp_path, "who_is_this", phone="notify.phone")
    event = await server.happen("person_unknown", **STRANGER)
    await soon(lambda: phone)
    await reply(hass, f"MARENGOCAM_{words[0]}_{event['number']}", words[1])
    assert _said(server) == []


async def test_a_stranger_at_night_is_told_only_when_wanted(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    phone: list[ServiceCall],
    until: Until,
    tmp_path: Path,
) -> None:
    when = [{"condition": "template", "value_template": "{{ is_state('sun.sun', 'below_horizon') }}"}]
    reaction = [{"action": "notify.phone", "data": {"message": "{{ trigger.event.data.camera }}"}}]
    await automate(hass, tmp_path, "stranger_at_night", when=when, reaction=reaction)
    hass.states.async_set("sun.sun", "above_horizon")
    await server.happen("person_unknown", **STRANGER)
    await until(lambda: loaded.runtime_data.feed.handled == 1)
    hass.states.async_set("sun.sun", "below_horizon")
    await server.happen("person_unknown", **STRANGER)
    await until(lambda: phone)
    assert [call.data["message"] for call in phone] == ["Front door"]


async def test_an_arrival_is_told_once_a_visit_and_only_when_sure(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    phone: list[ServiceCall],
    until: Until,
    tmp_path: Path,
) -> None:
    reaction = [{"action": "notify.phone", "data": {"message": "{{ trigger.to_state.attributes.camera }}"}}]
    await automate(hass, tmp_path, "person_arrived", presence=["event.alice_presence"], certainty=96, reaction=reaction)
    await server.happen("person_confirmed", probability=0.5, person_id="00000000-0000-0000-0000-000000000001")
    await until(lambda: hass.states.get("event.alice_presence").attributes.get("event_type") == "arrived")
    server.events.clear()  # as if nobody had been seen before
    await server.happen("person_confirmed", number=2)
    await until(lambda: phone)
    assert [call.data["message"] for call in phone] == ["Front door"]


async def test_a_camera_that_is_away_and_back_is_told(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    phone: list[ServiceCall],
    until: Until,
    tmp_path: Path,
) -> None:
    def say(word: str) -> list[dict[str, Any]]:
        return [{"action": "notify.phone", "data": {"message": word}}]

    await automate(
        hass,
        tmp_path,
        "camera_away",
        connections=["binary_sensor.front_door_connection"],
        patience={"seconds": 0},
        reaction=say("away"),
        relief=say("back"),
    )
    for state in ("offline", "online"):
        server.cameras[0]["state"] = state
        await loaded.runtime_data.coordinator.async_refresh()
        await hass.async_block_till_done()
    await until(lambda: len(phone) == 2)
    assert [call.data["message"] for call in phone] == ["away", "back"]


def _said(server: ContractServer) -> list[tuple[str, Any]]:
    return [(path, body) for method, path, body in server.asked if method == "POST"]
