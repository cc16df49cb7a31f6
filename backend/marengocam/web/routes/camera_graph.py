"""The camera graph: ways between cameras, learned and told."""

from dataclasses import asdict

import msgspec
from aiohttp import web

from marengocam.db.camera_graph import KEEP
from marengocam.web.answers import given, told
from marengocam.web.table import Desk, Route
from marengocam.web.wire import camera_graph as wire


async def list_ways(desk: Desk, _request: web.Request) -> web.Response:
    found = await desk.hub.camera_graph.ways(desk.context.clock.now())
    return told(wire.WayList(ways=[wire.WayOut(**asdict(way)) for way in found]))


async def change_way(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.WayChange)
    await desk.hub.camera_graph.tell(
        request.match_info["from_camera"],
        request.match_info["to_camera"],
        transit_s=KEEP if body.transit_s is msgspec.UNSET else body.transit_s,
        overlaps=KEEP if body.overlaps is msgspec.UNSET else body.overlaps,
    )
    return await list_ways(desk, request)


ROUTES = (
    Route("GET", "/camera-graph", "read", list_ways, "Ways between cameras: learned, and told by hand", wire.WayList),
    Route(
        "PATCH",
        "/camera-graph/{from_camera}/{to_camera}",
        "write",
        change_way,
        "Say how long a way usually takes, and whether two views overlap; holds within a minute",
        wire.WayList,
        wire.WayChange,
    ),
)
