"""What there is to be measured: one description per sensor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.components.sensor import SensorDeviceClass, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfInformation, UnitOfTime

from .client import Camera, Person, Storage
from .runtime import MarengoCamRuntime
from .state import BackendState

Value = str | int | float | datetime | None
# A word that only a newer backend knows is shown as unknown.
STATUSES = ["ok", "degraded", "failing", "gone"]
LADDER = [
    "normal",
    "drop_b_frames",
    "skip_unreferenced_frames",
    "skip_faces",
    "lower_detection_rate",
    "keyframes_only",
]
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

    value: Callable[[BackendState, Camera], Value]
    attributes: Callable[[Camera], Mapping[str, Any]] = lambda _camera: {}


@dataclass(frozen=True, kw_only=True)
class PersonSensorDescription(SensorEntityDescription):
    """A sensor of each person."""

    value: Callable[[Person], Value]
    attributes: Callable[[Person], Mapping[str, Any]] = lambda _person: {}


# Figures that grow all day are shown coarser than they are known: the recorder keeps every state that is written.
SIGNIFICANT_DIGITS = 3
RECORDED_STEP_S = 360
OLDEST_STEP = timedelta(minutes=15)
SEEN_STEP = timedelta(minutes=1)


def _coarse(value: int) -> int:
    """Return a number with its first three digits."""
    return round(value, SIGNIFICANT_DIGITS - len(str(abs(value)))) if value else 0


def _floor(moment: datetime | None, step: timedelta) -> datetime | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment.timestamp() // step.total_seconds() * step.total_seconds(), UTC)


def _seen_at(person: Person) -> datetime | None:
    """Return when somebody was seen last; while they are here only the minute."""
    return _floor(person.last_seen_at, SEEN_STEP) if person.present else person.last_seen_at


def _known(word: str, words: list[str]) -> str | None:
    return word if word in words else None


def _stored(value: Callable[[Storage], Value]) -> Callable[[BackendState], Value]:
    """Return a figure of the media folder; unknown while the backend cannot use it."""
    return lambda state: None if state.health.storage is None else value(state.health.storage)


def _bytes_sensor(key: str, value: Callable[[Storage], Value]) -> BackendSensorDescription:
    return BackendSensorDescription(
        key=key,
        translation_key=key,
        device_class=SensorDeviceClass.DATA_SIZE,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.GIGABYTES,
        suggested_display_precision=1,
        value=_stored(value),
    )


def _metric_sensor(
    key: str, metric: str, unit: str, device_class: SensorDeviceClass | None = SensorDeviceClass.DURATION
) -> CameraSensorDescription:
    return CameraSensorDescription(
        key=key,
        translation_key=key,
        device_class=device_class,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        native_unit_of_measurement=unit,
        suggested_display_precision=1,
        value=lambda _state, camera: _metric(camera, metric),
    )


def _metric(camera: Camera, metric: str) -> float | None:
    value = camera.metrics.get(metric) if camera.state == "online" else None
    return None if value is None else round(value, 1)


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
    BackendSensorDescription(
        key="survival_step",
        translation_key="survival_step",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        options=LADDER,
        value=lambda state: _known(state.health.survival.step, LADDER),
        attributes=lambda state: {"reasons": list(state.health.survival.reasons)},
    ),
    _bytes_sensor("storage_used", lambda storage: _coarse(storage.used_bytes)),
    _bytes_sensor("storage_free", lambda storage: _coarse(storage.free_bytes)),
    _bytes_sensor("database_size", lambda storage: _coarse(storage.database_bytes)),
    BackendSensorDescription(
        key="recorded",
        translation_key="recorded",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_unit_of_measurement=UnitOfTime.HOURS,
        suggested_display_precision=1,
        value=_stored(lambda storage: storage.recorded_s // RECORDED_STEP_S * RECORDED_STEP_S),
    ),
    BackendSensorDescription(
        key="oldest_recording",
        translation_key="oldest_recording",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value=_stored(lambda storage: _floor(storage.oldest_at, OLDEST_STEP)),
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
        value=lambda _state, camera: camera.open_person_tracks,
    ),
    CameraSensorDescription(
        key="state",
        translation_key="camera_state",
        device_class=SensorDeviceClass.ENUM,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        options=CAMERA_STATES,
        value=lambda _state, camera: _known(camera.state, CAMERA_STATES),
        attributes=lambda camera: {"reason": camera.reason},
    ),
    CameraSensorDescription(
        key="not_recorded",
        translation_key="not_recorded",
        device_class=SensorDeviceClass.DURATION,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=0,
        value=lambda state, camera: round(state.not_recorded_s.get(camera.camera_id, 0.0)),
    ),
    _metric_sensor("frames_per_second", "stream_fps", "fps", None),
    _metric_sensor("ingest_lag", "ingest_lag_s", UnitOfTime.SECONDS),
    _metric_sensor("analysis_lag", "analysis_lag_s", UnitOfTime.SECONDS),
    _metric_sensor("detector_time", "detector_ms", UnitOfTime.MILLISECONDS),
)
ZONE = SensorEntityDescription(
    key="zone_people",
    translation_key="zone_people",
    state_class=SensorStateClass.MEASUREMENT,
    entity_registry_enabled_default=False,
)
PERSON = (
    PersonSensorDescription(
        key="last_seen",
        translation_key="last_seen",
        value=lambda person: person.last_seen_camera_name,
        attributes=lambda person: {
            "when": seen_at.isoformat() if (seen_at := _seen_at(person)) else None,
            "probability": person.last_seen_probability,
            "camera_id": person.last_seen_camera_id,
        },
    ),
    PersonSensorDescription(
        key="last_seen_at",
        translation_key="last_seen_at",
        device_class=SensorDeviceClass.TIMESTAMP,
        value=_seen_at,
    ),
)
