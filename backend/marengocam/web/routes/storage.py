"""What is kept and for how long; favourites; what was lost; how the whole was doing."""

from dataclasses import asdict
from datetime import timedelta

import msgspec
from aiohttp import web

from marengocam.core.retention import ALL, EVERY_CAMERA, Rule
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.query import moment, number, path_uuid
from marengocam.web.table import Desk, Parameter, Route
from marengocam.web.wire import storage as wire

DAYS_SHOWN, DAYS_AT_MOST = 7, 366
HISTORY_OF, HISTORY_AT_MOST = timedelta(days=1), timedelta(days=40)
MAX_SAMPLES = 12_000


async def retention(desk: Desk, _request: web.Request) -> web.Response:
    settings = desk.context.settings
    return told(
        wire.RetentionOut(
            default_days=settings.retention_days,
            max_bytes=settings.retention_max_bytes,
            rules=[msgspec.convert(asdict(rule), wire.RetentionRule) for rule in await desk.hub.retention.rules()],
        )
    )


async def set_retention(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.RetentionIn)
    if body.keep_days is None and body.max_bytes is None:
        raise InputFieldError("Say keep_days, max_bytes or both.", "keep_days")
    if body.kind == ALL and body.keep_days is not None:
        raise InputFieldError("For an age of everything name the class continuous: the others follow it.", "keep_days")
    if body.camera_id != EVERY_CAMERA:
        await desk.hub.cameras.get(body.camera_id)
    await desk.hub.retention.set(Rule(body.camera_id, body.kind, body.keep_days, body.max_bytes))
    return await retention(desk, request)


async def clear_retention(desk: Desk, request: web.Request) -> web.Response:
    await desk.hub.retention.clear(request.match_info["camera_id"], request.match_info["kind"])
    return web.Response(status=204)


async def favourites(desk: Desk, _request: web.Request) -> web.Response:
    kept = await desk.hub.retention.favourites()
    return told(wire.FavouriteList(favourites=[wire.FavouriteOut(**asdict(one)) for one in kept]))


async def remove_favourite(desk: Desk, request: web.Request) -> web.Response:
    await desk.hub.retention.remove_favourite(path_uuid(request, "favourite_id"), desk.context.clock.now())
    return web.Response(status=204)


async def days(desk: Desk, request: web.Request) -> web.Response:
    shown = number(request, "days", DAYS_SHOWN, 1, DAYS_AT_MOST)
    first = (desk.context.clock.now() - timedelta(days=shown)).date()
    found = await desk.hub.history.days(request.query.get("camera_id") or None, first)
    return told(wire.RecordingDays(days=[wire.RecordingDayOut(**asdict(one)) for one in found]))


async def history(desk: Desk, request: web.Request) -> web.Response:
    to_at = moment(request, "to_at") or desk.context.clock.now()
    from_at = moment(request, "from_at") or to_at - HISTORY_OF
    if not timedelta(0) < to_at - from_at <= HISTORY_AT_MOST:
        raise InputFieldError(f"The stretch must be between nothing and {HISTORY_AT_MOST.days} days long.", "from_at")
    found = await desk.hub.history.samples(from_at, to_at, MAX_SAMPLES)
    return told(wire.HealthHistory(samples=[wire.HealthSampleOut(**asdict(one)) for one in found]))


_SPAN = (Parameter("from_at"), Parameter("to_at"))
ROUTES = (
    Route("GET", "/retention", "read", retention, "How long recordings are kept", wire.RetentionOut),
    Route(
        "PUT",
        "/retention",
        "write",
        set_retention,
        "Keep a camera's recordings of one class for so long, or so much of them",
        wire.RetentionOut,
        wire.RetentionIn,
    ),
    Route(
        "DELETE",
        "/retention/{camera_id}/{kind}",
        "write",
        clear_retention,
        "Take a rule away: the more general one holds again",
        status=204,
    ),
    Route("GET", "/favourites", "read", favourites, "Stretches that are kept, latest first", wire.FavouriteList),
    Route("DELETE", "/favourites/{favourite_id}", "write", remove_favourite, "Let go of a favourite", status=204),
    Route(
        "GET",
        "/gaps/days",
        "read",
        days,
        "What of each day was not recorded, latest first",
        wire.RecordingDays,
        parameters=(Parameter("camera_id"), Parameter("days", "integer")),
    ),
    Route(
        "GET",
        "/health/history",
        "read",
        history,
        "How the whole was doing, every five minutes; the last day unless told otherwise",
        wire.HealthHistory,
        parameters=_SPAN,
    ),
)
