"""Buttons: begin a camera anew; keep its present picture."""

from homeassistant.components.button import ButtonDeviceClass, ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .changes import explained
from .entity import CameraDeviceEntity, add_as_they_come, camera_ids
from .media_folder import save_snapshot
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 1

RESTART = ButtonEntityDescription(
    key="restart", device_class=ButtonDeviceClass.RESTART, entity_category=EntityCategory.CONFIG
)
SNAPSHOT = ButtonEntityDescription(key="snapshot", translation_key="snapshot")


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of every camera, now and later."""
    coordinator = entry.runtime_data.coordinator
    add_as_they_come(
        entry,
        async_add_entities,
        camera_ids,
        lambda one: [RestartButton(coordinator, one, RESTART), SnapshotButton(coordinator, one, SNAPSHOT)],
    )


class RestartButton(CameraDeviceEntity, ButtonEntity):
    """Has the backend connect to the camera anew."""

    def facts(self) -> object:
        return None

    async def async_press(self) -> None:
        with explained():
            await self.coordinator.client.restart_camera(self._camera_id)


class SnapshotButton(CameraDeviceEntity, ButtonEntity):
    """Keeps the present picture in Home Assistant's media folder."""

    def facts(self) -> object:
        return None

    async def async_press(self) -> None:
        await save_snapshot(self.hass, self.coordinator.client, self.camera_state)
