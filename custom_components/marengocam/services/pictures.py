"""Pictures that Home Assistant has, for enrolling: of entities, and of its media."""

import asyncio
from pathlib import Path
from typing import Final

import aiohttp
from homeassistant.components import media_source
from homeassistant.components.camera import async_get_image
from homeassistant.components.media_player import BrowseError
from homeassistant.components.media_source import MediaSourceItem, Unresolvable
from homeassistant.const import ATTR_ENTITY_PICTURE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .targets import refused

LARGEST_BYTES: Final = 8 * 1024 * 1024  # the backend takes no larger ones
FETCH_LIMIT_S: Final = 10.0
PICTURE_DOMAINS: Final = ["camera", "image", "person"]
LOCAL_MEDIA: Final = "media-source://media_source/"


async def picture_of_entity(hass: HomeAssistant, entity_id: str) -> bytes:
    """Return the present picture of a camera, an image or a person; raises ServiceValidationError."""
    state = hass.states.get(entity_id)
    if state is None:
        raise refused("no_picture", source=entity_id)
    if entity_id.startswith("camera."):
        try:
            return (await async_get_image(hass, entity_id)).content
        except HomeAssistantError as error:
            raise refused("no_picture", source=entity_id) from error
    path = state.attributes.get(ATTR_ENTITY_PICTURE)
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("//"):
        # Addresses elsewhere are not followed: whoever writes states could have us fetch anything.
        raise refused("no_picture", source=entity_id)
    return await _own(hass, path, entity_id)


async def picture_of_media(hass: HomeAssistant, media_content_id: str) -> bytes:
    """Return a picture of Home Assistant's media folders; raises ServiceValidationError."""
    if not media_content_id.startswith(LOCAL_MEDIA):
        raise refused("not_local_media", source=media_content_id)
    try:
        item = MediaSourceItem.from_uri(hass, media_content_id, None)
        await media_source.async_resolve_media(hass, media_content_id, None)  # refuses what is not in the folders
    except (Unresolvable, BrowseError, ValueError) as error:
        raise refused("no_picture", source=media_content_id) from error
    folder, _, name = item.identifier.partition("/")
    root = hass.config.media_dirs.get(folder)
    if root is None:
        raise refused("no_picture", source=media_content_id)
    return await asyncio.to_thread(_read, Path(root) / name, media_content_id)


def _read(file: Path, source: str) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise refused("no_picture", source=source) from error
    if len(content) > LARGEST_BYTES:
        raise refused("picture_too_large", source=source)
    return content


async def _own(hass: HomeAssistant, path: str, source: str) -> bytes:
    """Return what this Home Assistant serves at a path, which opens itself by its token or is open."""
    try:
        address = get_url(hass, prefer_external=False, allow_cloud=False)
        async with (
            asyncio.timeout(FETCH_LIMIT_S),
            async_get_clientsession(hass, verify_ssl=False).get(f"{address}{path}", allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise refused("no_picture", source=source)
            content = await answer.content.read(LARGEST_BYTES + 1)
            while not answer.content.at_eof() and len(content) <= LARGEST_BYTES:
                content += await answer.content.read(LARGEST_BYTES + 1)
    except (NoURLAvailableError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise refused("no_picture", source=source) from error
    if len(content) > LARGEST_BYTES:
        raise refused("picture_too_large", source=source)
    return content
