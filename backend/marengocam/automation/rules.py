"""Does an event fit a rule? Pure decisions."""

from typing import Any

import voluptuous as vol

from marengocam.core.errors import BadInputError
from marengocam.core.model import Event
from marengocam.db.rules import Rule

_CONDITIONS = vol.Schema(
    {
        "camera_id": str,
        "zone": str,
        "person": str,
        "min_probability": vol.All(vol.Coerce(float), vol.Range(0, 1)),
    }
)


def checked_conditions(conditions: dict[str, Any]) -> dict[str, Any]:
    """Return a rule's conditions in their types; raises BadInputError that names the field."""
    try:
        return dict(_CONDITIONS(conditions))
    except vol.MultipleInvalid as error:
        first = error.errors[0]
        field = ".".join(str(part) for part in first.path) or "conditions"
        raise BadInputError(f"Condition {field!r} cannot be used: {first.error_message}.") from None


def fits(rule: Rule, event: Event) -> bool:
    """Return whether an event fires a rule: the type and every condition hold."""
    if not rule.enabled or rule.event_type != event.type:
        return False
    wanted = rule.conditions
    if "camera_id" in wanted and event.camera_id != wanted["camera_id"]:
        return False
    if "zone" in wanted and wanted["zone"] not in (*event.zones, event.data.get("zone")):
        return False
    if "person" in wanted and (event.person_name or "").lower() != wanted["person"].lower():
        return False
    return not ("min_probability" in wanted and (event.probability or 0) < float(wanted["min_probability"]))
