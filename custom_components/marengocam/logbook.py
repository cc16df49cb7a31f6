"""Events of the bus as entries of the logbook."""

from collections.abc import Callable
from typing import Final

from homeassistant.components.logbook import LOGBOOK_ENTRY_ENTITY_ID, LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .const import DOMAIN
from .words import word

Describe = Callable[[str, str, Callable[[Event], dict[str, str]]], None]

# What is told of each event, by its word among the texts.
SENTENCES: Final = {
    "person_confirmed": "was_seen",
    "person_unknown": "somebody_was_seen",
    "person_corrected": "was_seen_not",
    "visit_ended": "has_left",
    "moment_marked": "was_marked",
    "camera_offline": "stopped_sending",
    "camera_online": "sends_again",
    "survival_mode_changed": "survival_mode_is",
}
ABOUT_PERSONS = {"person_confirmed", "person_corrected", "visit_ended"}


@callback
def async_describe_events(hass: HomeAssistant, async_describe_event: Describe) -> None:
    """Describe those events that an owner wants to read."""

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
        entry = {LOGBOOK_ENTRY_NAME: str(subject), LOGBOOK_ENTRY_MESSAGE: word(hass, SENTENCES[kind]).format(**values)}
        if entity_id := data.get("entity_id"):
            entry[LOGBOOK_ENTRY_ENTITY_ID] = entity_id
        return entry

    for kind in SENTENCES:
        async_describe_event(DOMAIN, f"{DOMAIN}_{kind}", describe)
