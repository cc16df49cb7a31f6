"""What helps to find a fault, without tokens, addresses or people's names."""

from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.core import HomeAssistant

from .const import CONF_ADDRESS, CONF_TOKEN
from .runtime import MarengoCamConfigEntry

SECRET = {CONF_ADDRESS, CONF_TOKEN, "installation_id"}
SECRET_OF_CAMERAS = {"main_url", "sub_url", "username", "reason"}  # a reason may hold an address with its login
SECRET_OF_PERSONS = {"person_id", "name", "last_seen_track_id"}
SECRET_OF_SERVICES = {"instance", "reason"}  # a machine's name; what a camera or a database said


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: MarengoCamConfigEntry) -> dict[str, Any]:
    """Return the state of the entry."""
    runtime = entry.runtime_data
    state = runtime.coordinator.data
    return {
        "entry": {"data": async_redact_data(dict(entry.data), SECRET), "options": dict(entry.options)},
        "backend": async_redact_data(asdict(state.info), SECRET),
        "cameras": [async_redact_data(asdict(camera), SECRET_OF_CAMERAS) for camera in state.cameras.values()],
        "persons": [async_redact_data(asdict(person), SECRET_OF_PERSONS) for person in state.persons.values()],
        "health": asdict(state.health)
        | {"services": [async_redact_data(asdict(service), SECRET_OF_SERVICES) for service in state.health.services]},
        "preferences": asdict(state.preferences),
        "not_recorded_s": dict(state.not_recorded_s),
        "events": {
            "connected": runtime.feed.connected,
            "last_number": runtime.feed.last_number,
            "handled": runtime.feed.handled,
            "late": runtime.feed.late,
        },
        "poll": {
            "last_update_success": runtime.coordinator.last_update_success,
            "last_error": type(runtime.coordinator.last_exception).__name__
            if runtime.coordinator.last_exception
            else None,
        },
    }
