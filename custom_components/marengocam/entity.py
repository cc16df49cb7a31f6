"""What the entities of the backend, a camera and a person have in common."""

from collections.abc import Callable, Iterable

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .client import Camera, Person
from .const import DOMAIN
from .coordinator import BackendState, MarengoCamConfigEntry, MarengoCamCoordinator
from .registry import camera_unique_id, person_unique_id


class MarengoCamEntity(CoordinatorEntity[MarengoCamCoordinator]):
    """Shows something of the backend; `owner_id` names the device it belongs to."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: MarengoCamCoordinator, owner_id: str, description: EntityDescription | None = None
    ) -> None:
        super().__init__(coordinator)
        self._attr_unique_id = owner_id
        if description is not None:
            self.entity_description = description
            self._attr_unique_id = f"{owner_id}_{description.key}"
        # The device itself is kept by registry.py; this only points at it.
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, owner_id)})


class BackendEntity(MarengoCamEntity):
    """Belongs to the backend as a whole."""

    def __init__(self, coordinator: MarengoCamCoordinator, description: EntityDescription) -> None:
        super().__init__(coordinator, coordinator.data.info.installation_id, description)


class CameraDeviceEntity(MarengoCamEntity):
    """Belongs to one camera."""

    def __init__(
        self, coordinator: MarengoCamCoordinator, camera_id: str, description: EntityDescription | None = None
    ) -> None:
        owner_id = camera_unique_id(coordinator.data.info.installation_id, camera_id)
        super().__init__(coordinator, owner_id, description)
        self._camera_id = camera_id

    @property
    def available(self) -> bool:
        return super().available and self._camera_id in self.coordinator.data.cameras

    @property
    def camera_state(self) -> Camera:
        return self.coordinator.data.cameras[self._camera_id]


class PersonEntity(MarengoCamEntity):
    """Belongs to one person."""

    def __init__(self, coordinator: MarengoCamCoordinator, person_id: str, description: EntityDescription) -> None:
        owner_id = person_unique_id(coordinator.data.info.installation_id, person_id)
        super().__init__(coordinator, owner_id, description)
        self._person_id = person_id

    @property
    def available(self) -> bool:
        return super().available and self._person_id in self.coordinator.data.persons

    @property
    def person_state(self) -> Person:
        return self.coordinator.data.persons[self._person_id]


def camera_ids(state: BackendState) -> Iterable[str]:
    return state.cameras


def person_ids(state: BackendState) -> Iterable[str]:
    return state.persons


@callback
def add_as_they_come(
    entry: MarengoCamConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    ids: Callable[[BackendState], Iterable[str]],
    make: Callable[[str], Iterable[Entity]],
) -> None:
    """Add the entities that `make` returns for every id, now and whenever a new id turns up."""
    coordinator = entry.runtime_data.coordinator
    known: set[str] = set()

    @callback
    def look() -> None:
        current = set(ids(coordinator.data))
        new = sorted(current - known)
        known.intersection_update(current)
        known.update(new)
        if new:
            add([entity for one in new for entity in make(one)])

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))
