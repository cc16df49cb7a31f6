"""Questions to Assist and to language models: "who was at the door this morning?", "when was Alice last seen?"."""

from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import intent
from homeassistant.util import dt as dt_util

from .changes import explained
from .const import DOMAIN
from .runtime import MarengoCamConfigEntry
from .schema import vol
from .services.targets import in_zone
from .state import BackendState
from .visits import clock, told_visit, way
from .words import word_in

INTENT_WHO_CAME: Final = "MarengoCamWhoCame"
USUAL_SPAN: Final = timedelta(hours=24)
MOST_VISITS: Final = 20  # what an answer can hold


@callback
def async_setup_intents(hass: HomeAssistant) -> None:
    """Register the questions, once for all entries."""
    intent.async_register(hass, WhoCame())


class WhoCame(intent.IntentHandler):
    """Who was seen, where and when."""

    intent_type = INTENT_WHO_CAME
    description = (
        "Tells who was seen by the cameras, when, and which way they went. Optionally only one person, one camera "
        "(such as the front door), only strangers, or a stretch of time; without one it is the last 24 hours."
    )
    slot_schema: dict[Any, Any] = {  # noqa: RUF012 - declared so by the base class
        vol.Optional("person", description="Name of a person"): cv.string,
        vol.Optional("camera", description="Name of a camera or place, such as front door"): cv.string,
        vol.Optional("from", description="Begin, ISO 8601 in local time"): cv.datetime,
        vol.Optional("to", description="End, ISO 8601 in local time"): cv.datetime,
        vol.Optional("strangers_only", description="Only people without a name"): cv.boolean,
    }

    async def async_handle(self, intent_obj: intent.Intent) -> intent.IntentResponse:
        """Answer with sentences, and with the visits as data."""
        slots = self.async_validate_slots(intent_obj.slots)
        asked = {name: slot["value"] for name, slot in slots.items()}
        language = intent_obj.language.partition("-")[0]
        stranger = await word_in(intent_obj.hass, language, "unknown")
        told: list[dict[str, Any]] = []
        sentences: list[str] = []
        for entry in _loaded(intent_obj.hass):
            for visit, sentence in await _visits(entry, asked, stranger):
                told.append(visit)
                sentences.append(sentence)
        response = intent_obj.create_response()
        response.response_type = intent.IntentResponseType.QUERY_ANSWER
        nobody = await word_in(intent_obj.hass, language, "nobody")
        response.async_set_speech("; ".join(sentences) + "." if sentences else f"{nobody}.")
        response.async_set_speech_slots({"visits": told})
        return response


async def _visits(
    entry: MarengoCamConfigEntry, asked: dict[str, Any], stranger: str
) -> list[tuple[dict[str, Any], str]]:
    state = entry.runtime_data.coordinator.data
    person_id, camera_id = _person(state, asked.get("person")), _camera(state, asked.get("camera"))
    if ("person" in asked and person_id is None) or ("camera" in asked and camera_id is None):
        return []
    begin: datetime | None = asked.get("from")
    end: datetime | None = asked.get("to")
    to_at = in_zone(end) if end else dt_util.utcnow()
    with explained():
        found = await entry.runtime_data.client.visits(
            person_id=person_id,
            camera_id=camera_id,
            from_at=in_zone(begin) if begin else to_at - USUAL_SPAN,
            to_at=to_at,
            unknown=bool(asked.get("strangers_only")),
            limit=MOST_VISITS,
        )
    return [
        (
            told_visit(entry.entry_id, state, visit),
            f"{visit.person_name or stranger}, {clock(visit.first_seen_at)}: {way(state, visit)}",
        )
        for visit in found
    ]


def _person(state: BackendState, name: str | None) -> str | None:
    wanted = (name or "").casefold()
    return next((one.person_id for one in state.persons.values() if one.name.casefold() == wanted), None)


def _camera(state: BackendState, name: str | None) -> str | None:
    """Return the camera of this name, or the only one whose name holds it: people say "door" for "Front door"."""
    wanted = (name or "").casefold()
    names = {camera.camera_id: camera.name.casefold() for camera in state.cameras.values()}
    exact = [camera_id for camera_id, known in names.items() if known == wanted]
    within = [camera_id for camera_id, known in names.items() if wanted and (wanted in known or known in wanted)]
    if exact:
        return exact[0]
    return within[0] if len(within) == 1 else None


def _loaded(hass: HomeAssistant) -> list[MarengoCamConfigEntry]:
    entries: list[MarengoCamConfigEntry] = hass.config_entries.async_entries(DOMAIN)
    return [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
