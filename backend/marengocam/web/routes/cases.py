"""An owner's own tests: marked with what should be seen, listed, run as a replay, removed."""

from dataclasses import asdict
from datetime import timedelta

from aiohttp import web

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.db.cases import ReplayCase
from marengocam.replay.expectation import parse
from marengocam.replay.kept_cases import add_case as keep_case
from marengocam.replay.kept_cases import moment_of
from marengocam.replay.kept_cases import remove_case as forget_case
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.limits import Limit
from marengocam.web.query import aware, path_uuid
from marengocam.web.routes.replays import overrides_of, replay_out
from marengocam.web.table import Desk, Route
from marengocam.web.wire import replays as wire


async def add_case(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.CaseIn)
    if (body.at is None) == (body.event_number is None):
        raise InputFieldError("Say when: either at or event_number.", "at")
    try:
        parse(body.expected)
    except BadInputError as error:
        raise InputFieldError(str(error), "expected") from None
    camera_id = body.camera_id
    if body.event_number is not None:
        at, of_event = await moment_of(desk.hub, body.event_number)
        camera_id = camera_id or of_event
    else:
        assert body.at is not None
        at = aware(body.at, "at")
    if camera_id is None:
        raise InputFieldError("Say which camera: neither the request nor the event names one.", "camera_id")
    await desk.hub.cameras.get(camera_id)
    case = await keep_case(
        desk.hub,
        desk.context.settings,
        desk.context.clock,
        desk.first_disk,
        name=body.name,
        camera_id=camera_id,
        from_at=at - timedelta(seconds=body.before_s),
        to_at=at + timedelta(seconds=body.after_s),
        expected=body.expected,
    )
    return told(_case(case), 201)


async def list_cases(desk: Desk, _request: web.Request) -> web.Response:
    return told(wire.CaseList(cases=[_case(case) for case in await desk.hub.cases.list()]))


async def remove_case(desk: Desk, request: web.Request) -> web.Response:
    case = await desk.hub.cases.get(path_uuid(request, "case_id"))
    await forget_case(desk.hub, desk.context.settings, case, desk.first_disk)
    return web.Response(status=204)


async def run_suite(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.SuiteIn)
    cases = await desk.hub.cases.list()
    if body.names:
        cases = [await desk.hub.cases.by_name(name) for name in body.names]
    if not cases:
        raise NotFoundError("There is no test yet: mark a moment first.")
    run_id = await desk.hub.replays.request(
        "",
        desk.context.clock.now(),
        overrides=overrides_of(desk, body.overrides, body.models),
        case_ids=[case.case_id for case in cases],
    )
    return told(replay_out(await desk.hub.replays.get(run_id)), 202)


def _case(case: ReplayCase) -> wire.CaseOut:
    return wire.CaseOut(**asdict(case))


ROUTES = (
    Route("GET", "/replays/cases", "read", list_cases, "An owner's own tests", wire.CaseList),
    Route(
        "POST",
        "/replays/cases",
        "write",
        add_case,
        "Mark a moment as a test: what should be seen then",
        wire.CaseOut,
        wire.CaseIn,
        201,
        limit=Limit(20),
    ),
    Route("DELETE", "/replays/cases/{case_id}", "write", remove_case, "Remove a test and its recording", status=204),
    Route(
        "POST",
        "/replays/suite",
        "write",
        run_suite,
        "Run own tests as a replay whose report has the outcomes",
        wire.ReplayOut,
        wire.SuiteIn,
        202,
        limit=Limit(20),
    ),
)
