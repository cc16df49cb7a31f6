"""Actions of the integration."""

from typing import Any, Final

from homeassistant.core import HomeAssistant, SupportsResponse, callback

from ..const import DOMAIN
from . import people, recordings, replay

# name -> what it does, what it takes, whether it answers
ACTIONS: Final[dict[str, tuple[Any, Any, SupportsResponse]]] = {
    "correct_event": (people.correct_event, people.CORRECT_EVENT_SCHEMA, SupportsResponse.OPTIONAL),
    "create_event": (recordings.create_event, recordings.CREATE_EVENT_SCHEMA, SupportsResponse.OPTIONAL),
    "enroll_person": (people.enroll_person, people.ENROLL_PERSON_SCHEMA, SupportsResponse.OPTIONAL),
    "export_clip": (recordings.export_clip, recordings.EXPORT_CLIP_SCHEMA, SupportsResponse.OPTIONAL),
    "forget_person": (people.forget_person, people.FORGET_PERSON_SCHEMA, SupportsResponse.OPTIONAL),
    "merge_persons": (people.merge_persons, people.MERGE_PERSONS_SCHEMA, SupportsResponse.OPTIONAL),
    "name_person": (people.name_person, people.NAME_PERSON_SCHEMA, SupportsResponse.OPTIONAL),
    "replay": (replay.replay, replay.REPLAY_SCHEMA, SupportsResponse.OPTIONAL),
    "search": (people.search, people.SEARCH_SCHEMA, SupportsResponse.ONLY),
    "set_recording": (recordings.set_recording, recordings.SET_RECORDING_SCHEMA, SupportsResponse.OPTIONAL),
    "snapshot": (recordings.snapshot, recordings.SNAPSHOT_SCHEMA, SupportsResponse.OPTIONAL),
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    for name, (handler, schema, response) in ACTIONS.items():
        hass.services.async_register(DOMAIN, name, handler, schema, supports_response=response)
