"""What an action is about: the backend, the camera, the person, the stretch of time that a call names."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import ServiceCall
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..client import Camera, Person
from ..const import DOMAIN
from ..registry import camera_unique_id
from ..runtime import MarengoCamConfigEntry
from ..schema import vol

ATTR_CAMERA_ID: Final = "camera_id"
ATTR_CONFIG_ENTRY_ID: Final = "config_entry_id"
ATTR_PERSON: Final = "person"
ATTR_FROM: Final = "from"
ATTR_TO: Final = "to"

CAMERA_FIELDS: Mapping[Any, Any] = {
    vol.Exclusive(ATTR_ENTITY_ID, "camera"): cv.entity_domain(CAMERA_DOMAIN),
    vol.Exclusive(ATTR_CAMERA_ID, "camera"): cv.string,
}
SPAN_FIELDS: Mapping[Any, Any] = {vol.Required(ATTR_FROM): cv.datetime, vol.Required(ATTR_TO): cv.datetime}
BACKEND_FIELDS: Mapping[Any, Any] = {vol.Optional(ATTR_CONFIG_ENTRY_ID): cv.string}
NAME = vol.All(cv.string, vol.Strip, vol.Length(min=1, max=100))


def for_a_camera(fields: Mapping[Any, Any], *checks: Callable[[Any], Any]) -> Any:
    """Return the schema of an action about one camera; `checks` look at what fits it."""
    named = cv.has_at_least_one_key(ATTR_ENTITY_ID, ATTR_CAMERA_ID)
    return vol.All(vol.Schema({**CAMERA_FIELDS, **fields}), named, *checks)


def refused(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error of a call that cannot be carried out as it is."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders or None
    )


def camera_of(call: ServiceCall) -> tuple[MarengoCamConfigEntry, Camera]:
    """Return the loaded entry and the camera that the call names; raises ServiceValidationError."""
    entity_id: str | None = call.data.get(ATTR_ENTITY_ID)
    known = er.async_get(call.hass).async_get(entity_id) if entity_id else None
    for entry in _loaded(call):
        state = entry.runtime_data.coordinator.data
        for camera_id, camera in state.cameras.items():
            if entity_id is None:
                found = camera_id == call.data[ATTR_CAMERA_ID]
            else:
                unique_id = camera_unique_id(state.info.installation_id, camera_id)
                found = known is not None and known.platform == DOMAIN and known.unique_id == unique_id
            if found:
                return entry, camera
    raise refused("unknown_camera", camera=entity_id or call.data[ATTR_CAMERA_ID])


def backend_of(call: ServiceCall) -> MarengoCamConfigEntry:
    """Return the loaded entry that the call names, or the only one there is; raises ServiceValidationError."""
    loaded = _loaded(call)
    wanted = call.data.get(ATTR_CONFIG_ENTRY_ID)
    if wanted is not None:
        loaded = [entry for entry in loaded if entry.entry_id == wanted]
        if not loaded:
            raise refused("not_loaded")
    if len(loaded) > 1:
        raise refused("which_backend")
    return loaded[0]


def person_of(entry: MarengoCamConfigEntry, name_or_id: str) -> Person:
    """Return the person of this name (whatever the case) or id; raises ServiceValidationError."""
    for person in entry.runtime_data.coordinator.data.persons.values():
        if name_or_id == person.person_id or person.name.casefold() == name_or_id.casefold():
            return person
    raise refused("unknown_person", person=name_or_id)


def span_of(call: ServiceCall) -> tuple[datetime, datetime]:
    """Return the stretch of time that the call names; raises ServiceValidationError."""
    from_at, to_at = in_zone(call.data[ATTR_FROM]), in_zone(call.data[ATTR_TO])
    if from_at >= to_at:
        raise refused("span_order")
    return from_at, to_at


def in_zone(moment: datetime) -> datetime:
    """Take a time without a zone as Home Assistant's own."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt_util.get_default_time_zone())


def _loaded(call: ServiceCall) -> list[MarengoCamConfigEntry]:
    entries: list[MarengoCamConfigEntry] = call.hass.config_entries.async_entries(DOMAIN)
    loaded = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    if not loaded:
        raise refused("not_loaded")
    return loaded
