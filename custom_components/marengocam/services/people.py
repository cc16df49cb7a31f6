"""Actions about who is who: enrolling, naming, correcting, merging, forgetting, and looking up who came."""

from collections.abc import Iterable
from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from ..changes import explained
from ..client import Event, MarengoCamClient, MarengoCamClientError, Person
from ..schema import vol
from ..visits import told_visit
from .pictures import PICTURE_DOMAINS, picture_of_entity, picture_of_media
from .targets import (
    ATTR_CAMERA_ID,
    ATTR_FROM,
    ATTR_PERSON,
    ATTR_TO,
    BACKEND_FIELDS,
    NAME,
    backend_of,
    in_zone,
    person_of,
    refused,
)

ATTR_NAME: Final = "name"
ATTR_MEDIA: Final = "media"
ATTR_MEDIA_ID: Final = "media_content_id"
ATTR_TRACK: Final = "local_track_id"
ATTR_IDENTITY: Final = "identity_id"
ATTR_EVENT: Final = "event_number"
ATTR_RIGHT: Final = "right"
ATTR_INTO: Final = "into"
ATTR_UNKNOWN: Final = "unknown"
ATTR_LIMIT: Final = "limit"
MOST_VISITS: Final = 500
SUBJECT: Final = "subject"

UUID = vol.All(cv.string, vol.Match(r"^[0-9a-fA-F-]{36}$"))
NUMBER = vol.All(vol.Coerce(int), vol.Range(min=1))

ENROLL_PERSON_SCHEMA = vol.All(
    vol.Schema(
        {
            **BACKEND_FIELDS,
            vol.Required(ATTR_NAME): NAME,
            vol.Exclusive(ATTR_ENTITY_ID, "picture"): cv.entity_domain(PICTURE_DOMAINS),
            vol.Exclusive(ATTR_MEDIA, "picture"): vol.Schema(
                {vol.Required(ATTR_MEDIA_ID): cv.string}, extra=vol.ALLOW_EXTRA
            ),
        }
    ),
    cv.has_at_least_one_key(ATTR_ENTITY_ID, ATTR_MEDIA),
)
NAME_PERSON_SCHEMA = vol.All(
    vol.Schema(
        {
            **BACKEND_FIELDS,
            vol.Required(ATTR_NAME): NAME,
            vol.Exclusive(ATTR_IDENTITY, SUBJECT): UUID,
            vol.Exclusive(ATTR_TRACK, SUBJECT): UUID,
            vol.Exclusive(ATTR_EVENT, SUBJECT): NUMBER,
        }
    ),
    cv.has_at_least_one_key(ATTR_IDENTITY, ATTR_TRACK, ATTR_EVENT),
)
CORRECT_EVENT_SCHEMA = vol.Schema(
    {
        **BACKEND_FIELDS,
        vol.Required(ATTR_EVENT): NUMBER,
        vol.Exclusive(ATTR_NAME, "word"): NAME,
        vol.Exclusive(ATTR_RIGHT, "word"): cv.boolean,
    }
)
MERGE_PERSONS_SCHEMA = vol.Schema({**BACKEND_FIELDS, vol.Required(ATTR_PERSON): NAME, vol.Required(ATTR_INTO): NAME})
FORGET_PERSON_SCHEMA = vol.Schema({**BACKEND_FIELDS, vol.Required(ATTR_PERSON): NAME})
SEARCH_SCHEMA = vol.Schema(
    {
        **BACKEND_FIELDS,
        vol.Optional(ATTR_PERSON): NAME,
        vol.Optional(ATTR_CAMERA_ID): cv.string,
        vol.Optional(ATTR_FROM): cv.datetime,
        vol.Optional(ATTR_TO): cv.datetime,
        vol.Optional(ATTR_UNKNOWN, default=False): cv.boolean,
        vol.Optional(ATTR_LIMIT, default=50): vol.All(vol.Coerce(int), vol.Range(1, MOST_VISITS)),
    }
)


async def enroll_person(call: ServiceCall) -> ServiceResponse:
    """Add a picture of somebody's face, and the person where there is none of that name."""
    entry = backend_of(call)
    client, name = entry.runtime_data.client, call.data[ATTR_NAME]
    if ATTR_ENTITY_ID in call.data:
        picture = await picture_of_entity(call.hass, call.data[ATTR_ENTITY_ID])
    else:
        picture = await picture_of_media(call.hass, call.data[ATTR_MEDIA][ATTR_MEDIA_ID])
    with explained():
        known = _named(await client.persons(), name)
        person = known or await client.add_person(name)
        try:
            await client.enrol_face(person.person_id, picture)
        except MarengoCamClientError:
            if known is None:
                # Nobody wants a person without a face because of a bad picture.
                await client.remove_person(person.person_id)
            raise
    entry.runtime_data.coordinator.hurry()
    return {"person_id": person.person_id, "person": person.name}


