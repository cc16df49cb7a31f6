"""Which zones have entities here: all of a camera's until the owner chooses some of them under *Configure*."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .client import Camera, Zone
from .const import OPTION_ZONES
from .state import BackendState

# The keys of what a zone has; the zone's id is the end of the entity's unique id.
ZONE_ENTITIES = frozenset({"zone_occupied", "zone_people"})

Options = Mapping[str, Any]


def shown_zones(options: Options, camera: Camera) -> Iterator[Zone]:
    """Yield the zones of a camera that have entities; without a choice all of them, also those drawn later."""
    chosen = _choices(options).get(camera.camera_id)
    return (zone for zone in camera.zones if chosen is None or zone.zone_id in chosen)


def shown_zone_ids(options: Options, state: BackendState) -> frozenset[str]:
    """Return the zones of all cameras that have entities."""
    return frozenset(zone.zone_id for camera in state.cameras.values() for zone in shown_zones(options, camera))


def with_choice(options: Options, camera: Camera, chosen: Iterable[str]) -> dict[str, Any]:
    """Return the options with these zones of a camera chosen; all of them is the same as no choice."""
    chosen_ids = sorted(chosen)
    if {zone.zone_id for zone in camera.zones} <= set(chosen_ids):
        return without_choice(options, camera.camera_id)
    return _with_choices(options, {**_choices(options), camera.camera_id: chosen_ids})


def without_choice(options: Options, camera_id: str) -> dict[str, Any]:
    """Return the options without a choice of a camera's zones."""
    return _with_choices(options, {one: ids for one, ids in _choices(options).items() if one != camera_id})


@callback
def forget_zones_not_shown(hass: HomeAssistant, entry: ConfigEntry, shown: frozenset[str]) -> None:
    """Remove the entities of all other zones; their camera's device stays, so they would stay with it."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if entity.translation_key in ZONE_ENTITIES and entity.unique_id.rpartition("_")[2] not in shown:
            registry.async_remove(entity.entity_id)


def _choices(options: Options) -> Mapping[str, list[str]]:
    choices: Mapping[str, list[str]] = options.get(OPTION_ZONES, {})
    return choices


def _with_choices(options: Options, choices: Mapping[str, list[str]]) -> dict[str, Any]:
    others = {key: value for key, value in options.items() if key != OPTION_ZONES}
    return {**others, OPTION_ZONES: dict(choices)} if choices else others
