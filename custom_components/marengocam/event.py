"""Event entities: what was seen on each camera."""

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import Event
from .coordinator import MarengoCamConfigEntry
from .entity import CameraDeviceEntity, add_as_they_come, camera_ids

PARALLEL_UPDATES = 0

PERSON_EVENTS = EventEntityDescription(
    key="person_events",
    translation_key="person_events",
    event_types=["person_detected", "person_confirmed", "person_unknown", "zone_entered", "movement_seen"],
)


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add an event entity per camera, now and later."""
    add_as_they_come(entry, async_add_entities, camera_ids, lambda one: [CameraEventEntity(entry, one, PERSON_EVENTS)])


class CameraEventEntity(CameraDeviceEntity, EventEntity):
    """The last thing that happened on a camera."""

    entity_description: EventEntityDescription

    def __init__(self, entry: MarengoCamConfigEntry, camera_id: str, description: EventEntityDescription) -> None:
        super().__init__(entry.runtime_data.coordinator, camera_id, description)
        self._feed = entry.runtime_data.feed

    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self._feed.async_subscribe(self._happened))

    @callback
    def _happened(self, event: Event) -> None:
        if event.camera_id != self._camera_id or event.type not in self.event_types:
            return
        self._trigger_event(
            event.type,
            {
                "event_number": event.number,
                "person": event.person_name,
                "probability": event.probability,
                "zones": list(event.zones),
                "local_track_id": event.local_track_id,
                "occurred_at": event.occurred_at.isoformat(),
            },
        )
        self.async_write_ha_state()
