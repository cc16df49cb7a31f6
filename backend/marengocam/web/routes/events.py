"""Events: the log, and the live stream that resumes from a number."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import datetime

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Event, EventType
from marengocam.db.events import EventFilter
from marengocam.web.answers import InputFieldError, told
from marengocam.web.query import number, uuid
from marengocam.web.signing import TICKET_VALID
from marengocam.web.table import PREFIX, Desk, Parameter, Route
from marengocam.web.wire import models as wire

LATE_AFTER_S = 30.0
MAX_PAGE = 1000
DEFAULT_PAGE = 100
HIGHEST = 2**62
STREAM_PAGE = 200
HEARTBEAT_S = 15.0
SEND_LIMIT_S = 10.0
HINT_EVERY_S = 1.0
RECHECK_S = 15.0  # how long a revoked token still hears
TICKETED_LIFE_S = 600.0  # a page then asks for a new ticket with its token, and goes on from its last number
POLL_S = 2.0
STREAM_PATH = f"{PREFIX}/events/stream"
_LOG = logging.getLogger(__name__)
HINTS = {
    "camera": "cameras",
    "camera_status": "cameras",
    "person": "persons",
    "local_track": "tracks",
    "health": "health",
}


async def list_events(desk: Desk, request: web.Request) -> web.Response:
    kind = request.query.get("type") or None
    if kind is not None and kind not in list(EventType):
        raise InputFieldError(f"type must be one of {', '.join(EventType)}.", "type")
    wanted = EventFilter(
        type=EventType(kind) if kind else None,
        camera_id=request.query.get("camera_id") or None,
        person_id=uuid(request, "person_id"),
    )
    limit = number(request, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
    if "after" in request.query:
        found = await desk.hub.events.after(number(request, "after", 0, 0, HIGHEST), limit, wanted)
    else:
        found = await desk.hub.events.before(number(request, "before", HIGHEST, 0, HIGHEST), limit, wanted)
    events = told_events(found, desk.context.clock.now(), await _camera_names(desk))
    return told(wire.EventList(events=events, last_number=await desk.hub.events.last_number()))


async def ticket(desk: Desk, _request: web.Request) -> web.Response:
    signed = desk.signer.query(STREAM_PATH, desk.context.clock.now() + TICKET_VALID)
    return told(wire.TicketOut(url=f"{STREAM_PATH}?{signed}"))


async def stream(desk: Desk, request: web.Request) -> web.StreamResponse:
    """Send events after a number in order and without gaps, then each new one; hints in between."""
    ticketed = "signature" in request.query
    if ticketed:
        expires, signature = request.query.get("expires", ""), request.query["signature"]
        desk.signer.check(STREAM_PATH, expires, signature, desk.context.clock.now())
    else:
        await desk.gate.check(request, "read")
    last = await desk.hub.events.last_number()
    # A number that was never given comes from before the database was put back: go on with what is new.
    after = min(number(request, "after", last, 0, HIGHEST), last)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4096)
    await socket.prepare(request)
    stopping = asyncio.ensure_future(desk.context.stopping.wait())
    sender = asyncio.create_task(_send_events(desk, socket, after))
    hints = asyncio.create_task(_send_hints(desk, socket))
    reader = asyncio.create_task(_read(socket))
    ending = asyncio.create_task(asyncio.sleep(TICKETED_LIFE_S) if ticketed else _until_revoked(desk, request))
    code = WSCloseCode.GOING_AWAY
    try:
        await _send(socket, {"kind": "hello", "last_number": last})
        await asyncio.wait({sender, hints, reader, stopping, ending}, return_when=asyncio.FIRST_COMPLETED)
        await _raise_of(sender, hints)
    except TimeoutError:
        code = WSCloseCode.TRY_AGAIN_LATER  # it reads too slowly; it resumes from its last number
    except ConnectionError:
        _LOG.debug("a reader of events is gone")
    finally:
        for task in (sender, hints, reader, stopping, ending):
            task.cancel()
        await asyncio.gather(sender, hints, reader, stopping, ending, return_exceptions=True)
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(SEND_LIMIT_S):
                await socket.close(code=code)
    return socket


async def _until_revoked(desk: Desk, request: web.Request) -> None:
    """Return when the token that opened a stream opens it no more."""
    while True:
        await asyncio.sleep(RECHECK_S)
        try:
            await desk.gate.check(request, "read")
        except web.HTTPException:
            return
        except HubUnavailableError:
            continue


async def _raise_of(sender: "asyncio.Task[None]", hints: "asyncio.Task[None]") -> None:
    """Raise what ended a task; a failure that is the client's is a TimeoutError or ConnectionError."""
    if sender.done():
        await sender
    if hints.done():
        try:
            await hints
        except ExceptionGroup as group:
            raise group.exceptions[0] from None


