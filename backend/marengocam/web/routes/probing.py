"""Trying cameras: whether one sends video, and which."""

import asyncio

from aiohttp import web

from marengocam.core.camera_options import Transport
from marengocam.core.errors import BadInputError, MediaError
from marengocam.core.secret import Secret
from marengocam.media.probe import probe
from marengocam.media.stream import StreamOptions
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.camera_addresses import check_leads_to_a_camera, checked_address
from marengocam.web.limits import Limit
from marengocam.web.table import Desk, Route
from marengocam.web.wire import cameras as wire

PROBE_LIMIT_S = 15.0


async def probe_address(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.ProbeIn)
    url, login = checked_address(desk, body.main_url, "main_url")
    username = body.username if body.username is not None else login[0]
    password = body.password if body.password is not None else login[1]
    options = StreamOptions(username, Secret(password) if password else None, Transport(body.transport))
    return told(await _probed(desk, url, options))


async def probe_camera(desk: Desk, request: web.Request) -> web.Response:
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    options = StreamOptions(camera.username, camera.password, camera.transport)
    tried: dict[str, wire.ProbeOut] = {}
    for stream, url in (("main", camera.main_url), ("sub", camera.sub_url)):
        if url is None:
            continue
        try:
            tried[stream] = await _probed(desk, url, options)
        except (MediaError, BadInputError) as error:
            raise InputFieldError(str(error), f"{stream}_url") from error
    return told(wire.CameraProbeOut(main=tried["main"], sub=tried.get("sub")))


async def _probed(desk: Desk, url: str, options: StreamOptions) -> wire.ProbeOut:
    await check_leads_to_a_camera(desk, main_url=url)
    try:
        looking = asyncio.get_running_loop().run_in_executor(desk.probing, probe, url, options)
        async with asyncio.timeout(PROBE_LIMIT_S):
            info = await looking
    except TimeoutError:
        raise BadInputError(f"The camera sent no video within {PROBE_LIMIT_S:.0f} s: check its address.") from None
    return wire.ProbeOut(
        codec=info.codec, width_px=info.width_px, height_px=info.height_px, fps=info.fps, audio=info.audio
    )


ROUTES = (
    Route(
        "POST", "/cameras/probe", "write", probe_address, "Try an address", wire.ProbeOut, wire.ProbeIn, limit=Limit(20)
    ),
    Route(
        "POST",
        "/cameras/{camera_id}/probe",
        "write",
        probe_camera,
        "Try its addresses",
        wire.CameraProbeOut,
        limit=Limit(20),
    ),
)
