"""Number: how sure the backend must be before it says a name."""

from homeassistant.components.number import NumberEntity, NumberEntityDescription, NumberMode
from homeassistant.const import PERCENTAGE, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .changes import change_preferences
from .entity import BackendEntity
from .runtime import MarengoCamConfigEntry

PARALLEL_UPDATES = 1

CONFIRMATION = NumberEntityDescription(
    key="confirmation_threshold",
    translation_key="confirmation_threshold",
    entity_category=EntityCategory.CONFIG,
    native_min_value=50,
    native_max_value=99.9,
    native_step=0.1,
    native_unit_of_measurement=PERCENTAGE,
    mode=NumberMode.BOX,
)


async def async_setup_entry(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the one number there is."""
    async_add_entities([ConfirmationNumber(entry.runtime_data.coordinator, CONFIRMATION)])


class ConfirmationNumber(BackendEntity, NumberEntity):
    """The probability from which a person is announced by name."""

    @property
    def native_value(self) -> float:
        return round(self.coordinator.data.preferences.confirm_probability * 100, 2)

    def facts(self) -> object:
        return self.native_value

    async def async_set_native_value(self, value: float) -> None:
        await change_preferences(self.coordinator, confirm_probability=round(value / 100, 4))
