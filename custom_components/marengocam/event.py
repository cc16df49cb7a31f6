"""Event entities: what happened on each camera, and each person's coming and going."""

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .arrivals import is_arrival
from .bus import evidence_summary, picture_path
from .client import Event
from .entity import CameraDeviceEntity, PersonEntity, add_as_they_come, camera_ids, person_ids
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 0

PERSON_EVENTS = EventEntityDescription(
    key="person_events",
    translation_key="person_events",
    event_types=["person_detected", "person_confirmed", "person_unknown", "zone_entered", "movement_seen"],
)
SEEN, ARRIVED, LEFT = "seen", "arrived", "left"
PRESENCE_EVENTS = EventEntityDescription(
    key="presence_events", translation_key="presence_events", event_types=[SEEN, ARRIVED, LEFT]
)
UNRECORDED = frozenset({"evidence", "picture", "local_track_id"})


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add an event entity per camera and per person, now and later."""
    add_as_they_come(entry, async_add_entities, camera_ids, lambda one: [CameraEventEntity(entry, one, PERSON_EVENTS)])
    add_as_they_come(
        entry, async_add_entities, person_ids, lambda one: [PresenceEventEntity(entry, one, PRESENCE_EVENTS)]
    )


def _attributes(entry: MarengoCamConfigEntry, event: Event) -> dict[str, object]:
    return {
        "event_number": event.number,
        "person": event.person_name,
        "camera": event.camera_name,
        "probability": event.probability,
        "zones": list(event.zones),
        "local_track_id": event.local_track_id,
        "occurred_at": event.occurred_at.isoformat(),
        "picture": picture_path(entry.entry_id, event),
        "evidence": evidence_summary(event),
    }


class CameraEventEntity(CameraDeviceEntity, EventEntity):
    """The last thing that happened on a camera."""

    _unrecorded_attributes = UNRECORDED
    entity_description: EventEntityDescription

    def __init__(self, entry: MarengoCamConfigEntry, camera_id: str, description: EventEntityDescription) -> None:
        super().__init__(entry.runtime_data.coordinator, camera_id, description)
        self._entry = entry

    def facts(self) -> object:
        return None

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._entry.runtime_data.feed.async_subscribe(self._happened))

    @callback
    def _happened(self, event: Event) -> None:
        if event.camera_id != self._camera_id or event.type not in self.event_types:
            return
        self._trigger_event(event.type, _attributes(self._entry, event))
        self.async_write_ha_state()


class PresenceEventEntity(PersonEntity, EventEntity):
    """Tells when a person is seen, comes and goes."""

    _unrecorded_attributes = UNRECORDED
    entity_description: EventEntityDescription

    def __init__(self, entry: MarengoCamConfigEntry, person_id: str, description: EventEntityDescription) -> None:
        super().__init__(entry.runtime_data.coordinator, person_id, description)
        self._entry = entry

    def facts(self) -> object:
        return None

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._entry.runtime_data.feed.async_subscribe(self._happened))

    @callback
    def _happened(self, event: Event) -> None:
        if event.person_id != self._person_id:
            return
        if event.type == "visit_ended":
            self._tell(LEFT, event)
        elif event.type == "person_confirmed":
            self._tell(SEEN, event)
            self._entry.async_create_background_task(self.hass, self._tell_arrival(event), "marengocam arrival")

    async def _tell_arrival(self, event: Event) -> None:
        """Tell that a visit has begun, if this is the first time in it that the person is recognised."""
        if await is_arrival(self.coordinator.client, event):
            self._tell(ARRIVED, event)

    @callback
    def _tell(self, kind: str, event: Event) -> None:
        self._trigger_event(kind, _attributes(self._entry, event))
        self.async_write_ha_state()
