"""What the integration puts on Home Assistant's bus; documented in docs/guide/home-assistant.md (a test compares)."""

from collections.abc import Mapping
from typing import Any, Final

from .client import Event
from .const import DOMAIN, TRACK_PICTURE

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
    "picture",
)
# What some types add: name on the bus -> name in the backend's data.
EXTRA_FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "person_detected": {"label": "label"},
    "person_confirmed": {},
    "person_unknown": {},
    "person_corrected": {"was_person_id": "was_person_id", "was_person": "was_person_name"},
    "zone_entered": {"zone": "zone", "label": "label"},
    "movement_seen": {"label": "label"},
    "visit_ended": {"first_seen_at": "first_seen_at", "duration_s": "duration_s", "path": "path"},
    "moment_marked": {"label": "label"},
    "camera_offline": {"reason": "reason"},
    "camera_online": {},
    "health_changed": {"service": "service", "status": "status", "reason": "reason"},
    "survival_mode_changed": {"state": "state", "step": "step", "reasons": "reasons"},
    "replay_finished": {"run_id": "run_id", "state": "state"},
    "rule_fired": {
        "name": "name",
        "rule": "rule",
        "data": "data",
        "cause_type": "cause_type",
        "cause_number": "cause_number",
    },
}


def bus_event_type(event: Event) -> str:
    return f"{DOMAIN}_{event.type}"


def bus_data(event: Event, entry_id: str, camera_entity_id: str | None) -> dict[str, Any]:
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
        "picture": picture_path(entry_id, event),
    }
    extras = EXTRA_FIELDS.get(event.type, {})
    return data | {name: event.data.get(source) for name, source in extras.items()}


def picture_path(entry_id: str, event: Event) -> str | None:
    """Return where Home Assistant shows the picture of an event to who is logged in, or None."""
    return None if event.local_track_id is None else TRACK_PICTURE.format(entry_id, event.local_track_id)


def evidence_summary(event: Event) -> dict[str, Any] | None:
    """Return what spoke for the decision: figures, each cue's weight, and who else it might have been.

    The weights are natural logarithms of likelihood ratios: above 0 speaks for it. What was compared stays in the
    backend.
    """
    evidence = event.data.get("evidence")
    if not isinstance(evidence, dict):
        return None
    summary: dict[str, Any] = {
        key: value for key, value in evidence.items() if isinstance(value, str | int | float | bool)
    }
    cues: dict[str, float] = {}
    for cue in evidence.get("cues") or ():
        kind, weight = (cue.get("cue"), cue.get("log_ratio")) if isinstance(cue, dict) else (None, None)
        if isinstance(kind, str) and isinstance(weight, int | float):
            cues[kind] = round(cues.get(kind, 0.0) + weight, 3)
    rival = evidence.get("runner_up")
    return summary | {"cues": cues, "runner_up": rival.get("name") if isinstance(rival, dict) else None}
