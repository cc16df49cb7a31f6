"""Diagnostics help, and give nothing away."""

import json
from typing import Any

from contract_server import INSTALLATION, TOKEN, ContractServer
from custom_components.marengocam.diagnostics import async_get_config_entry_diagnostics
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import ExtendedJSONEncoder
from pytest_homeassistant_custom_component.common import MockConfigEntry

CANARY = "rtsp://canary:hunter2@10.9.8.7:554/main"
# Texts that are one of few words, times, or what the owner calls a place: all others the backend words as it likes.
NOT_FREE = {"camera_id", "face_engine", "mode", "name", "service", "state", "status", "step", "transport", "zone_id"}


async def test_diagnostics_name_nobody_and_carry_no_secret(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    found = await async_get_config_entry_diagnostics(hass, loaded)
    text = json.dumps(found, cls=ExtendedJSONEncoder)
    for secret in (TOKEN, str(server.port), INSTALLATION, "Alice", "10.0.0.9", "viewer"):
        assert secret not in text, secret
    assert found["events"] == {"connected": True, "last_number": 0, "handled": 0, "late": 0}
    assert [camera["state"] for camera in found["cameras"]] == ["online", "online"]
    assert found["poll"] == {"last_update_success": True, "last_error": None}


def told_by_a_canary(value: Any, key: str = "") -> Any:
    """Return an answer of the backend in which every text that it words freely is a canary."""
    if isinstance(value, dict):
        return {name: told_by_a_canary(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [told_by_a_canary(one, key) for one in value]
    free = isinstance(value, str) and key not in NOT_FREE and not key.endswith(("_at", "since", "now"))
    return CANARY if free or (value is None and key in ("sub_url", "username")) else value


async def test_what_the_backend_words_as_it_likes_is_not_handed_on(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.cameras = told_by_a_canary(server.cameras)
    server.health = told_by_a_canary(server.health)
    server.persons = [one | {"name": CANARY} for one in server.persons]
    server.health["survival"]["reasons"] = ["disk"]
    await loaded.runtime_data.coordinator.async_refresh()
    assert loaded.runtime_data.coordinator.data.health.services[0].reason == CANARY
    found = await async_get_config_entry_diagnostics(hass, loaded)
    text = json.dumps(found, cls=ExtendedJSONEncoder)
    for secret in ("canary", "hunter2", "10.9.8.7"):
        assert secret not in text, secret
    service = {"service": "ingest", "instance": "**REDACTED**", "status": "ok", "reason": "**REDACTED**"}
    assert found["health"]["services"] == [service]
    assert found["health"]["survival"]["reasons"] == ("disk",)


async def test_a_backend_that_is_away_leaves_its_address_out_of_the_diagnostics(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    await server.stop()
    await loaded.runtime_data.coordinator.async_refresh()
    found = await async_get_config_entry_diagnostics(hass, loaded)
    assert str(server.port) not in json.dumps(found["poll"], cls=ExtendedJSONEncoder)
    assert found["poll"] == {"last_update_success": False, "last_error": "UpdateFailed"}
