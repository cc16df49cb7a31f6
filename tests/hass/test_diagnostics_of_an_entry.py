"""Diagnostics help, and give nothing away."""

import json

from contract_server import INSTALLATION, TOKEN, ContractServer
from custom_components.marengocam.diagnostics import async_get_config_entry_diagnostics
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import ExtendedJSONEncoder
from pytest_homeassistant_custom_component.common import MockConfigEntry


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
