"""What the entities of the backend, a camera and a person have in common."""

from abc import abstractmethod
from collections.abc import Callable, Iterable

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .client import Camera, Person, Zone
from .const import DOMAIN
from .coordinator import MarengoCamCoordinator
from .registry import camera_unique_id, person_unique_id
from .runtime import MarengoCamConfigEntry
from .zones import shown_zones


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
        self._shown: object = None

    @abstractmethod
    def facts(self) -> object:
        """Return everything the entity's state is made of, to be compared."""

    @callback
    def _handle_coordinator_update(self) -> None:
        """Write a state only when it is another one: hints come every second and hundreds of entities listen."""
        shown = (self.available, self.facts() if self.available else None)
        if shown != self._shown:
            self._shown = shown
            super()._handle_coordinator_update()


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


class ZoneEntity(CameraDeviceEntity):
    """Belongs to one zone of a camera; `key` is made by `zone_keys`."""

    def __init__(self, coordinator: MarengoCamCoordinator, key: str, description: EntityDescription) -> None:
        camera_id, _, self._zone_id = key.partition("/")
        super().__init__(coordinator, camera_id, description)
        self._attr_unique_id = f"{self._attr_unique_id}_{self._zone_id}"
        self._attr_translation_placeholders = {"zone": self.zone_state.name if self.zone_state else ""}

    @property
    def available(self) -> bool:
        return super().available and self.zone_state is not None

    @property
    def zone_state(self) -> Zone | None:
        camera = self.coordinator.data.cameras.get(self._camera_id)
        return next((zone for zone in camera.zones if zone.zone_id == self._zone_id), None) if camera else None


def camera_ids(entry: MarengoCamConfigEntry) -> Iterable[str]:
    return entry.runtime_data.coordinator.data.cameras


def person_ids(entry: MarengoCamConfigEntry) -> Iterable[str]:
    return entry.runtime_data.coordinator.data.persons


def zone_keys(entry: MarengoCamConfigEntry) -> Iterable[str]:
    for camera in entry.runtime_data.coordinator.data.cameras.values():
        for zone in shown_zones(entry.options, camera):
            yield f"{camera.camera_id}/{zone.zone_id}"


@callback
def add_as_they_come(
    entry: MarengoCamConfigEntry,
    add: AddConfigEntryEntitiesCallback,
    ids: Callable[[MarengoCamConfigEntry], Iterable[str]],
    make: Callable[[str], Iterable[Entity]],
) -> None:
    """Add the entities that `make` returns for every id, now and whenever a new id turns up."""
    coordinator = entry.runtime_data.coordinator
    known: set[str] = set()

    @callback
    def look() -> None:
        current = set(ids(entry))
        new = sorted(current - known)
        known.intersection_update(current)
        known.update(new)
        if new:
            add([entity for one in new for entity in make(one)])

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))
