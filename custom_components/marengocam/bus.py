"""What the integration puts on Home Assistant's bus; documented in docs/guide/home-assistant.md (a test compares)."""

from collections.abc import Mapping
from typing import Any, Final

from .client import Event
from .const import DOMAIN

# In the data of every event.
COMMON_FIELDS: Final = (
    "event_number",
    "occurred_at",
    "late",
    "camera_id",
    "camera",
    "entity_id",
    "person_id",
    "person",
    "probability",
    "zones",
    "local_track_id",
    "identity_id",
)
# What some types add: name on the bus -> name in the backend's data.
EXTRA_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "person_detected": {"label": "label"},
    "person_confirmed": {},
    "person_unknown": {},
    "person_corrected": {"was_person_id": "was_person_id", "was_person": "was_person_name"},
    "zone_entered": {"zone": "zone", "label": "label"},
    "movement_seen": {"label": "label"},
    "visit_ended": {},
    "camera_offline": {"reason": "reason"},
    "camera_online": {},
    "health_changed": {"service": "service", "status": "status", "reason": "reason"},
    "survival_mode_changed": {},
    "replay_finished": {"run_id": "run_id", "state": "state"},
}


def bus_event_type(event: Event) -> str:
    return f"{DOMAIN}_{event.type}"


def bus_data(event: Event, camera_entity_id: str | None) -> dict[str, Any]:
    """Return the documented data of an event."""
    data: dict[str, Any] = {
        "event_number": event.number,
        "occurred_at": event.occurred_at.isoformat(),
        "late": event.late,
        "camera_id": event.camera_id,
        "camera": event.camera_name,
        "entity_id": camera_entity_id,
        "person_id": event.person_id,
        "person": event.person_name,
        "probability": event.probability,
        "zones": list(event.zones),
        "local_track_id": event.local_track_id,
        "identity_id": event.identity_id,
    }
    extras = EXTRA_FIELDS.get(event.type, {})
    return data | {name: event.data.get(source) for name, source in extras.items()}
