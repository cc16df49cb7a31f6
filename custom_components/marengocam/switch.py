"""Switches: what is done with each camera's picture, with all of them, and privacy."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .changes import ALWAYS, OFF, change_camera, change_preferences, faces_change, recording_change
from .client import Camera
from .entity import BackendEntity, CameraDeviceEntity, add_as_they_come, camera_ids
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 1  # the backend is asked for one change after the other


@dataclass(frozen=True, kw_only=True)
class CameraSwitchDescription(SwitchEntityDescription):
    """A switch of each camera, and of all together; `change` returns what is sent to the backend."""

    is_on: Callable[[Camera], bool]
    change: Callable[[Camera, bool], dict[str, Any]]
    for_all: bool = True


def _recording_change(camera: Camera, on: bool) -> dict[str, Any]:
    return recording_change(camera, ALWAYS if on else OFF)


CAMERA = (
    CameraSwitchDescription(
        key="enabled",
        translation_key="enabled",
        entity_category=EntityCategory.CONFIG,
        is_on=lambda camera: camera.enabled,
        change=lambda _camera, on: {"enabled": on},
        for_all=False,
    ),
    CameraSwitchDescription(
        key="recording",
        translation_key="recording",
        entity_category=EntityCategory.CONFIG,
        is_on=lambda camera: camera.recording.mode != OFF,
        change=_recording_change,
    ),
    CameraSwitchDescription(
        key="detection",
        translation_key="detection",
        entity_category=EntityCategory.CONFIG,
        is_on=lambda camera: camera.detect,
        change=lambda _camera, on: {"detect": on},
    ),
    CameraSwitchDescription(
        key="faces",
        translation_key="faces",
        entity_category=EntityCategory.CONFIG,
        is_on=lambda camera: camera.faces,
        change=lambda camera, on: faces_change(camera, on=on),
    ),
)
PRIVACY = SwitchEntityDescription(key="privacy", translation_key="privacy")


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add privacy, the switches of all cameras together, and those of every camera now and later."""
    coordinator = entry.runtime_data.coordinator
    async_add_entities([PrivacySwitch(coordinator, PRIVACY)])
    async_add_entities(AllCamerasSwitch(coordinator, description) for description in CAMERA if description.for_all)
    add_as_they_come(
        entry, async_add_entities, camera_ids, lambda one: [CameraSwitch(coordinator, one, d) for d in CAMERA]
    )


class CameraSwitch(CameraDeviceEntity, SwitchEntity):
    """One thing that is done with a camera's picture or not."""

    entity_description: CameraSwitchDescription

    @property
    def is_on(self) -> bool:
        return self.entity_description.is_on(self.camera_state)

    def facts(self) -> object:
        return self.is_on

    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._turn(on=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._turn(on=False)

    async def _turn(self, *, on: bool) -> None:
        if on != self.is_on:
            await change_camera(
                self.coordinator, self._camera_id, self.entity_description.change(self.camera_state, on)
            )


class AllCamerasSwitch(BackendEntity, SwitchEntity):
    """The same for all cameras: on while one of them has it on."""

    entity_description: CameraSwitchDescription

    @property
    def is_on(self) -> bool:
        return any(self.entity_description.is_on(camera) for camera in self.coordinator.data.cameras.values())

    def facts(self) -> object:
        return self.is_on

    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._turn(on=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._turn(on=False)

    async def _turn(self, *, on: bool) -> None:
        description = self.entity_description
        for camera in list(self.coordinator.data.cameras.values()):
            if description.is_on(camera) != on:
                await change_camera(self.coordinator, camera.camera_id, description.change(camera, on))


class PrivacySwitch(BackendEntity, SwitchEntity):
    """While it is on, no camera is recorded or analysed."""

    @property
    def is_on(self) -> bool:
        return self.coordinator.data.preferences.privacy

    def facts(self) -> object:
        return self.is_on

    async def async_turn_on(self, **kwargs: Any) -> None:
        await change_preferences(self.coordinator, privacy=True)

    async def async_turn_off(self, **kwargs: Any) -> None:
        await change_preferences(self.coordinator, privacy=False)
