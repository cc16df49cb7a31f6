"""Events of the bus as entries of the logbook."""

from collections.abc import Callable

from homeassistant.components.logbook import LOGBOOK_ENTRY_ENTITY_ID, LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN

Describe = Callable[[str, str, Callable[[Event], dict[str, str]]], None]

# In the owner's language as far as we speak it: logbook entries are no part of the translated texts.
SENTENCES = {
    "en": {
        "person_confirmed": "was seen ({camera}, {percent} % sure)",
        "person_unknown": "somebody unknown was seen",
        "person_corrected": "was seen, not {was} ({camera})",
        "visit_ended": "left ({camera})",
        "moment_marked": "{label}",
        "camera_offline": "stopped sending: {reason}",
        "camera_online": "sends again",
        "survival_mode_changed": "survival mode is {state}",
    },
    "de": {
        "person_confirmed": "wurde gesehen ({camera}, {percent} % sicher)",
        "person_unknown": "jemand Unbekanntes wurde gesehen",
        "person_corrected": "wurde gesehen, nicht {was} ({camera})",
        "visit_ended": "ist gegangen ({camera})",
        "moment_marked": "{label}",
        "camera_offline": "sendet nicht mehr: {reason}",
        "camera_online": "sendet wieder",
        "survival_mode_changed": "Überlebensmodus: {state}",
    },
}
ABOUT_PERSONS = {"person_confirmed", "person_corrected", "visit_ended"}


@callback
def async_describe_events(hass: HomeAssistant, async_describe_event: Describe) -> None:
    """Describe those events that an owner wants to read."""
    sentences = SENTENCES.get(hass.config.language, SENTENCES["en"])

    @callback
    def describe(event: Event) -> dict[str, str]:
        kind = str(event.event_type).removeprefix(f"{DOMAIN}_")
        data = event.data
        subject = (data.get("person") if kind in ABOUT_PERSONS else None) or data.get("camera") or "MarengoCam"
        values = {
            "camera": data.get("camera") or "",
            "percent": f"{(data.get('probability') or 0) * 100:.0f}",
            "was": data.get("was_person") or "?",
            "label": data.get("label") or "",
            "reason": data.get("reason") or "",
            "state": data.get("state") or "",
        }
        entry = {LOGBOOK_ENTRY_NAME: str(subject), LOGBOOK_ENTRY_MESSAGE: sentences[kind].format(**values)}
        if entity_id := data.get("entity_id"):
            entry[LOGBOOK_ENTRY_ENTITY_ID] = entity_id
        return entry

    for kind in sentences:
        async_describe_event(DOMAIN, f"{DOMAIN}_{kind}", describe)
