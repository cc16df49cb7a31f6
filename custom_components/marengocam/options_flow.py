"""What the owner does under *Configure*: cameras, persons, late events."""

from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.helpers.selector import BooleanSelector

from .const import OPTION_LATE_AS_TRIGGERS
from .option_cameras import CameraSteps
from .option_persons import PersonSteps
from .schema import vol

MENU: Final = ["add_camera", "edit_camera", "test_camera", "remove_camera", "add_person", "late_events"]
LATE_FORM = vol.Schema({vol.Required(OPTION_LATE_AS_TRIGGERS, default=False): BooleanSelector()})


class MarengoCamOptionsFlow(CameraSteps, PersonSteps):
    """Nothing but the option of late events is kept here; all else is the backend's."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what is to be done."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        return self.async_show_menu(step_id="init", menu_options=MENU)

    async def async_step_late_events(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask whether late events start automations."""
        if user_input is not None:
            return self.async_create_entry(data={**self.config_entry.options, **user_input})
        return self.async_show_form(
            step_id="late_events",
            data_schema=self.add_suggested_values_to_schema(LATE_FORM, self.config_entry.options),
        )