async def name_person(call: ServiceCall) -> ServiceResponse:
    """Say who somebody is that was seen, and return the person."""
    entry = backend_of(call)
    client, name = entry.runtime_data.client, call.data[ATTR_NAME]
    with explained():
        identity_id: str | None = call.data.get(ATTR_IDENTITY)
        local_track_ids = [call.data[ATTR_TRACK]] if ATTR_TRACK in call.data else []
        if ATTR_EVENT in call.data:
            event = await _event(client, call.data[ATTR_EVENT])
            if event.person_id is None and event.identity_id is not None:
                identity_id = event.identity_id  # an unknown as a whole: all visits of theirs get the name
            else:
                local_track_ids = [_track(event)]
        if identity_id is not None:
            person: Person | None = await client.name_identity(identity_id, name)
        else:
            await client.name_tracks(local_track_ids, name)
            person = _named(await client.persons(), name)
    entry.runtime_data.coordinator.hurry()
    return {"person_id": person.person_id if person else None, "person": person.name if person else name}


async def correct_event(call: ServiceCall) -> ServiceResponse:
    """Say that an event named somebody wrongly (and who it was, if known), or rightly."""
    entry = backend_of(call)
    client = entry.runtime_data.client
    with explained():
        event = await _event(client, call.data[ATTR_EVENT])
        if ATTR_NAME in call.data:
            word = await client.name_tracks([_track(event)], call.data[ATTR_NAME])
        elif call.data.get(ATTR_RIGHT):
            word = await client.confirm_tracks([_track(event)])
        elif event.person_id is None or event.identity_id is None:
            raise refused("nobody_named", event_number=str(event.number))
        else:
            word = await client.deny(event.identity_id, event.person_id, [_track(event)])
    entry.runtime_data.coordinator.hurry()
    return {"word_id": word.word_id, "summary": word.summary}


async def merge_persons(call: ServiceCall) -> ServiceResponse:
    """Say that two persons are one; the first name goes."""
    entry = backend_of(call)
    person, into = person_of(entry, call.data[ATTR_PERSON]), person_of(entry, call.data[ATTR_INTO])
    with explained():
        word = await entry.runtime_data.client.merge_persons(person.person_id, into.person_id)
    entry.runtime_data.coordinator.hurry()
    return {"word_id": word.word_id, "summary": word.summary}


async def forget_person(call: ServiceCall) -> ServiceResponse:
    """Erase a person and all that tells them, for good."""
    entry = backend_of(call)
    person = person_of(entry, call.data[ATTR_PERSON])
    with explained():
        await entry.runtime_data.client.remove_person(person.person_id)
    entry.runtime_data.coordinator.hurry()
    return {"person_id": person.person_id, "person": person.name}


async def search(call: ServiceCall) -> ServiceResponse:
    """Return who came, when, and which way."""
    entry = backend_of(call)
    state = entry.runtime_data.coordinator.data
    person = person_of(entry, call.data[ATTR_PERSON]) if ATTR_PERSON in call.data else None
    camera_id = call.data.get(ATTR_CAMERA_ID)
    if camera_id is not None and camera_id not in state.cameras:
        raise refused("unknown_camera", camera=camera_id)
    moments = {name: in_zone(call.data[name]) if name in call.data else None for name in (ATTR_FROM, ATTR_TO)}
    with explained():
        visits = await entry.runtime_data.client.visits(
            person_id=person.person_id if person else None,
            camera_id=camera_id,
            from_at=moments[ATTR_FROM],
            to_at=moments[ATTR_TO],
            unknown=call.data[ATTR_UNKNOWN],
            limit=call.data[ATTR_LIMIT],
        )
    told: list[Any] = [told_visit(entry.entry_id, state, visit) for visit in visits]
    return {"visits": told}


def _named(persons: Iterable[Person], name: str) -> Person | None:
    return next((one for one in persons if one.name.casefold() == name.casefold()), None)


async def _event(client: MarengoCamClient, number: int) -> Event:
    page = await client.events(after=number - 1, limit=1)
    if not page.events or page.events[0].number != number:
        raise refused("unknown_event", event_number=str(number))
    return page.events[0]


def _track(event: Event) -> str:
    if event.local_track_id is None:
        raise refused("nobody_seen", event_number=str(event.number))
    return event.local_track_id
