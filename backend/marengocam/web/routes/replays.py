"""The Time Machine: replays asked for, steered, compared, removed; moments explained."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from aiohttp import web

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.db.replays import ReplayRun
from marengocam.replay.difference import Difference, compare
from marengocam.replay.difference import told as told_difference
from marengocam.replay.folder import RunFolder
from marengocam.replay.overrides import checked, model_override
from marengocam.replay.page import difference_page
from marengocam.replay.places import remove_folder
from marengocam.replay.sides import of_live, of_run
from marengocam.replay.summary import summary
from marengocam.runtime.rule_facts import place_of
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.limits import Limit
from marengocam.web.query import aware, number, path_uuid
from marengocam.web.table import PREFIX, Desk, Parameter, Route
from marengocam.web.wire import models
from marengocam.web.wire import replays as wire

MAX_REPLAYS = 200
MOMENT = timedelta(seconds=1)
PAGE_VALID = timedelta(minutes=10)
LIVE = "live"
# A page of its own: pictures within, no script, nothing from elsewhere.
PAGE_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox"


async def request_replay(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.ReplayIn)
    from_at, to_at = aware(body.from_at, "from_at"), aware(body.to_at, "to_at")
    if to_at <= from_at:
        raise InputFieldError("to_at must lie after from_at.", "to_at")
    if not await desk.hub.chunks.span(body.camera_id, from_at, to_at):
        raise InputFieldError("Nothing was recorded by that camera in that stretch of time.", "from_at")
    run_id = await desk.hub.replays.request(
        body.camera_id,
        desk.context.clock.now(),
        from_at=from_at,
        to_at=to_at,
        debug=body.debug,
        overrides=overrides_of(desk, body.overrides, body.models),
        gallery_at=None if body.gallery_at is None else aware(body.gallery_at, "gallery_at"),
        pace=body.pace,
    )
    return told(replay_out(await desk.hub.replays.get(run_id)), 202)


async def ask_why(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.WhyIn)
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    at = aware(body.at, "at")
    if not await desk.hub.chunks.span(camera.camera_id, at - MOMENT, at + MOMENT):
        raise InputFieldError("The camera was not recorded at that moment: nothing can be seen again.", "at")
    run_id = await desk.hub.replays.request(
        camera.camera_id,
        desk.context.clock.now(),
        why_at=at,
        overrides=overrides_of(desk, body.overrides, body.models),
    )
    return told(replay_out(await desk.hub.replays.get(run_id)), 202)


async def list_replays(desk: Desk, request: web.Request) -> web.Response:
    limit = number(request, "limit", 50, 1, MAX_REPLAYS)
    return told(wire.ReplayList(replays=[replay_out(run) for run in await desk.hub.replays.list(limit)]))


async def get_replay(desk: Desk, request: web.Request) -> web.Response:
    return told(replay_out(await desk.hub.replays.get(path_uuid(request, "run_id"))))


async def control_replay(desk: Desk, request: web.Request) -> web.Response:
    run_id = path_uuid(request, "run_id")
    body = await given(request, wire.ReplayControl)
    pace = "step" if body.steps and body.pace is None else body.pace
    now = desk.context.clock.now()
    return told(replay_out(await desk.hub.replays.control(run_id, now, wish=body.wish, pace=pace, steps=body.steps)))


async def remove_replay(desk: Desk, request: web.Request) -> web.Response:
    run_id = path_uuid(request, "run_id")
    await desk.hub.replays.remove(run_id)
    await desk.first_disk.run(remove_folder, desk.context.settings.media_dir, run_id)
    return web.Response(status=204)


async def whole_report(desk: Desk, request: web.Request) -> web.Response:
    run = await desk.hub.replays.get(path_uuid(request, "run_id"))
    report = await desk.first_disk.run(_folder(desk, run.run_id).report)
    return web.json_response(report)


async def replay_picture(desk: Desk, request: web.Request) -> web.Response:
    run = await desk.hub.replays.get(path_uuid(request, "run_id"))
    jpeg = await desk.first_disk.run(_folder(desk, run.run_id).picture, request.match_info["name"])
    if jpeg is None:
        raise NotFoundError("The replay has no such picture.")
    return web.Response(body=jpeg, content_type="image/jpeg")


async def difference(desk: Desk, request: web.Request) -> web.Response:
    found = await _difference(desk, path_uuid(request, "run_id"), request.query.get("against") or LIVE)
    return told(
        wire.DifferenceOut(summary=summary(found, place_of(desk.context.settings)), difference=told_difference(found))
    )


async def page_url(desk: Desk, request: web.Request) -> web.Response:
    run = await desk.hub.replays.get(path_uuid(request, "run_id"))
    against = request.query.get("against") or LIVE
    if against != LIVE:
        await _other(desk, against)
    path = _page_path(run.run_id, against)
    signed = desk.signer.query(path, desk.context.clock.now() + PAGE_VALID)
    return told(models.MediaUrl(url=f"{path}&{signed}"))


async def page(desk: Desk, request: web.Request) -> web.Response:
    expires, signature = request.query.get("expires", ""), request.query.get("signature", "")
    against = request.query.get("against") or LIVE
    scope = _page_path(request.match_info["run_id"], against)
    desk.signer.check(scope, expires, signature, desk.context.clock.now())
    run_id = path_uuid(request, "run_id")
    run = await desk.hub.replays.get(run_id)
    if run.why_at is not None or run.case_ids is not None:
        text = await desk.first_disk.run(_folder(desk, run_id).page)
        if text is None:
            raise NotFoundError("The replay has no page yet.")
    else:
        found = await _difference(desk, run_id, against)
        text = await asyncio.to_thread(difference_page, found, place_of(desk.context.settings))
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})


async def _difference(desk: Desk, run_id: UUID, against: str) -> Difference:
    run = await desk.hub.replays.get(run_id)
    if run.why_at is not None or run.case_ids is not None:
        raise InputFieldError("That run has nothing to compare: it explains a moment, or runs tests.", "run_id")
    after = await desk.first_disk.run(of_run, "the replay", _folder(desk, run.run_id))
    if against == LIVE:
        before = await of_live(desk.hub, desk.store, run.camera_id, after.from_at, after.to_at)
    else:
        other = await _other(desk, against)
        before = await desk.first_disk.run(of_run, "the other replay", _folder(desk, other.run_id))
    return await asyncio.to_thread(compare, before, after)


async def _other(desk: Desk, against: str) -> ReplayRun:
    try:
        return await desk.hub.replays.get(UUID(against))
    except ValueError:
        raise InputFieldError("against must be live or the id of another replay.", "against") from None


def overrides_of(desk: Desk, changes: Mapping[str, str], names: list[str]) -> dict[str, str]:
    try:
        named = dict(model_override(name, desk.context.settings) for name in names)
    except BadInputError as error:
        raise InputFieldError(str(error), "models") from None
    try:
        return checked({**changes, **named}, desk.context.settings)
    except BadInputError as error:
        raise InputFieldError(str(error), "overrides") from None


def _folder(desk: Desk, run_id: UUID) -> RunFolder:
    return RunFolder(desk.context.settings.media_dir, run_id)


def _page_path(run_id: UUID | str, against: str) -> str:
    return f"{PREFIX}/replays/{run_id}/page.html?against={quote(against, safe='')}"


def replay_out(run: ReplayRun) -> wire.ReplayOut:
    shown = asdict(run)
    for name in ("attempts", "heartbeat_at"):
        del shown[name]
    return wire.ReplayOut(**shown)


_LIMIT = (Parameter("limit", "integer"),)
_AGAINST = (Parameter("against"),)
ROUTES = (
    Route("GET", "/replays", "read", list_replays, "Replays, newest first", wire.ReplayList, parameters=_LIMIT),
    Route(
        "POST",
        "/replays",
        "write",
        request_replay,
        "Ask for a replay",
        wire.ReplayOut,
        wire.ReplayIn,
        202,
        limit=Limit(20),
    ),
    Route("GET", "/replays/{run_id}", "read", get_replay, "One replay with its report", wire.ReplayOut),
    Route("DELETE", "/replays/{run_id}", "write", remove_replay, "Remove a replay with all it left", status=204),
    Route(
        "POST",
        "/replays/{run_id}/control",
        "write",
        control_replay,
        "Pause, resume, step or cancel a replay",
        wire.ReplayOut,
        wire.ReplayControl,
    ),
    Route("GET", "/replays/{run_id}/report", "read", whole_report, "The whole report: paths and evidence too"),
    Route(
        "GET",
        "/replays/{run_id}/pictures/{name}",
        "read",
        replay_picture,
        "A picture that a report names",
        media_type="image/jpeg",
    ),
    Route(
        "GET",
        "/replays/{run_id}/difference",
        "read",
        difference,
        "What it saw that live, or another run, did not",
        wire.DifferenceOut,
        parameters=_AGAINST,
    ),
    Route(
        "GET",
        "/replays/{run_id}/page",
        "read",
        page_url,
        "A signed address of its page",
        models.MediaUrl,
        parameters=_AGAINST,
    ),
    Route(
        "GET",
        "/replays/{run_id}/page.html",
        None,
        page,
        "The difference to live or to another run, the explanation, or the outcomes of tests, as a page of its own",
        parameters=(*_AGAINST, Parameter("expires"), Parameter("signature")),
        media_type="text/html",
    ),
    Route(
        "POST",
        "/cameras/{camera_id}/why",
        "write",
        ask_why,
        "Have a moment explained: why was somebody missed?",
        wire.ReplayOut,
        wire.WhyIn,
        202,
        limit=Limit(20),
    ),
)
