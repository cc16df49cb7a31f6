"""Addresses of cameras as owners give them."""

import asyncio
from urllib.parse import unquote, urlsplit, urlunsplit

from marengocam.core.camera_names import SCHEMES, tidied
from marengocam.core.errors import BadInputError
from marengocam.media.destinations import check_destination
from marengocam.media.faults import StreamError
from marengocam.web.answers import InputFieldError
from marengocam.web.table import Desk

RESOLVE_LIMIT_S = 5.0


async def check_leads_to_a_camera(desk: Desk, **addresses: str | None) -> None:
    """Raise InputFieldError, with the field's name, for an address at which no camera may be."""
    loopback = desk.context.settings.loopback_cameras
    for field, url in addresses.items():
        if url is None:
            continue
        try:
            async with asyncio.timeout(RESOLVE_LIMIT_S):
                await asyncio.to_thread(check_destination, url, loopback=loopback)
        except StreamError as error:
            raise InputFieldError(str(error), field) from None
        except TimeoutError:
            continue  # the name service is away: ingest asks again before it connects


def checked_address(desk: Desk, url: str, field: str) -> tuple[str, tuple[str | None, str | None]]:
    """Return an address without its user and password, and those; raises InputFieldError."""
    url = tidied(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InputFieldError("The address cannot be read: write it as rtsp://host:554/path.", field) from None
    if parts.scheme not in SCHEMES:
        raise InputFieldError(f"The address must begin with {', '.join(f'{s}://' for s in SCHEMES)}.", field)
    if parts.scheme == "file":
        try:
            desk.store.resolve(unquote(parts.path))
        except BadInputError:
            raise InputFieldError("Files are only read below the media folder.", field) from None
        return url, (None, None)
    if not host:
        raise InputFieldError("The address has no host: write it as rtsp://host:554/path.", field)
    shown = f"[{host}]" if ":" in host else host
    plain = urlunsplit(parts._replace(netloc=f"{shown}:{port}" if port else shown))
    username = unquote(parts.username) if parts.username is not None else None
    return plain, (username, unquote(parts.password) if parts.password is not None else None)
