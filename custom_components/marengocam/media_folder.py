"""Pictures and clips kept in Home Assistant's own media folder."""

import asyncio
import contextlib
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .changes import explained
from .client import Camera, MarengoCamClient
from .const import DOMAIN

MEDIA_SOURCE = "local"
PART_BYTES = 256 * 1024
# Letters of all languages, but nothing that means something in a path.
UNWANTED = re.compile(r"[^\w.\- ]+")
LONGEST_NAME = 120
CLIP_SUFFIX, PICTURE_SUFFIX = ".mp4", ".jpg"
MOST_FILES = 500  # shown at a time


@dataclass(frozen=True, slots=True)
class Kept:
    """A file in the media folder."""

    path: Path
    media_content_id: str
    size_bytes: int


async def save_snapshot(
    hass: HomeAssistant, client: MarengoCamClient, camera: Camera, filename: str | None = None
) -> Kept:
    """Keep a camera's present picture; raises HomeAssistantError."""
    with explained():
        picture = await client.snapshot(camera.camera_id)
    return await _keep(hass, filename or _name(camera, dt_util.now()), PICTURE_SUFFIX, _once(picture))


async def save_clip(
    hass: HomeAssistant,
    client: MarengoCamClient,
    camera: Camera,
    from_at: datetime,
    to_at: datetime,
    filename: str | None = None,
) -> Kept:
    """Keep a stretch of a camera's recording; raises HomeAssistantError."""
    with explained():
        async with client.clip(camera.camera_id, from_at, to_at) as clip:
            parts = clip.content.iter_chunked(PART_BYTES)
            return await _keep(hass, filename or _name(camera, dt_util.as_local(from_at)), CLIP_SUFFIX, parts)


def kept_files(hass: HomeAssistant) -> list[Path]:
    """Return the newest clips and pictures that were kept, newest first; reads the disk."""
    root = hass.config.media_dirs.get(MEDIA_SOURCE)
    if root is None:
        return []
    try:
        files = [file for file in (Path(root) / DOMAIN).iterdir() if file.suffix in (CLIP_SUFFIX, PICTURE_SUFFIX)]
        return sorted(files, key=lambda file: file.stat().st_mtime, reverse=True)[:MOST_FILES]
    except OSError:
        return []  # nothing was kept yet, or the disk is away


async def _keep(hass: HomeAssistant, name: str, suffix: str, parts: AsyncIterator[bytes]) -> Kept:
    """Write a file as a whole or not at all, beside those that are there already."""
    root = hass.config.media_dirs.get(MEDIA_SOURCE)
    if root is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_media_folder")
    folder = Path(root) / DOMAIN
    stem = UNWANTED.sub("_", name.removesuffix(suffix)).strip(". ")[:LONGEST_NAME]
    if not stem:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="bad_filename")
    partial = folder / f".{secrets.token_hex(8)}.partial"
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        file = await asyncio.to_thread(partial.open, "wb")
        try:
            async for part in parts:
                await asyncio.to_thread(file.write, part)
        finally:
            await asyncio.to_thread(file.close)
        target = await asyncio.to_thread(_settle, partial, folder, stem, suffix)
        size_bytes = (await asyncio.to_thread(target.stat)).st_size
    except OSError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="media_folder_unusable",
            translation_placeholders={"reason": error.strerror or str(error)},
        ) from error
    finally:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(partial.unlink, missing_ok=True)
    return Kept(target, f"media-source://media_source/{MEDIA_SOURCE}/{DOMAIN}/{target.name}", size_bytes)


def _settle(partial: Path, folder: Path, stem: str, suffix: str) -> Path:
    """Give a finished file its name, with a number behind it where that is taken."""
    number = 1
    while True:
        target = folder / (f"{stem}{suffix}" if number == 1 else f"{stem} {number}{suffix}")
        try:
            target.open("xb").close()  # nobody else gets this name now
        except FileExistsError:
            number += 1
        else:
            return partial.replace(target)


def _name(camera: Camera, at: datetime) -> str:
    return f"{camera.name} {at:%Y-%m-%d %H-%M-%S}"


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
