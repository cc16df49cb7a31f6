"""What an owner wishes for the whole: preferences; moments marked by hand; gaps in the recordings."""

from datetime import timedelta
from typing import Any

import msgspec
from aiohttp import web

from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.core.preferences import Preferences
from marengocam.core.retention import Policy
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.query import aware, moment, number
from marengocam.web.routes.events import told_events
from marengocam.web.table import SPEAKER, Desk, Parameter, Route
from marengocam.web.wire import models
from marengocam.web.wire import wishes as wire

GAPS_OF = timedelta(days=1)
GAPS_AT_MOST = timedelta(days=31)
MAX_GAPS = 5000
FUTURE_SLACK = timedelta(minutes=1)  # clocks differ


async def preferences(desk: Desk, _request: web.Request) -> web.Response:
    return told(_told(desk, await desk.hub.preferences.get()))


async def change_preferences(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.PreferencesChange)
    changes: dict[str, Any] = {
        name: value
        for name in ("privacy", "confirm_probability")
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    return told(_told(desk, await desk.hub.preferences.change(**changes)))


async def mark_moment(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.MomentIn)
    if body.camera_id is not None:
        await desk.hub.cameras.get(body.camera_id)
    now = desk.context.clock.now()
    at = now if body.at is None else aware(body.at, "at")
    if at > now + FUTURE_SLACK:
        raise InputFieldError("A moment that is still to come cannot be marked.", "at")
    data = {"label": body.label, "marked_by": request.get(SPEAKER, "")}
    event = NewEvent(new_id(now), EventType.MOMENT_MARKED, at, camera_id=body.camera_id, data=data)
    written = await desk.hub.events.append([event])
    names = {camera.camera_id: camera.name for camera in await desk.hub.cameras.list()}
    return told(told_events(written, now, names)[0], 201)


async def gaps(desk: Desk, request: web.Request) -> web.Response:
    now = desk.context.clock.now()
    to_at = moment(request, "to_at") or now
    from_at = moment(request, "from_at") or to_at - GAPS_OF
    if not timedelta(0) < to_at - from_at <= GAPS_AT_MOST:
        raise InputFieldError(f"The stretch must be between nothing and {GAPS_AT_MOST.days} days long.", "from_at")
    limit = number(request, "limit", MAX_GAPS, 1, MAX_GAPS)
    settings = desk.context.settings
    # Further back retention has made holes of its own.
    kept_from = now - Policy(await desk.hub.retention.rules(), settings.retention_days).shortest
    found = await desk.hub.history.gaps(
        request.query.get("camera_id") or None, max(from_at, kept_from), to_at, chunk_s=settings.chunk_s
    )
    always = {one.camera_id for one in await desk.hub.cameras.list() if one.enabled and one.recording.mode == "always"}
    shown = [
        wire.GapOut(camera_id=gap.camera_id, from_at=gap.from_at, to_at=gap.to_at)
        for gap in found[:limit]
        if gap.camera_id in always
    ]
    return told(wire.GapList(gaps=shown))


def _told(desk: Desk, wishes: Preferences) -> wire.PreferencesOut:
    default = desk.context.settings.confirm_probability
    return wire.PreferencesOut(
        privacy=wishes.privacy,
        confirm_probability=default if wishes.confirm_probability is None else wishes.confirm_probability,
    )


_SPAN = (Parameter("camera_id"), Parameter("from_at"), Parameter("to_at"), Parameter("limit", "integer"))
ROUTES = (
    Route("GET", "/preferences", "read", preferences, "What holds for the whole installation", wire.PreferencesOut),
    Route(
        "PATCH",
        "/preferences",
        "write",
        change_preferences,
        "Change what holds for the whole installation, at once and without a restart",
        wire.PreferencesOut,
        wire.PreferencesChange,
    ),
    Route("POST", "/events", "write", mark_moment, "Mark a moment by hand", models.EventOut, wire.MomentIn, 201),
    Route(
        "GET",
        "/gaps",
        "read",
        gaps,
        "Where cameras recorded always were not, newest first; of the last 24 hours unless told otherwise",
        wire.GapList,
        parameters=_SPAN,
    ),
)
