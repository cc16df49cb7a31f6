"""Home Assistant's MQTT discovery, by device: cameras, persons and the whole, for those without our integration."""

from collections.abc import Iterable, Mapping
from typing import Any

from marengocam import __version__
from marengocam.automation import topics
from marengocam.core.model import EventType
from marengocam.db.telling import PersonSeen

# A late event must start nothing today, so it is no event here.
_EVENT_TEMPLATE = (
    "{% if not value_json.late %}"
    "{{ {'event_type': value_json.type, 'number': value_json.number, 'person': value_json.person, "
    "'camera': value_json.camera, 'zones': value_json.zones, 'probability': value_json.probability} | to_json }}"
    "{% endif %}"
)


def discovery(
    names: Mapping[str, str], persons: Iterable[PersonSeen], *, prefix: str, discovery_prefix: str, installation: str
) -> dict[str, dict[str, Any]]:
    """Return the payload of each device by its topic; they are published retained."""
    hub = f"marengocam_{installation}"
    found = {_topic(discovery_prefix, hub): _whole(prefix, hub)}
    for camera_id, name in names.items():
        key = f"{hub}_camera_{camera_id}"
        found[_topic(discovery_prefix, key)] = _camera(hub, key, name, topics.camera_topic(prefix, camera_id), prefix)
    for one in persons:
        key = f"{hub}_person_{one.person_id.hex}"
        found[_topic(discovery_prefix, key)] = _person(
            hub, key, one.name, topics.person_topic(prefix, one.person_id), prefix
        )
    return found


def _topic(discovery_prefix: str, key: str) -> str:
    return f"{discovery_prefix}/device/{key}/config"


def _device(prefix: str, key: str, name: str, hub: str | None, state_topic: str, components: dict[str, Any]) -> Any:
    device = {"identifiers": [key], "name": name, "manufacturer": "MarengoCam", "sw_version": __version__}
    if hub is not None:
        device["via_device"] = hub
    for short, component in components.items():
        component["unique_id"] = f"{key}_{short}"
    return {
        "device": device,
        "origin": {"name": "MarengoCam", "sw_version": __version__},
        "availability_topic": topics.status_topic(prefix),
        "state_topic": state_topic,
        "components": components,
    }


def _whole(prefix: str, hub: str) -> Any:
    components = {
        "status": {
            "platform": "sensor",
            "name": "Status",
            "device_class": "enum",
            "options": ["ok", "degraded", "failing"],
            "value_template": "{{ value_json.status }}",
            "json_attributes_topic": topics.health_topic(prefix),
            "json_attributes_template": "{{ value_json.services | to_json }}",
            "entity_category": "diagnostic",
        },
        "survival_mode": _flag("Survival mode", "survival_mode", "problem", category="diagnostic"),
        "privacy": _flag("Privacy", "privacy", None),
        "event": {
            "platform": "event",
            "name": "Event",
            "state_topic": topics.event_topic(prefix, "+"),
            "event_types": [str(one) for one in EventType],
            "value_template": _EVENT_TEMPLATE,
        },
    }
    return _device(prefix, hub, "MarengoCam", None, topics.health_topic(prefix), components)


def _camera(hub: str, key: str, name: str, state_topic: str, prefix: str) -> Any:
    components = {
        "connection": {
            "platform": "binary_sensor",
            "name": "Connection",
            "device_class": "connectivity",
            "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
            "json_attributes_topic": state_topic,
            "json_attributes_template": "{{ {'state': value_json.state, 'reason': value_json.reason} | to_json }}",
            "entity_category": "diagnostic",
        },
        "motion": _flag("Motion", "motion", "motion"),
        "recording": _flag("Recording", "recording", "running", category="diagnostic"),
        "people": {
            "platform": "sensor",
            "name": "People",
            "state_class": "measurement",
            "value_template": "{{ value_json.people }}",
        },
    }
    return _device(prefix, key, name, hub, state_topic, components)


def _person(hub: str, key: str, name: str, state_topic: str, prefix: str) -> Any:
    components = {
        "present": _flag("Present", "present", "presence"),
        "camera": {
            "platform": "sensor",
            "name": "Last camera",
            "value_template": "{{ value_json.camera }}",
        },
        "last_seen": {
            "platform": "sensor",
            "name": "Last seen",
            "device_class": "timestamp",
            "value_template": "{{ value_json.last_seen_at }}",
        },
    }
    return _device(prefix, key, name, hub, state_topic, components)


def _flag(name: str, field: str, device_class: str | None, category: str | None = None) -> dict[str, Any]:
    flag = {
        "platform": "binary_sensor",
        "name": name,
        "value_template": f"{{{{ 'ON' if value_json.{field} else 'OFF' }}}}",
    }
    if device_class is not None:
        flag["device_class"] = device_class
    if category is not None:
        flag["entity_category"] = category
    return flag
