"""What stands under the retained topics: pure, from what the hub says."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from marengocam.db.cameras import CameraStatus
from marengocam.db.health import ServiceHealth
from marengocam.db.telling import PersonSeen

NEEDED_SERVICES = ("ingest", "resolver", "janitor")


def camera_topic(prefix: str, camera_id: str) -> str:
    return f"{prefix}/cameras/{camera_id}/state"


def person_topic(prefix: str, person_id: object) -> str:
    return f"{prefix}/persons/{person_id}/state"


def health_topic(prefix: str) -> str:
    return f"{prefix}/health/state"


def status_topic(prefix: str) -> str:
    return f"{prefix}/status"


def event_topic(prefix: str, event_type: object) -> str:
    return f"{prefix}/events/{event_type}"


def camera_state(camera_id: str, name: str, status: CameraStatus | None, people: int) -> dict[str, Any]:
    """Return a camera's state; `motion` and `recording` are false while it is not online."""
    metrics = status.metrics if status is not None else {}
    online = status is not None and status.state == "online"
    return {
        "camera_id": camera_id,
        "name": name,
        "state": str(status.state) if status is not None else "connecting",
        "reason": status.reason if status is not None else "",
        "since": status.since.isoformat() if status is not None else None,
        "motion": online and bool(metrics.get("moving")),
        "recording": online and bool(metrics.get("recording")),
        "people": people,
    }


def person_state(seen: PersonSeen, names: Mapping[str, str]) -> dict[str, Any]:
    """Return a person's state; `present` while a camera sees them."""
    return {
        "person_id": str(seen.person_id),
        "name": seen.name,
        "present": seen.present,
        "camera_id": seen.camera_id,
        "camera": names.get(seen.camera_id, seen.camera_id) if seen.camera_id else None,
        "last_seen_at": seen.last_seen_at.isoformat() if seen.last_seen_at else None,
        "probability": seen.probability,
    }


def health_state(services: Iterable[ServiceHealth], *, privacy: bool) -> dict[str, Any]:
    """Return how the whole is doing; the newest process of a service speaks for it."""
    latest: dict[str, ServiceHealth] = {}
    for one in services:
        if one.service not in latest or one.heartbeat_at > latest[one.service].heartbeat_at:
            latest[one.service] = one
    well = {name for name, one in latest.items() if one.status in {"ok", "degraded"}}
    if any(name not in well for name in NEEDED_SERVICES):
        status = "failing"
    else:
        status = "ok" if all(one.status == "ok" for one in latest.values()) else "degraded"
    return {
        "status": status,
        "services": {name: {"status": one.status, "reason": one.reason} for name, one in sorted(latest.items())},
        "survival_mode": any(bool(one.detail.get("survival_mode")) for one in latest.values()),
        "privacy": privacy,
    }


def as_payload(state: Mapping[str, Any]) -> str:
    """Return a state as JSON that is the same for the same state."""
    return json.dumps(state, separators=(",", ":"))
