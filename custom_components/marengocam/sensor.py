"""Sensors: where each person was last seen, how many are there, and how the backend is doing."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import (
    BackendEntity,
    CameraDeviceEntity,
    PersonEntity,
    ZoneEntity,
    add_as_they_come,
    camera_ids,
    person_ids,
    zone_keys,
)
from .runtime import MarengoCamConfigEntry
from .sensors import (
    BACKEND,
    CAMERA,
    FEED,
    PERSON,
    ZONE,
    BackendSensorDescription,
    CameraSensorDescription,
    FeedSensorDescription,
    PersonSensorDescription,
    Value,
)

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the backend's sensors, and those of every camera, zone and person now and later."""
    coordinator = entry.runtime_data.coordinator
    async_add_entities(BackendSensor(coordinator, description) for description in BACKEND)
    async_add_entities(FeedSensor(entry, description) for description in FEED)
    add_as_they_come(
        entry, async_add_entities, camera_ids, lambda one: [CameraSensor(coordinator, one, d) for d in CAMERA]
    )
    add_as_they_come(entry, async_add_entities, zone_keys, lambda one: [ZoneSensor(coordinator, one, ZONE)])
    add_as_they_come(
        entry, async_add_entities, person_ids, lambda one: [PersonSensor(coordinator, one, d) for d in PERSON]
    )


class BackendSensor(BackendEntity, SensorEntity):
    """One figure of the backend."""

    _unrecorded_attributes = frozenset({"reasons"})
    entity_description: BackendSensorDescription

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self.coordinator.data)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any]:
        return self.entity_description.attributes(self.coordinator.data)

    def facts(self) -> object:
        return self.native_value, self.extra_state_attributes


class FeedSensor(BackendEntity, SensorEntity):
    """One figure of the event stream's reader."""

    entity_description: FeedSensorDescription

    def __init__(self, entry: MarengoCamConfigEntry, description: FeedSensorDescription) -> None:
        super().__init__(entry.runtime_data.coordinator, description)
        self._runtime = entry.runtime_data

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self._runtime)

    def facts(self) -> object:
        return self.native_value


class CameraSensor(CameraDeviceEntity, SensorEntity):
    """One figure of a camera."""

    _unrecorded_attributes = frozenset({"reason"})
    entity_description: CameraSensorDescription

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self.coordinator.data, self.camera_state)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any]:
        return self.entity_description.attributes(self.camera_state)

    def facts(self) -> object:
        return self.native_value, self.extra_state_attributes


class ZoneSensor(ZoneEntity, SensorEntity):
    """How many people stand in a zone."""

    @property
    def native_value(self) -> int | None:
        return self.zone_state.open_person_tracks if self.zone_state else None

    def facts(self) -> object:
        return self.native_value


class PersonSensor(PersonEntity, SensorEntity):
    """One fact about a person."""

    entity_description: PersonSensorDescription

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self.person_state)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any]:
        return self.entity_description.attributes(self.person_state)

    def facts(self) -> object:
        return self.native_value, self.extra_state_attributes
