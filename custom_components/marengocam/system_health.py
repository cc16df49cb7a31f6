"""What Home Assistant's page of system information shows."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .client import MarengoCamClientError
from .const import DOMAIN
from .runtime import MarengoCamConfigEntry

FAILED = {"type": "failed", "error": "unreachable"}


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what is shown."""
    register.async_register_info(_info)


async def _info(hass: HomeAssistant) -> dict[str, Any]:
    entries: list[MarengoCamConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    loaded = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    shown: dict[str, Any] = {"backends": f"{len(loaded)} / {len(entries)}"}
    for number, entry in enumerate(loaded):
        runtime, state = entry.runtime_data, entry.runtime_data.coordinator.data
        prefix = "" if number == 0 else f"{number + 1}_"
        online = sum(camera.state == "online" for camera in state.cameras.values())
        shown |= {
            f"{prefix}can_reach_backend": _reachable(entry),
            f"{prefix}version": state.info.version,
            f"{prefix}status": state.health.status,
            f"{prefix}cameras_online": f"{online} / {len(state.cameras)}",
            f"{prefix}persons": len(state.persons),
            f"{prefix}events_connected": runtime.feed.connected,
            f"{prefix}last_event_number": runtime.feed.last_number,
        }
    return shown


async def _reachable(entry: MarengoCamConfigEntry) -> Any:
    try:
        await entry.runtime_data.client.info()
    except MarengoCamClientError:
        return FAILED
    return "ok"
