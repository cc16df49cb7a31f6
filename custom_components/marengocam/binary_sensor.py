"""Binary sensors: is somebody there, does something move, is it recorded, is something wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Camera, Health, Person
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

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class BackendBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of the backend; None: it does not apply."""

    is_on: Callable[[Health], bool | None]


@dataclass(frozen=True, kw_only=True)
class CameraBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of each camera."""

    is_on: Callable[[Camera], bool]


@dataclass(frozen=True, kw_only=True)
class PersonBinarySensorDescription(BinarySensorEntityDescription):
    """A binary sensor of each person."""

    is_on: Callable[[Person], bool]


BACKEND = (
    BackendBinarySensorDescription(
        key="problem",
        translation_key="problem",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda health: health.status != "ok",
    ),
    BackendBinarySensorDescription(
        key="survival_mode",
        translation_key="survival_mode",
        device_class=BinarySensorDeviceClass.PROBLEM,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda health: health.survival_mode,
    ),
    BackendBinarySensorDescription(
        key="face_engine",
        translation_key="face_engine",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda health: None if health.face_engine == "off" else health.face_engine == "ok",
    ),
)
CAMERA = (
    CameraBinarySensorDescription(
        key="person_present",
        translation_key="person_present",
        device_class=BinarySensorDeviceClass.OCCUPANCY,
        is_on=lambda camera: camera.open_person_tracks > 0,
    ),
    CameraBinarySensorDescription(
        key="motion",
        translation_key="motion",
        device_class=BinarySensorDeviceClass.MOTION,
        is_on=lambda camera: camera.moving,
    ),
    CameraBinarySensorDescription(
        key="recording",
        translation_key="recording",
        device_class=BinarySensorDeviceClass.RUNNING,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda camera: camera.recording_now,
    ),
    CameraBinarySensorDescription(
        key="connectivity",
        translation_key="connectivity",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        is_on=lambda camera: camera.state == "online",
    ),
)
ZONE = BinarySensorEntityDescription(
    key="zone_occupied", translation_key="zone_occupied", device_class=BinarySensorDeviceClass.OCCUPANCY
)
PERSON = (
    PersonBinarySensorDescription(
        key="present",
        translation_key="present",
        device_class=BinarySensorDeviceClass.OCCUPANCY,
        is_on=lambda person: person.present,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the backend's sensors, and those of every camera, zone and person now and later."""
    coordinator = entry.runtime_data.coordinator
    async_add_entities(BackendBinarySensor(coordinator, description) for description in BACKEND)
    add_as_they_come(
        entry, async_add_entities, camera_ids, lambda one: [CameraBinarySensor(coordinator, one, d) for d in CAMERA]
    )
    add_as_they_come(entry, async_add_entities, zone_keys, lambda one: [ZoneBinarySensor(coordinator, one, ZONE)])
    add_as_they_come(
        entry, async_add_entities, person_ids, lambda one: [PersonBinarySensor(coordinator, one, d) for d in PERSON]
    )


class BackendBinarySensor(BackendEntity, BinarySensorEntity):
    """One fact about the backend."""

    entity_description: BackendBinarySensorDescription

    @property
    def is_on(self) -> bool | None:
        return self.entity_description.is_on(self.coordinator.data.health)

    def facts(self) -> object:
        return self.is_on


class CameraBinarySensor(CameraDeviceEntity, BinarySensorEntity):
    """One fact about a camera."""

    entity_description: CameraBinarySensorDescription

    @property
    def is_on(self) -> bool:
        return self.entity_description.is_on(self.camera_state)

    def facts(self) -> object:
        return self.is_on


class ZoneBinarySensor(ZoneEntity, BinarySensorEntity):
    """Whether somebody stands in a zone."""

    @property
    def is_on(self) -> bool:
        return self.zone_state is not None and self.zone_state.open_person_tracks > 0

    def facts(self) -> object:
        return self.is_on


class PersonBinarySensor(PersonEntity, BinarySensorEntity):
    """One fact about a person."""

    entity_description: PersonBinarySensorDescription

    @property
    def is_on(self) -> bool:
        return self.entity_description.is_on(self.person_state)

    def facts(self) -> object:
        return self.is_on
