"""What the owner does under *Configure*: cameras added, changed and removed, persons added, late events."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant
from homeassistant.helpers.selector import (
    BooleanSelector,
    FileSelector,
    FileSelectorConfig,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .client import ApiError, Camera, FoundCamera, MarengoCamClient, MarengoCamClientError
from .const import LOGGER, OPTION_LATE_AS_TRIGGERS
from .coordinator import MarengoCamConfigEntry, MarengoCamCoordinator
from .schema import vol

CONF_CAMERA: Final = "camera"
CONF_NAME: Final = "name"
CONF_MAIN_URL: Final = "main_url"
CONF_SUB_URL: Final = "sub_url"
CONF_USERNAME: Final = "username"
CONF_PASSWORD: Final = "password"  # noqa: S105 - the field's name
CONF_UNTESTED: Final = "untested"
CONF_CONFIRM: Final = "confirm"
CONF_PICTURE: Final = "picture"
MENU: Final = ["add_camera", "edit_camera", "remove_camera", "add_person", "late_events"]

EXAMPLE_URL: Final = "rtsp://192.168.1.20:554/stream1"  # texts for translators hold no addresses

Errors = dict[str, str]
TEXT = TextSelector()
ADDRESS = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT, autocomplete="off"))
SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
LOGIN: Mapping[Any, Any] = {vol.Optional(CONF_USERNAME): ADDRESS, vol.Optional(CONF_PASSWORD): SECRET}
CAMERA_FORM = vol.Schema(
    {
        vol.Required(CONF_NAME): TEXT,
        vol.Required(CONF_MAIN_URL): ADDRESS,
        vol.Optional(CONF_SUB_URL): ADDRESS,
        **LOGIN,
        vol.Required(CONF_UNTESTED, default=False): BooleanSelector(),
    }
)
PERSON_FORM = vol.Schema(
    {vol.Required(CONF_NAME): TEXT, vol.Required(CONF_PICTURE): FileSelector(FileSelectorConfig(accept="image/*"))}
)
LATE_FORM = vol.Schema({vol.Required(OPTION_LATE_AS_TRIGGERS, default=False): BooleanSelector()})
# The backend's word for a field at fault -> ours, where they differ.
FIELDS = {"camera_id": CONF_NAME}


class MarengoCamOptionsFlow(OptionsFlow):
    """Nothing but the option of late events is kept here; all else is the backend's."""

    config_entry: MarengoCamConfigEntry

    def __init__(self) -> None:
        self._suggested: dict[str, Any] = {}
        self._camera_id = ""
        self._reason = ""

    @property
    def _coordinator(self) -> MarengoCamCoordinator:
        return self.config_entry.runtime_data.coordinator

    @property
    def _client(self) -> MarengoCamClient:
        return self._coordinator.client

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

    async def async_step_add_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask how the camera's address is found."""
        return self.async_show_menu(step_id="add_camera", menu_options=["find_camera", "enter_camera"])

    async def async_step_find_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Search the backend's network, and ask the camera chosen for its streams."""
        errors: Errors = {}
        if user_input is not None:
            try:
                streams = await self._client.look_up(
                    user_input[CONF_CAMERA], user_input.get(CONF_USERNAME), user_input.get(CONF_PASSWORD)
                )
            except MarengoCamClientError as error:
                errors = self._errors(error, CONF_CAMERA)
            else:
                self._suggested = {
                    CONF_NAME: f"{streams.manufacturer} {streams.model}".strip(),
                    CONF_MAIN_URL: streams.main_url,
                    CONF_SUB_URL: streams.sub_url,
                    CONF_USERNAME: user_input.get(CONF_USERNAME),
                    CONF_PASSWORD: user_input.get(CONF_PASSWORD),
                }
                return await self.async_step_enter_camera()
        try:
            found = [one for one in await self._client.search_cameras() if one.camera_id is None]
        except MarengoCamClientError as error:
            LOGGER.debug("Cameras cannot be searched for: %s", error)
            found = []
        if not found:
            return self.async_abort(reason="no_cameras_found")
        fields = vol.Schema({vol.Required(CONF_CAMERA): _one_of(found), **LOGIN})
        return self.async_show_form(
            step_id="find_camera",
            data_schema=self.add_suggested_values_to_schema(fields, user_input or {}),
            errors=errors,
            description_placeholders={"reason": self._reason},
        )

    async def async_step_enter_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a camera's addresses, try them, and have it added."""
        errors: Errors = {}
        if user_input is not None:
            errors = await self._try(user_input)
            if not errors:
                try:
                    await self._client.add_camera(_sent(user_input))
                except MarengoCamClientError as error:
                    errors = self._errors(error, CONF_MAIN_URL)
                else:
                    return self._done()
        return self._camera_form("enter_camera", user_input or self._suggested, errors)

    async def async_step_edit_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which camera is to be changed."""
        if user_input is not None:
            self._camera_id = user_input[CONF_CAMERA]
            return await self.async_step_change_camera()
        return self._which("edit_camera")

    async def async_step_change_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show a camera's addresses and have them changed; an empty password keeps the one there is."""
        camera = self._coordinator.data.cameras.get(self._camera_id)
        if camera is None:
            return self.async_abort(reason="camera_gone")
        errors: Errors = {}
        if user_input is not None:
            errors = await self._try(user_input)
            if not errors:
                changes = {CONF_SUB_URL: None, CONF_USERNAME: None} | _sent(user_input)
                try:
                    self._coordinator.put_camera(await self._client.change_camera(camera.camera_id, changes))
                except MarengoCamClientError as error:
                    errors = self._errors(error, CONF_MAIN_URL)
                else:
                    return self._done()
        return self._camera_form("change_camera", user_input or _shown(camera), errors)

    async def async_step_remove_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which camera goes, and whether that is meant."""
        errors: Errors = {}
        if user_input is not None:
            if not user_input[CONF_CONFIRM]:
                errors = {CONF_CONFIRM: "not_confirmed"}
            else:
                try:
                    await self._client.remove_camera(user_input[CONF_CAMERA])
                except MarengoCamClientError as error:
                    errors = self._errors(error, CONF_CAMERA)
                else:
                    return self._done()
        confirm = {vol.Required(CONF_CONFIRM, default=False): BooleanSelector()}
        return self._which("remove_camera", confirm, errors)

    async def async_step_add_person(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a name and a picture of the face."""
        errors: Errors = {}
        if user_input is not None:
            picture = await asyncio.to_thread(_uploaded, self.hass, user_input[CONF_PICTURE])
            try:
                await self._enrol(user_input[CONF_NAME], picture)
            except MarengoCamClientError as error:
                errors = self._errors(error, CONF_PICTURE)
            else:
                return self._done()
        suggested = {CONF_NAME: user_input[CONF_NAME]} if user_input else {}
        return self.async_show_form(
            step_id="add_person",
            data_schema=self.add_suggested_values_to_schema(PERSON_FORM, suggested),
            errors=errors,
            description_placeholders={"reason": self._reason},
        )

    async def _enrol(self, name: str, picture: bytes) -> None:
        known = {one.name.casefold(): one for one in self._coordinator.data.persons.values()}.get(name.casefold())
        person = known or await self._client.add_person(name)
        try:
            await self._client.enrol_face(person.person_id, picture)
        except MarengoCamClientError:
            if known is None:
                await self._client.remove_person(person.person_id)
            raise

    async def _try(self, values: Mapping[str, Any]) -> Errors:
        """Return what is wrong with a camera's addresses, by connecting to them."""
        if values.get(CONF_UNTESTED):
            return {}
        login = {key: values[key] for key in (CONF_USERNAME, CONF_PASSWORD) if values.get(key)}
        for field in (CONF_MAIN_URL, CONF_SUB_URL):
            if not values.get(field):
                continue
            try:
                await self._client.probe({CONF_MAIN_URL: values[field], **login})
            except MarengoCamClientError as error:
                return self._errors(error, field)
        return {}

    def _errors(self, error: MarengoCamClientError, field: str) -> Errors:
        """Return the field at fault; the backend's own sentence says what to do."""
        self._reason = error.message if isinstance(error, ApiError) else str(error)
        if isinstance(error, ApiError) and error.field is not None and error.field != CONF_MAIN_URL:
            field = FIELDS.get(error.field, error.field if error.field == CONF_SUB_URL else field)
        return {field: "refused"}

    def _camera_form(self, step_id: str, suggested: Mapping[str, Any], errors: Errors) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(CAMERA_FORM, suggested),
            errors=errors,
            description_placeholders={"reason": self._reason, "example_url": EXAMPLE_URL},
        )

    def _which(
        self, step_id: str, further: Mapping[Any, Any] | None = None, errors: Errors | None = None
    ) -> ConfigFlowResult:
        cameras = self._coordinator.data.cameras
        if not cameras:
            return self.async_abort(reason="no_cameras")
        fields = vol.Schema({vol.Required(CONF_CAMERA): _named(cameras), **(further or {})})
        return self.async_show_form(
            step_id=step_id,
            data_schema=fields,
            errors=errors or {},
            description_placeholders={"reason": self._reason},
        )

    def _done(self) -> ConfigFlowResult:
        """End with the options as they were; what was done shows at once."""
        self._coordinator.hurry()
        return self.async_create_entry(data=dict(self.config_entry.options))


def _sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's values as the backend takes them; what was left empty is left out."""
    return {key: value for key, value in values.items() if key != CONF_UNTESTED and value}


def _shown(camera: Camera) -> dict[str, Any]:
    return {
        CONF_NAME: camera.name,
        CONF_MAIN_URL: camera.main_url,
        CONF_SUB_URL: camera.sub_url,
        CONF_USERNAME: camera.username,
    }


def _one_of(found: list[FoundCamera]) -> SelectSelector:
    options = [SelectOptionDict(value=one.onvif_url, label=f"{one.name} ({one.host})") for one in found]
    return SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN))


def _named(cameras: Mapping[str, Camera]) -> SelectSelector:
    options = [SelectOptionDict(value=one.camera_id, label=one.name) for one in cameras.values()]
    return SelectSelector(SelectSelectorConfig(options=options, mode=SelectSelectorMode.DROPDOWN))


def _uploaded(hass: HomeAssistant, file_id: str) -> bytes:
    with process_uploaded_file(hass, file_id) as path:
        return Path(path).read_bytes()
