"""The action marengocam.replay: checked before it is sent, its answer returned, refusals in the owner's words."""

from typing import Any

import pytest
import voluptuous as vol
from contract_server import ContractServer
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

STRETCH = {"from": "2026-11-24 10:15:00", "to": "2026-11-24 10:20:00"}


async def replay(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    return await hass.services.async_call("marengocam", "replay", STRETCH | data, blocking=True, return_response=True)


async def test_a_stretch_is_asked_for_in_home_assistants_own_time(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    response = await replay(hass, entity_id="camera.front_door", debug=True)
    (run,) = server.replays.values()
    assert response == {"run_id": run["run_id"], "state": "requested"}
    assert run["camera_id"] == "front"
    assert (run["from_at"], run["to_at"]) == ("2026-11-24T09:15:00Z", "2026-11-24T09:20:00Z")
    assert (run["debug"], run["pace"], run["models"], run["overrides"]) == (True, "fast", [], {})


async def test_it_can_be_waited_for(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.marengocam.services.replay.REPLAY_POLL_S", 0.01)
    overrides = {"detector_min_score": 0.4}
    response = await replay(hass, camera_id="yard", wait=True, overrides=overrides, gallery_at="2026-11-24 10:00:00")
    assert response["state"] == "finished"
    assert response["report"] == {"tracks": 3}
    assert (response["summary"], response["difference"]) == ("One passage more.", {"new": 1})
    (run,) = server.replays.values()
    assert run["overrides"] == {"detector_min_score": "0.4"}
    assert run["gallery_at"].endswith("Z")


async def test_it_takes_models_and_a_pace(hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry) -> None:
    await replay(hass, camera_id="front", models="yolo11n-int8", pace="real_time")
    (run,) = server.replays.values()
    assert (run["models"], run["pace"]) == (["yolo11n-int8"], "real_time")


async def test_a_moment_is_explained_instead_of_a_stretch(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    monkeypatch.setattr("custom_components.marengocam.services.replay.REPLAY_POLL_S", 0.01)
    asked = {"camera_id": "front", "why": "2026-11-24 10:17:30", "wait": True, "overrides": {"detector_min_score": 0.3}}
    response = await hass.services.async_call("marengocam", "replay", asked, blocking=True, return_response=True)
    assert response["state"] == "finished"
    assert response["report"] == {"tracks": 3}
    assert "difference" not in response, "an explanation is compared with nothing"
    (run,) = server.replays.values()
    assert (run["camera_id"], run["at"]) == ("front", "2026-11-24T09:17:30Z")
    assert run["overrides"] == {"detector_min_score": "0.3"}


@pytest.mark.parametrize("data", [{}, {"from": STRETCH["from"]}, {"why": STRETCH["to"], "to": STRETCH["to"]}])
async def test_it_is_either_a_stretch_or_a_moment(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    asked = {"camera_id": "front"} | data
    with pytest.raises(vol.Invalid):
        await hass.services.async_call("marengocam", "replay", asked, blocking=True, return_response=True)


async def test_waiting_ends_when_it_takes_too_long(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.marengocam.services.replay.REPLAY_LIMIT_S", 0.05)
    with pytest.raises(HomeAssistantError, match="did not finish"):
        await replay(hass, camera_id="yard", wait=True)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"entity_id": "camera.elsewhere"}, "camera.elsewhere is not a camera"),
        ({"camera_id": "attic"}, "attic is not a camera"),
        ({"camera_id": "front", "to": "2026-11-24 10:15:00"}, "begin before it ends"),
    ],
)
async def test_what_makes_no_sense_is_refused_before_it_is_sent(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, data: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceValidationError, match=message):
        await replay(hass, **data)
    assert server.replays == {}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"entity_id": "camera.front_door", "camera_id": "front"},
        {"entity_id": "light.front_door"},
        {"camera_id": "front", "from": "whenever"},
        {"camera_id": "front", "speed": 2},
        {"camera_id": "front", "pace": "slow"},
    ],
)
async def test_what_does_not_fit_the_form_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await replay(hass, **data)


async def test_the_backends_refusal_and_its_absence_are_told(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.refuse("/replays", 400, "bad_input", "Nothing was recorded then.")
    with pytest.raises(ServiceValidationError, match="Nothing was recorded then"):
        await replay(hass, camera_id="front")
    await server.stop()
    with pytest.raises(HomeAssistantError, match="cannot be reached"):
        await replay(hass, camera_id="front")
    await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError, match="not set up"):
        await replay(hass, camera_id="front")