async def _send_events(desk: Desk, socket: web.WebSocketResponse, after: int) -> None:
    names: dict[str, str] = {}
    with desk.context.bus.subscribed("event") as subscription:
        while not socket.closed:
            try:
                found = await desk.hub.events.after(after, STREAM_PAGE)
                if any(event.camera_id is not None and event.camera_id not in names for event in found):
                    names = await _camera_names(desk)
            except HubUnavailableError:
                found = []
            for event in told_events(found, desk.context.clock.now(), names):
                await _send(socket, {"kind": "event", "event": event})
                after = event.number
            if len(found) < STREAM_PAGE:
                await subscription.wait(POLL_S)


async def _send_hints(desk: Desk, socket: web.WebSocketResponse) -> None:
    """Tell that something changed, each kind at most once a second."""
    async with asyncio.TaskGroup() as group:
        for channel, what in HINTS.items():
            group.create_task(_hint(desk, socket, channel, what))


async def _hint(desk: Desk, socket: web.WebSocketResponse, channel: str, what: str) -> None:
    with desk.context.bus.subscribed(channel) as subscription:
        while not socket.closed:
            if await subscription.wait(HEARTBEAT_S):
                await _send(socket, {"kind": "changed", "what": what})
                await asyncio.sleep(HINT_EVERY_S)


async def _read(socket: web.WebSocketResponse) -> None:
    """Nothing is expected from the client; its going away is noticed here."""
    async for message in socket:
        if message.type in {WSMsgType.CLOSE, WSMsgType.ERROR}:
            return


async def _send(socket: web.WebSocketResponse, content: object) -> None:
    async with asyncio.timeout(SEND_LIMIT_S):
        await socket.send_str(msgspec.json.encode(content).decode())


def told_events(events: Sequence[Event], now: datetime, names: dict[str, str]) -> list[wire.EventOut]:
    """Return events as they go over the wire at the moment `now`."""
    return [
        wire.EventOut(
            number=event.number,
            event_id=event.event_id,
            type=str(event.type),
            occurred_at=event.occurred_at,
            recorded_at=event.recorded_at,
            late=(now - event.occurred_at).total_seconds() > LATE_AFTER_S,
            camera_id=event.camera_id,
            camera_name=names.get(event.camera_id, event.camera_id) if event.camera_id else None,
            local_track_id=event.local_track_id,
            identity_id=event.identity_id,
            person_id=event.person_id,
            person_name=event.person_name,
            probability=event.probability,
            zones=list(event.zones),
            data=event.data,
        )
        for event in events
    ]


async def _camera_names(desk: Desk) -> dict[str, str]:
    return {camera.camera_id: camera.name for camera in await desk.hub.cameras.list()}


ROUTES = (
    Route(
        "GET",
        "/events",
        "read",
        list_events,
        "Events: after a number in order, else the newest first",
        wire.EventList,
        parameters=(
            Parameter("after", "integer"),
            Parameter("before", "integer"),
            Parameter("type"),
            Parameter("camera_id"),
            Parameter("person_id"),
            Parameter("limit", "integer"),
        ),
    ),
    Route("POST", "/events/ticket", "read", ticket, "A signed WebSocket address for browsers", wire.TicketOut),
    Route(
        "GET",
        "/events/stream",
        None,
        stream,
        "WebSocket: events after a number in order, then live (bearer token or ticket)",
        status=101,
        parameters=(Parameter("after", "integer"), Parameter("expires", "integer"), Parameter("signature")),
    ),
)
