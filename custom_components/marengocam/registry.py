"""Identifiers, and the device registry kept equal to what the backend has: backend, cameras, persons."""

from collections.abc import Iterator
from dataclasses import dataclass

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, MANUFACTURER
from .state import BackendState


@dataclass(frozen=True, slots=True)
class Wanted:
    """A device that should exist."""

    unique_id: str
    name: str
    model: str


def camera_unique_id(installation_id: str, camera_id: str) -> str:
    return f"{installation_id}_camera_{camera_id}"


def person_unique_id(installation_id: str, person_id: str) -> str:
    return f"{installation_id}_person_{person_id}"


@callback
def sync_devices(hass: HomeAssistant, entry: ConfigEntry, state: BackendState, address: str) -> None:
    """Add, rename and remove devices (their entities go with them) until they are what the backend has."""
    registry = dr.async_get(hass)
    installation_id = state.info.installation_id
    hub = registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, installation_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer=MANUFACTURER,
        model="Backend",
        name=state.info.name,
        sw_version=state.info.version,
        configuration_url=address,
    )
    wanted = {device.unique_id: device for device in _wanted(state)}
    for device in wanted.values():
        entity_device = registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, device.unique_id)},
            manufacturer=MANUFACTURER,
            model=device.model,
            name=device.name,
        )
        if entity_device.via_device_id != hub.id:
            # Not given as `via_device` above: that way is deprecated, and its successor is unknown to older releases.
            registry.async_update_device(entity_device.id, via_device_id=hub.id)
    for known in dr.async_entries_for_config_entry(registry, entry.entry_id):
        ours = {name for domain, name in known.identifiers if domain == DOMAIN}
        if known.id != hub.id and not ours & wanted.keys():
            registry.async_remove_device(known.id)


def device_names(state: BackendState) -> dict[str, str]:
    """Return what `sync_devices` depends on: every device's name and the backend's version."""
    names = {device.unique_id: device.name for device in _wanted(state)}
    return {**names, state.info.installation_id: f"{state.info.name} {state.info.version}"}


def device_is_wanted(device: dr.DeviceEntry, state: BackendState) -> bool:
    """Return whether the backend still has what this device stands for."""
    wanted = {state.info.installation_id, *(item.unique_id for item in _wanted(state))}
    return any(domain == DOMAIN and name in wanted for domain, name in device.identifiers)


def _wanted(state: BackendState) -> Iterator[Wanted]:
    installation_id = state.info.installation_id
    for camera in state.cameras.values():
        yield Wanted(camera_unique_id(installation_id, camera.camera_id), camera.name, "Camera")
    for person in state.persons.values():
        yield Wanted(person_unique_id(installation_id, person.person_id), person.name, "Person")
