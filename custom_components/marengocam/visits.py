"""Visits as actions, Assist and media tell them."""

from datetime import datetime
from typing import Any

from homeassistant.util import dt as dt_util

from .client import Visit
from .const import TRACK_PICTURE
from .state import BackendState

ARROW = " → "


def told_visit(entry_id: str, state: BackendState, visit: Visit) -> dict[str, Any]:
    """Return a visit with names instead of ids where there are any; times are ISO 8601 in UTC."""
    picture = visit.picture_track_id
    return {
        "visit_id": visit.visit_id,
        "identity_id": visit.identity_id,
        "person_id": visit.person_id,
        "person": visit.person_name,
        "first_seen_at": visit.first_seen_at.isoformat(),
        "last_seen_at": visit.last_seen_at.isoformat(),
        "ended": visit.ended,
        "path": [
            {
                "camera_id": stop.camera_id,
                "camera": camera_name(state, stop.camera_id),
                "from": stop.from_at.isoformat(),
                "to": stop.to_at.isoformat(),
            }
            for stop in visit.path
        ],
        "picture": TRACK_PICTURE.format(entry_id, picture) if picture else None,
    }


def camera_name(state: BackendState, camera_id: str) -> str:
    """Return a camera's name; one that was removed has only its id left."""
    camera = state.cameras.get(camera_id)
    return camera.name if camera else camera_id


def way(state: BackendState, visit: Visit) -> str:
    """Return the cameras of a visit in order, as people say it."""
    names: list[str] = []
    for stop in visit.path:
        name = camera_name(state, stop.camera_id)
        if not names or names[-1] != name:
            names.append(name)
    return ARROW.join(names)


def clock(at: datetime) -> str:
    """Return a time of day as the owner's clock shows it."""
    return dt_util.as_local(at).strftime("%H:%M")
