"""What goes to the broker: topics and JSON payloads."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marengocam.automation.rules import fits
from marengocam.core.model import Event
from marengocam.db.rules import Rule

LATE_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Message:
    """One publication."""

    topic: str
    payload: str
    retain: bool = False


def messages_for(event: Event, rules: list[Rule], prefix: str, now: datetime) -> list[Message]:
    """Return what an event publishes: itself, and what each rule that fits says.

    A late event is told but fires no rule, so that nothing acts today on yesterday's face.
    """
    late = (now - event.occurred_at).total_seconds() > LATE_AFTER_S
    told = event_json(event, late=late)
    found = [Message(f"{prefix}/events/{event.type}", json.dumps(told))]
    if not late:
        found += [
            Message(rule.mqtt_topic, json.dumps(told if rule.payload is None else rule.payload))
            for rule in rules
            if fits(rule, event)
        ]
    return found


def event_json(event: Event, *, late: bool) -> dict[str, Any]:
    """Return an event as JSON values."""
    return {
        "number": event.number,
        "type": str(event.type),
        "occurred_at": event.occurred_at.isoformat(),
        "late": late,
        "camera_id": event.camera_id,
        "local_track_id": str(event.local_track_id) if event.local_track_id else None,
        "identity_id": str(event.identity_id) if event.identity_id else None,
        "person_id": str(event.person_id) if event.person_id else None,
        "person": event.person_name,
        "probability": event.probability,
        "zones": list(event.zones),
        "data": event.data,
    }
