"""What the steps under *Configure* have in common: whom they ask, and how refusals are shown."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow
from homeassistant.helpers.selector import TextSelector, TextSelectorConfig, TextSelectorType

from .client import ApiError, MarengoCamClient, MarengoCamClientError
from .coordinator import MarengoCamCoordinator
from .runtime import MarengoCamConfigEntry

CONF_NAME: Final = "name"
CONF_MAIN_URL: Final = "main_url"
CONF_SUB_URL: Final = "sub_url"
TEXT = TextSelector()
ADDRESS = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT, autocomplete="off"))
SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
# The backend's word for a field at fault -> ours, where they differ.
FIELDS: Mapping[str, str] = {"camera_id": CONF_NAME}

Errors = dict[str, str]


class OptionSteps(OptionsFlow):
    """Steps over the backend's own routes: what is entered is kept there, not here."""

    config_entry: MarengoCamConfigEntry

    def __init__(self) -> None:
        self._reason = ""

    @property
    def _coordinator(self) -> MarengoCamCoordinator:
        return self.config_entry.runtime_data.coordinator

    @property
    def _client(self) -> MarengoCamClient:
        return self._coordinator.client

    def _errors(self, error: MarengoCamClientError, field: str) -> Errors:
        """Return the field at fault; the backend's own sentence says what to do."""
        self._reason = error.message if isinstance(error, ApiError) else str(error)
        if isinstance(error, ApiError) and error.field is not None and error.field != CONF_MAIN_URL:
            field = FIELDS.get(error.field, error.field if error.field == CONF_SUB_URL else field)
        return {field: "refused"}

    def _form(self, step_id: str, fields: Any, shown: Mapping[str, Any], errors: Errors) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(fields, shown),
            errors=errors,
            description_placeholders={"reason": self._reason},
        )

    def _done(self, options: Mapping[str, Any] | None = None) -> ConfigFlowResult:
        """End with these options, or else as they were; what was done shows at once."""
        if options is not None:
            # Ending would save them too, but only after those who look at them were told.
            self.hass.config_entries.async_update_entry(self.config_entry, options=options)
            self._coordinator.async_update_listeners()
        self._coordinator.hurry()
        return self.async_create_entry(data=dict(self.config_entry.options))
