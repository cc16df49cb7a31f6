"""Finding cameras: search the local network, and ask one camera for its streams."""

from urllib.parse import urlsplit

from aiohttp import web

from marengocam.core.secret import Secret
from marengocam.discovery.addresses import onvif_address
from marengocam.discovery.lookup import look_up
from marengocam.discovery.search import discover
from marengocam.discovery.soap import Login
from marengocam.web.answers import given, told
from marengocam.web.camera_addresses import check_leads_to_a_camera
from marengocam.web.limits import Limit
from marengocam.web.table import Desk, Route
from marengocam.web.wire import discovery as wire


async def search_network(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.SearchIn)
    known = {urlsplit(camera.main_url).hostname: camera.camera_id for camera in await desk.hub.cameras.list()}
    found = await discover(body.seconds)
    return told(
        wire.FoundList(
            found=[
                wire.FoundOut(
                    name=one.name,
                    host=one.host,
                    onvif_url=one.onvif_url,
                    model=one.model,
                    camera_id=known.get(one.host),
                )
                for one in found
            ]
        )
    )


async def look_up_camera(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.LookupIn)
    login = Login(body.username, Secret(body.password) if body.password else None)
    address = onvif_address(body.address)
    await check_leads_to_a_camera(desk, address=address.url)
    camera = await look_up(address, login, desk.context.clock)
    return told(
        wire.LookupOut(
            manufacturer=camera.manufacturer,
            model=camera.model,
            main_url=camera.main.url,
            sub_url=camera.sub.url if camera.sub else None,
            profiles=[
                wire.ProfileOut(
                    name=one.name,
                    codec=one.codec,
                    width_px=one.width_px,
                    height_px=one.height_px,
                    fps=one.fps,
                    url=one.url,
                )
                for one in camera.profiles
            ],
            notes=list(camera.notes),
        )
    )


ROUTES = (
    Route(
        "POST",
        "/discovery/search",
        "write",
        search_network,
        "Search the local network for ONVIF cameras",
        wire.FoundList,
        wire.SearchIn,
        limit=Limit(6),
    ),
    Route(
        "POST",
        "/discovery/lookup",
        "write",
        look_up_camera,
        "Ask one camera by ONVIF for its streams",
        wire.LookupOut,
        wire.LookupIn,
        limit=Limit(20),
    ),
)
