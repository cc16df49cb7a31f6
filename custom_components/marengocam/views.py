"""Pictures and clips through Home Assistant: for those who are logged in or hold a signed path, phones away included.

The backend's token stays on this side.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .client import ApiError, MarengoCamClient, MarengoCamClientError
from .const import CLIP, DOMAIN, TRACK_PICTURE

PART_BYTES: Final = 256 * 1024
MOMENT: Final = "%Y%m%dT%H%M%S.%fZ"  # in UTC; a path's part without letters that are escaped


@callback
def async_register_views(hass: HomeAssistant) -> None:
    """Serve pictures and clips, once for all entries."""
    hass.http.register_view(TrackPictureView)
    hass.http.register_view(ClipView)


def clip_path(entry_id: str, camera_id: str, from_at: datetime, to_at: datetime) -> str:
    """Return where Home Assistant serves a stretch of a camera's recording; sign it before it is given away."""
    return CLIP.format(entry_id, camera_id, *(dt_util.as_utc(at).strftime(MOMENT) for at in (from_at, to_at)))


class TrackPictureView(HomeAssistantView):
    """The best picture of one passage through a camera's picture."""

    url = TRACK_PICTURE.format("{entry_id}", "{local_track_id:[0-9a-fA-F-]{36}}")
    name = f"api:{DOMAIN}:track"

    async def get(self, request: web.Request, entry_id: str, local_track_id: str) -> web.Response:
        """Return the picture as JPEG."""
        client = _client(request, entry_id)
        try:
            picture = await client.track_picture(local_track_id)
        except MarengoCamClientError as error:
            return _refused(error)
        # What was filmed does not change, but who may see it may.
        return web.Response(body=picture, content_type="image/jpeg", headers={"Cache-Control": "private, max-age=300"})


class ClipView(HomeAssistantView):
    """A stretch of a camera's recording as one file."""

    url = CLIP.format("{entry_id}", "{camera_id:[a-z0-9_]+}", "{from_at}", "{to_at}")
    name = f"api:{DOMAIN}:clip"

    async def get(
        self, request: web.Request, entry_id: str, camera_id: str, from_at: str, to_at: str
    ) -> web.StreamResponse:
        """Hand the file through as it comes."""
        client = _client(request, entry_id)
        try:
            begin, end = (datetime.strptime(text, MOMENT).replace(tzinfo=dt_util.UTC) for text in (from_at, to_at))
        except ValueError:
            raise web.HTTPNotFound from None
        response: web.StreamResponse | None = None
        try:
            async with client.clip(camera_id, begin, end) as clip:
                response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
                response.content_length = clip.content_length
                await response.prepare(request)
                async for part in clip.content.iter_chunked(PART_BYTES):
                    await response.write(part)
        except MarengoCamClientError as error:
            if response is None:
                return _refused(error)
            # Half of the file is sent: what is missing cannot be said any more, only be noticed by its length.
            if request.transport is not None:
                request.transport.close()
        assert response is not None
        return response


def _client(request: web.Request, entry_id: str) -> MarengoCamClient:
    entry = request.app[KEY_HASS].config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN or entry.state is not ConfigEntryState.LOADED:
        raise web.HTTPNotFound
    client: MarengoCamClient = entry.runtime_data.client
    return client


def _refused(error: MarengoCamClientError) -> web.Response:
    if isinstance(error, ApiError):
        return web.Response(status=error.status, text=error.message)
    return web.Response(status=HTTPStatus.BAD_GATEWAY, text="The backend is away.")
