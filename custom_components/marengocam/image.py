"""Images: who was seen last on each camera, and how each person looked last."""

from datetime import datetime

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import ApiError, MarengoCamClientError
from .coordinator import MarengoCamCoordinator
from .entity import CameraDeviceEntity, PersonEntity, add_as_they_come, camera_ids, person_ids
from .failures import explain
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 0

LAST_PERSON = ImageEntityDescription(key="last_person", translation_key="last_person")
PICTURE = ImageEntityDescription(key="picture", translation_key="picture")
JPEG = "image/jpeg"


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a picture per camera and per person, now and later."""
    coordinator = entry.runtime_data.coordinator
    add_as_they_come(entry, async_add_entities, camera_ids, lambda one: [LastPersonImage(hass, coordinator, one)])
    add_as_they_come(entry, async_add_entities, person_ids, lambda one: [PersonImage(hass, coordinator, one)])


class LastPersonImage(CameraDeviceEntity, ImageEntity):
    """Who was seen last on a camera."""

    _attr_content_type = JPEG

    def __init__(self, hass: HomeAssistant, coordinator: MarengoCamCoordinator, camera_id: str) -> None:
        CameraDeviceEntity.__init__(self, coordinator, camera_id, LAST_PERSON)
        ImageEntity.__init__(self, hass)

    @property
    def image_last_updated(self) -> datetime | None:
        return self.camera_state.last_person_at

    def facts(self) -> object:
        # A passage that goes on has many last moments but is one picture.
        return self.camera_state.last_person_track_id, self.camera_state.open_person_tracks == 0

    async def async_image(self) -> bytes | None:
        """Return the best picture of the last passage; None when there was none."""
        track_id = self.camera_state.last_person_track_id
        return None if track_id is None else await _picture(self.coordinator, track_id)


class PersonImage(PersonEntity, ImageEntity):
    """How a person looked last; before the first sight the enrolled picture."""

    _attr_content_type = JPEG

    def __init__(self, hass: HomeAssistant, coordinator: MarengoCamCoordinator, person_id: str) -> None:
        PersonEntity.__init__(self, coordinator, person_id, PICTURE)
        ImageEntity.__init__(self, hass)

    @property
    def image_last_updated(self) -> datetime | None:
        return self.person_state.last_seen_at

    def facts(self) -> object:
        person = self.person_state
        return person.last_seen_track_id, person.present, person.has_picture

    async def async_image(self) -> bytes | None:
        """Return the best picture of the last sight, or the portrait; None when there is neither."""
        person = self.person_state
        if person.last_seen_track_id is not None:
            return await _picture(self.coordinator, person.last_seen_track_id)
        return await _picture(self.coordinator, None, person.person_id) if person.has_picture else None


async def _picture(
    coordinator: MarengoCamCoordinator, track_id: str | None, person_id: str | None = None
) -> bytes | None:
    """Return a track's picture or a person's portrait; None when it is gone by now."""
    client = coordinator.client
    try:
        if track_id is not None:
            return await client.track_picture(track_id)
        return await client.portrait(person_id) if person_id is not None else None
    except ApiError as error:
        if error.code == "not_found":
            return None
        raise explain(error, HomeAssistantError) from error
    except MarengoCamClientError as error:
        raise explain(error, HomeAssistantError) from error
