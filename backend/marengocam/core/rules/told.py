"""An event as others are told of it: MQTT, webhooks, templates."""

from collections.abc import Mapping
from typing import Any

from marengocam.core.model import Event
from marengocam.core.rules.model import Rule

EVENT_FIELDS = (
    "number", "event_id", "type", "occurred_at", "late", "camera_id", "camera", "local_track_id", "identity_id",
    "person_id", "person", "probability", "zones", "data",
)  # fmt: skip


def event_values(event: Event, *, late: bool, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an event as JSON values; `names` holds those of cameras by id."""
    return {
        "number": event.number,
        "event_id": str(event.event_id),
        "type": str(event.type),
        "occurred_at": event.occurred_at.isoformat(),
        "late": late,
        "camera_id": event.camera_id,
        "camera": names.get(event.camera_id, event.camera_id) if event.camera_id else None,
        "local_track_id": str(event.local_track_id) if event.local_track_id else None,
        "identity_id": str(event.identity_id) if event.identity_id else None,
        "person_id": str(event.person_id) if event.person_id else None,
        "person": event.person_name,
        "probability": event.probability,
        "zones": list(event.zones),
        "data": event.data,
    }


def rule_words(rule: Rule) -> dict[str, str]:
    """Return what a template may say about its rule."""
    return {"name": rule.name, "rule_id": str(rule.rule_id)}
