"""Select: what of a camera is recorded."""

from homeassistant.components.select import SelectEntity, SelectEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .changes import change_camera, recording_change
from .entity import CameraDeviceEntity, add_as_they_come, camera_ids
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 1

MODES = ["always", "motion", "person", "off"]
RECORDING_MODE = SelectEntityDescription(
    key="recording_mode", translation_key="recording_mode", entity_category=EntityCategory.CONFIG, options=MODES
)


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the recording mode of every camera, now and later."""
    coordinator = entry.runtime_data.coordinator
    add_as_they_come(
        entry, async_add_entities, camera_ids, lambda one: [RecordingModeSelect(coordinator, one, RECORDING_MODE)]
    )


class RecordingModeSelect(CameraDeviceEntity, SelectEntity):
    """When a camera is recorded."""

    @property
    def current_option(self) -> str | None:
        mode = self.camera_state.recording.mode
        return mode if mode in MODES else None

    def facts(self) -> object:
        return self.current_option

    async def async_select_option(self, option: str) -> None:
        await change_camera(self.coordinator, self._camera_id, recording_change(self.camera_state, option))
