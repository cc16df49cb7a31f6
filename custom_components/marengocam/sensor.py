"""Sensors: where each person was last seen, and how the backend is doing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfInformation, UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Camera, Person
from .coordinator import BackendState, MarengoCamConfigEntry, MarengoCamRuntime
from .entity import BackendEntity, CameraDeviceEntity, PersonEntity, add_as_they_come, camera_ids, person_ids

PARALLEL_UPDATES = 0

Value = str | int | float | datetime | None
# A word that only a newer backend knows is shown as unknown.
STATUSES = ["ok", "degraded", "failing", "gone"]
CAMERA_STATES = ["disabled", "connecting", "online", "offline"]


@dataclass(frozen=True, kw_only=True)
class BackendSensorDescription(SensorEntityDescription):
    """A sensor of the backend."""

    value: Callable[[BackendState], Value]
    attributes: Callable[[BackendState], Mapping[str, Any]] = lambda _state: {}


@dataclass(frozen=True, kw_only=True)
class FeedSensorDescription(SensorEntityDescription):
    """A sensor of the event stream's reader."""

    value: Callable[[MarengoCamRuntime], Value]


@dataclass(frozen=True, kw_only=True)
class CameraSensorDescription(SensorEntityDescription):
    """A sensor of each camera."""

    value: Callable[[Camera], Value]
    attributes: Callable[[Camera], Mapping[str, Any]] = lambda _camera: {}


@dataclass(frozen=True, kw_only=True)
class PersonSensorDescription(SensorEntityDescription):
    """A sensor of each person."""

    value: Callable[[Person], Value]
    attributes: Callable[[Person], Mapping[str, Any]] = lambda _person: {}


def _known(word: str, words: list[str]) -> str | None:
    return word if word in words else None


def _bytes_sensor(key: str, value: Callable[[BackendState], Value]) -> BackendSensorDescription:
    return BackendSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.GIGABYTES,
        suggested_display_precision=1,
        value=value,
    )


BACKEND = (
    BackendSensorDescription(
        key="status",
        translation_key="status",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=STATUSES,
        value=lambda state: _known(state.health.status, STATUSES),
        attributes=lambda state: {
            "reasons": [f"{one.service}: {one.reason}" for one in state.health.services if one.reason]
        },
    ),
    _bytes_sensor("storage_used", lambda state: state.health.storage.used_bytes),
    _bytes_sensor("storage_free", lambda state: state.health.storage.free_bytes),
    BackendSensorDescription(
        key="recorded",
        translation_key="recorded",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=1,
        value=lambda state: state.health.storage.recorded_s,
    ),
    BackendSensorDescription(
        key="people",
        translation_key="people",
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda state: sum(camera.open_person_tracks for camera in state.cameras.values()),
    ),
)
FEED = (
    FeedSensorDescription(
        key="late_events",
        translation_key="late_events",
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda runtime: runtime.feed.late,
    ),
)
CAMERA = (
    CameraSensorDescription(
        key="people",
        translation_key="people",
        state_class=SensorStateClass.MEASUREMENT,
        value=lambda camera: camera.open_person_tracks,
    ),
    CameraSensorDescription(
        key="state",
        translation_key="camera_state",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        options=CAMERA_STATES,
        value=lambda camera: _known(camera.state, CAMERA_STATES),
        attributes=lambda camera: {"reason": camera.reason},
    ),
)
PERSON = (
    PersonSensorDescription(
        key="last_seen",
        translation_key="last_seen",
        value=lambda person: person.last_seen_camera_name,
        attributes=lambda person: {
            "when": person.last_seen_at.isoformat() if person.last_seen_at else None,
            "probability": person.last_seen_probability,
            "camera_id": person.last_seen_camera_id,
        },
    ),
    PersonSensorDescription(
        key="last_seen_at",
        translation_key="last_seen_at",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=lambda person: person.last_seen_at,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the backend's sensors, and those of every camera and person now and later."""
    coordinator = entry.runtime_data.coordinator
    async_add_entities(BackendSensor(coordinator, description) for description in BACKEND)
    async_add_entities(FeedSensor(entry, description) for description in FEED)
    add_as_they_come(
        entry, async_add_entities, camera_ids, lambda one: [CameraSensor(coordinator, one, d) for d in CAMERA]
    )
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


class FeedSensor(BackendEntity, SensorEntity):
    """One figure of the event stream's reader."""

    entity_description: FeedSensorDescription

    def __init__(self, entry: MarengoCamConfigEntry, description: FeedSensorDescription) -> None:
        super().__init__(entry.runtime_data.coordinator, description)
        self._runtime = entry.runtime_data

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self._runtime)


class CameraSensor(CameraDeviceEntity, SensorEntity):
    """One figure of a camera."""

    entity_description: CameraSensorDescription

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self.camera_state)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any]:
        return self.entity_description.attributes(self.camera_state)


class PersonSensor(PersonEntity, SensorEntity):
    """One fact about a person."""

    entity_description: PersonSensorDescription

    @property
    def native_value(self) -> Value:
        return self.entity_description.value(self.person_state)

    @property
    def extra_state_attributes(self) -> Mapping[str, Any]:
        return self.entity_description.attributes(self.person_state)
