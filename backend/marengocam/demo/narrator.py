"""Events as sentences, one readable line each."""

from datetime import datetime
from typing import Any

_SENTENCES = {
    "person_detected": "somebody on {camera}",
    "person_confirmed": "{person} on {camera}, {percent}{cues}",
    "person_unknown": "a stranger on {camera}",
    "person_corrected": "it was {person} on {camera}, {percent}{cues}",
    "zone_entered": "{zone} entered on {camera}",
    "movement_seen": "something moves on {camera}",
    "camera_offline": "{camera} is offline: {reason}",
    "camera_online": "{camera} is back",
    "health_changed": "{service} is {status}{because}",
    "survival_mode_changed": "survival mode: {status}",
    "replay_finished": "a replay of {camera} {state}",
    "visit_ended": "{person} left",
}


def sentence(event: dict[str, Any]) -> str:
    """Return what happened, as one would say it; `event` is the API's Event."""
    data = event.get("data") or {}
    cues = [cue["cue"] for cue in (data.get("evidence") or {}).get("cues", []) if cue.get("log_ratio", 0) > 0]
    words = {
        "camera": event.get("camera_name") or event.get("camera_id") or "a camera",
        "person": event.get("person_name") or "somebody",
        "percent": f"{event['probability']:.0%} sure" if event.get("probability") is not None else "sure",
        "cues": f" ({', '.join(dict.fromkeys(cues))})" if cues else "",
        "because": f": {data['reason']}" if data.get("reason") else "",
    }
    kind = str(event["type"])
    template = _SENTENCES.get(kind, kind.replace("_", " "))
    try:
        return template.format(**{**data, **words})
    except KeyError:
        return kind.replace("_", " ")


def clock_time(text: str) -> str:
    """Return the time of day of an RFC 3339 time, to the second, in UTC."""
    return datetime.fromisoformat(text).strftime("%H:%M:%S")
