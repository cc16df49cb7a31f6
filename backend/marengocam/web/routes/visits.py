"""Who came, when, and which way: visits."""

from datetime import datetime, timedelta

from aiohttp import web

from marengocam.core.visits import Visit
from marengocam.web.answers import InputFieldError, told
from marengocam.web.query import flag, moment, number, path_uuid, uuid
from marengocam.web.table import Desk, Parameter, Route
from marengocam.web.wire import visits as wire

MAX_PAGE = 500
DEFAULT_PAGE = 50
USUAL_SPAN = timedelta(hours=24)
LONGEST_SPAN = timedelta(days=31)


async def list_visits(desk: Desk, request: web.Request) -> web.Response:
    limit = number(request, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
    now = desk.context.clock.now()
    to_at = moment(request, "to_at") or now
    from_at = moment(request, "from_at") or to_at - USUAL_SPAN
    if not timedelta(0) < to_at - from_at <= LONGEST_SPAN:
        raise InputFieldError("from_at must lie before to_at, by 31 days at most.", "from_at")
    found = await desk.hub.visits.between(from_at, to_at, uuid(request, "person_id"), uuid(request, "identity_id"))
    camera_id, unknown = request.query.get("camera_id"), flag(request, "unknown")
    wanted = [
        visit
        for visit in reversed(found)
        if (not camera_id or any(stop.camera_id == camera_id for stop in visit.path))
        and not (unknown and visit.newest.person_id is not None)
    ]
    page = wanted[:limit]
    following = page[-1].first_seen_at if len(wanted) > limit else None
    return told(wire.VisitList(visits=[_visit(one, now) for one in page], next=following))


async def get_visit(desk: Desk, request: web.Request) -> web.Response:
    visit = await desk.hub.visits.get(path_uuid(request, "visit_id"))
    return told(_visit(visit, desk.context.clock.now()))


def _visit(visit: Visit, now: datetime) -> wire.VisitOut:
    newest = visit.newest
    return wire.VisitOut(
        visit_id=visit.visit_id,
        identity_id=newest.identity_id,
        person_id=newest.person_id,
        person_name=newest.person_name,
        first_seen_at=visit.first_seen_at,
        last_seen_at=visit.last_seen_at,
        ended=visit.has_ended(now),
        path=[wire.StopOut(camera_id=one.camera_id, from_at=one.from_at, to_at=one.to_at) for one in visit.path],
        local_track_ids=[one.local_track_id for one in visit.sights],
        picture_track_id=visit.picture_track_id,
    )


_NAMES = ("person_id", "identity_id", "camera_id", "from_at", "to_at")
ROUTES = (
    Route(
        "GET",
        "/visits",
        "read",
        list_visits,
        "Who came, when and which way, newest first; of the last 24 hours unless told otherwise",
        wire.VisitList,
        parameters=(
            *(Parameter(name) for name in _NAMES),
            Parameter("unknown", "boolean"),
            Parameter("limit", "integer"),
        ),
    ),
    Route("GET", "/visits/{visit_id}", "read", get_visit, "The visit that a track belongs to", wire.VisitOut),
)
