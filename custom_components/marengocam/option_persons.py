"""Persons added under *Configure*, with a picture from this device, of an entity, or out of the media folders."""

import asyncio
from pathlib import Path
from typing import Any, Final

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    FileSelector,
    FileSelectorConfig,
    MediaSelector,
    MediaSelectorConfig,
    TextSelector,
)

from .client import MarengoCamClientError
from .option_steps import CONF_NAME, TEXT, Errors, OptionSteps
from .schema import vol
from .services.pictures import PICTURE_DOMAINS, picture_of_entity, picture_of_media

CONF_PICTURE: Final = "picture"
CONF_ENTITY: Final = "entity_id"
CONF_MEDIA: Final = "media"
SOURCES: Final = ["person_upload", "person_entity", "person_media"]


def _media_field() -> MediaSelector | TextSelector:
    """Return a browser of the media folders; older releases have it for players only, there the address is typed."""
    try:
        return MediaSelector(MediaSelectorConfig(accept=["image/*"]))
    except vol.Invalid:
        return TextSelector()


UPLOAD_FORM = vol.Schema(
    {vol.Required(CONF_NAME): TEXT, vol.Required(CONF_PICTURE): FileSelector(FileSelectorConfig(accept="image/*"))}
)
ENTITY_FORM = vol.Schema(
    {
        vol.Required(CONF_ENTITY): EntitySelector(EntitySelectorConfig(domain=PICTURE_DOMAINS)),
        vol.Optional(CONF_NAME): TEXT,
    }
)
MEDIA_FORM = vol.Schema({vol.Required(CONF_NAME): TEXT, vol.Required(CONF_MEDIA): _media_field()})


class PersonSteps(OptionSteps):
    """The steps about persons."""

    async def async_step_add_person(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask where the picture is."""
        return self.async_show_menu(step_id="add_person", menu_options=SOURCES)

    async def async_step_person_upload(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a picture from the owner's device."""
        errors: Errors = {}
        if user_input is not None:
            picture = await asyncio.to_thread(_uploaded, self.hass, user_input[CONF_PICTURE])
            errors = await self._enrol(user_input[CONF_NAME], picture, CONF_PICTURE)
            if not errors:
                return self._done()
        shown = {CONF_NAME: user_input[CONF_NAME]} if user_input else {}
        return self._form("person_upload", UPLOAD_FORM, shown, errors)

    async def async_step_person_entity(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take the picture that a person, an image or a camera of Home Assistant has now."""
        errors: Errors = {}
        if user_input is not None:
            entity_id = user_input[CONF_ENTITY]
            state = self.hass.states.get(entity_id)
            name = user_input.get(CONF_NAME) or (state.name if state else "")
            try:
                picture = await picture_of_entity(self.hass, entity_id)
            except HomeAssistantError as error:
                errors = self._no_picture(error, CONF_ENTITY)
            else:
                errors = await self._enrol(name, picture, CONF_ENTITY)
            if not errors:
                return self._done()
        return self._form("person_entity", ENTITY_FORM, user_input or {}, errors)

    async def async_step_person_media(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a picture out of Home Assistant's media folders."""
        errors: Errors = {}
        if user_input is not None:
            chosen = user_input[CONF_MEDIA]
            try:
                picture = await picture_of_media(
                    self.hass, chosen if isinstance(chosen, str) else chosen["media_content_id"]
                )
            except HomeAssistantError as error:
                errors = self._no_picture(error, CONF_MEDIA)
            else:
                errors = await self._enrol(user_input[CONF_NAME], picture, CONF_MEDIA)
            if not errors:
                return self._done()
        return self._form("person_media", MEDIA_FORM, user_input or {}, errors)

    async def _enrol(self, name: str, picture: bytes, field: str) -> Errors:
        """Add a picture to the person of this name, and the person where there is none yet."""
        known = {one.name.casefold(): one for one in self._coordinator.data.persons.values()}.get(name.casefold())
        try:
            person = known or await self._client.add_person(name)
            try:
                await self._client.enrol_face(person.person_id, picture)
            except MarengoCamClientError:
                if known is None:
                    await self._client.remove_person(person.person_id)
                raise
        except MarengoCamClientError as error:
            return self._errors(error, field)
        return {}

    def _no_picture(self, error: HomeAssistantError, field: str) -> Errors:
        self._reason = str(error)
        return {field: "refused"}


def _uploaded(hass: HomeAssistant, file_id: str) -> bytes:
    with process_uploaded_file(hass, file_id) as path:
        return Path(path).read_bytes()
