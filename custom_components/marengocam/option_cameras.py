"""Cameras added, changed, tried and removed under *Configure*."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
)

from .client import Camera, FoundCamera, MarengoCamClientError, Probe
from .const import LOGGER
from .option_steps import ADDRESS, CONF_MAIN_URL, CONF_NAME, CONF_SUB_URL, SECRET, TEXT, Errors, OptionSteps
from .schema import vol
from .zones import shown_zones, with_choice, without_choice

CONF_CAMERA: Final = "camera"
CONF_USERNAME: Final = "username"
CONF_PASSWORD: Final = "password"  # noqa: S105 - the field's name
CONF_UNTESTED: Final = "untested"
CONF_CONFIRM: Final = "confirm"
CONF_ZONES: Final = "zones"

EXAMPLE_URL: Final = "rtsp://192.168.1.20:554/stream1"  # texts for translators hold no addresses

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
NOTHING = vol.Schema({})


class CameraSteps(OptionSteps):
    """The steps about cameras."""

    def __init__(self) -> None:
        super().__init__()
        self._suggested: dict[str, Any] = {}
        self._camera_id = ""
        self._tested: tuple[Probe, Probe | None]

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
            errors = await self._try(user_input, _shown(camera))
            if not errors:
                changes = {CONF_SUB_URL: None, CONF_USERNAME: None} | _sent(user_input)
                try:
                    self._coordinator.put_camera(await self._client.change_camera(camera.camera_id, changes))
                except MarengoCamClientError as error:
                    errors = self._errors(error, CONF_MAIN_URL)
                else:
                    return self._done(_options(self.config_entry.options, camera, user_input))
        shown = [zone.zone_id for zone in shown_zones(self.config_entry.options, camera)]
        fields = CAMERA_FORM.extend(_zone_field(camera, shown))
        return self._camera_form("change_camera", user_input or _shown(camera), errors, fields)

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
                    return self._done(without_choice(self.config_entry.options, user_input[CONF_CAMERA]))
        confirm = {vol.Required(CONF_CONFIRM, default=False): BooleanSelector()}
        return self._which("remove_camera", confirm, errors)

    async def async_step_test_camera(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which camera is to be tried, and try it with the login that the backend has."""
        errors: Errors = {}
        if user_input is not None:
            self._camera_id = user_input[CONF_CAMERA]
            try:
                self._tested = await self._client.try_camera(self._camera_id)
            except MarengoCamClientError as error:
                errors = {CONF_CAMERA: next(iter(self._errors(error, CONF_CAMERA).values()))}
            else:
                return await self.async_step_camera_tested()
        return self._which("test_camera", errors=errors)

    async def async_step_camera_tested(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show what the camera sends."""
        if user_input is not None:
            return self._done()
        camera = self._coordinator.data.cameras.get(self._camera_id)
        main, sub = self._tested
        return self.async_show_form(
            step_id="camera_tested",
            data_schema=NOTHING,
            description_placeholders={
                "camera": camera.name if camera else self._camera_id,
                "main": _told(main),
                "sub": _told(sub),
            },
        )

    async def _try(self, values: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> Errors:
        """Return what is wrong with a camera's addresses, by connecting to them, if they are not as before."""
        if values.get(CONF_UNTESTED) or (before is not None and _connects_as(values, before)):
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

    def _camera_form(
        self, step_id: str, suggested: Mapping[str, Any], errors: Errors, fields: vol.Schema = CAMERA_FORM
    ) -> ConfigFlowResult:
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(fields, suggested),
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


def _sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a form's values as the backend takes them; what was left empty is left out."""
    return {key: value for key, value in values.items() if key not in (CONF_UNTESTED, CONF_ZONES) and value}


def _connects_as(values: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Return whether addresses and login stay; an empty password is the one there is."""
    kept = (CONF_MAIN_URL, CONF_SUB_URL, CONF_USERNAME)
    return not values.get(CONF_PASSWORD) and all((values.get(key) or None) == before[key] for key in kept)


def _options(options: Mapping[str, Any], camera: Camera, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the options with the choice of zones; a camera without zones offers none."""
    return with_choice(options, camera, values[CONF_ZONES]) if CONF_ZONES in values else options


def _zone_field(camera: Camera, shown: list[str]) -> dict[Any, Any]:
    """Return the field that chooses among a camera's zones, if it has any."""
    if not camera.zones:
        return {}
    options = [SelectOptionDict(value=zone.zone_id, label=zone.name) for zone in camera.zones]
    config = SelectSelectorConfig(options=options, multiple=True, mode=SelectSelectorMode.LIST)
    return {vol.Optional(CONF_ZONES, default=shown): SelectSelector(config)}  # none at all is a choice too


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


def _told(probe: Probe | None) -> str:
    return "-" if probe is None else f"{probe.width_px} x {probe.height_px}, {probe.codec}"
