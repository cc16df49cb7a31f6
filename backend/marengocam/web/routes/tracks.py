"""Tracks, with the pictures that were looked at."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from aiohttp import web

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.db.tracks import Sightings, TrackFilter, TrackRow
from marengocam.vision.crops import thumbnail
from marengocam.web.answers import InputFieldError, told
from marengocam.web.pictures import NO_PICTURE, picture_answer
from marengocam.web.query import aware, moment, number, path_uuid, uuid
from marengocam.web.table import Desk, Parameter, Route
from marengocam.web.wire import models as wire

MAX_PAGE = 500
DEFAULT_PAGE = 50
USUAL_SPAN = timedelta(hours=24)
LONGEST_SPAN = timedelta(days=31)
DEFAULT_SLOTS = 100
MAX_SLOTS = 500
SHORTEST_SLOT = timedelta(seconds=1)
MAX_VIEW = 9
MAX_THUMBNAIL_PX = 1280
PICTURE_FORMATS = ("jpeg", "webp")


async def list_tracks(desk: Desk, request: web.Request) -> web.Response:
    limit = number(request, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
    wanted = TrackFilter(
        camera_id=request.query.get("camera_id") or None,
        person_id=uuid(request, "person_id"),
        identity_id=uuid(request, "identity_id"),
        run_id=uuid(request, "run_id"),
        from_at=moment(request, "from_at"),
        to_at=moment(request, "to_at"),
        before=_cursor(request.query.get("before")),
    )
    found = await desk.hub.tracks.list(wanted, limit)
    following = _cursor_text(found[-1]) if len(found) == limit else None
    return told(wire.TrackList(tracks=[_track(row) for row in found], next=following))


async def list_sightings(desk: Desk, request: web.Request) -> web.Response:
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    to_at = moment(request, "to_at") or desk.context.clock.now()
    from_at = moment(request, "from_at") or to_at - USUAL_SPAN
    if not timedelta(0) < to_at - from_at <= LONGEST_SPAN:
        raise InputFieldError("from_at must lie before to_at, by 31 days at most.", "from_at")
    slot = (to_at - from_at) / number(request, "slots", DEFAULT_SLOTS, 1, MAX_SLOTS)
    found = await desk.hub.tracks.sightings(camera.camera_id, from_at, to_at, max(slot, SHORTEST_SLOT))
    return told(wire.SightingsList(sightings=[_sightings(one) for one in found]))


async def get_track(desk: Desk, request: web.Request) -> web.Response:
    row = await desk.hub.tracks.get(path_uuid(request, "local_track_id"))
    brief = _track(row)
    path = [
        wire.PathPointOut(at=p.at, box=(p.box.x1, p.box.y1, p.box.x2, p.box.y2), score=p.score) for p in row.track.path
    ]
    fields = {name: getattr(brief, name) for name in brief.__struct_fields__}
    return told(wire.TrackDetail(**fields, path=path, evidence=row.evidence, views=len(row.track.crop_paths)))


async def track_crop(desk: Desk, request: web.Request) -> web.StreamResponse:
    row = await desk.hub.tracks.get(path_uuid(request, "local_track_id"))
    pictures = (row.track.crop_path, *row.track.crop_paths)
    view = number(request, "view", 0, 0, MAX_VIEW)
    path = pictures[view] if view < len(pictures) else None
    width_px = number(request, "width", 0, 0, MAX_THUMBNAIL_PX)
    kind = request.query.get("format", "jpeg")
    if kind not in PICTURE_FORMATS:
        raise InputFieldError(f"format must be {' or '.join(PICTURE_FORMATS)}.", "format")
    if path is None or (width_px == 0 and kind == "jpeg"):
        return await picture_answer(desk, request, path)
    whole = await desk.read(path)
    if whole is None:
        raise NotFoundError(NO_PICTURE)
    content = await asyncio.to_thread(thumbnail, whole, width_px or MAX_THUMBNAIL_PX, kind)
    headers = {"Cache-Control": "private, max-age=60"}
    return web.Response(body=content, content_type=f"image/{kind}", headers=headers)


async def track_face(desk: Desk, request: web.Request) -> web.StreamResponse:
    row = await desk.hub.tracks.get(path_uuid(request, "local_track_id"))
    return await picture_answer(desk, request, row.track.face_crop_path)


async def exemplar_picture(desk: Desk, request: web.Request) -> web.StreamResponse:
    return await picture_answer(
        desk, request, await desk.hub.persons.exemplar_picture(path_uuid(request, "exemplar_id"))
    )


def _track(row: TrackRow) -> wire.TrackOut:
    track = row.track
    return wire.TrackOut(
        local_track_id=track.local_track_id,
        camera_id=track.camera_id,
        label=track.label,
        open=track.open,
        first_seen_at=track.first_seen_at,
        last_seen_at=track.last_seen_at,
        score=track.score,
        observations=track.observations,
        zones=list(track.zones),
        identity_id=row.identity_id,
        person_id=row.person_id,
        person_name=row.person_name,
        probability=row.probability,
        decided_by=row.decided_by,
        has_crop=track.crop_path is not None,
    )


def _sightings(one: Sightings) -> wire.SightingsOut:
    return wire.SightingsOut(
        from_at=one.from_at,
        to_at=one.to_at,
        count=one.count,
        named=one.named,
        person_names=list(one.person_names),
        label=one.label,
    )


def _cursor(text: str | None) -> tuple[datetime, UUID] | None:
    if not text:
        return None
    at, _, local_track_id = text.partition("_")
    try:
        return aware(datetime.fromisoformat(at.replace(" ", "+")), "before"), UUID(local_track_id)
    except ValueError:
        raise BadInputError("`before` must be what `next` said.") from None


def _cursor_text(row: TrackRow) -> str:
    return f"{row.track.first_seen_at.isoformat().replace('+00:00', 'Z')}_{row.track.local_track_id}"


_TRACK_PARAMETERS = (
    *(Parameter(name) for name in ("camera_id", "person_id", "identity_id", "run_id", "from_at", "to_at", "before")),
    Parameter("limit", "integer"),
)
ROUTES = (
    Route("GET", "/tracks", "read", list_tracks, "Tracks, newest first", wire.TrackList, parameters=_TRACK_PARAMETERS),
    Route(
        "GET",
        "/cameras/{camera_id}/sightings",
        "read",
        list_sightings,
        "All that it saw, of the last 24 hours unless told otherwise; tracks that began within one of `slots` parts of"
        " the span are counted together, named persons apart from all others",
        wire.SightingsList,
        parameters=(Parameter("from_at"), Parameter("to_at"), Parameter("slots", "integer")),
    ),
    Route("GET", "/tracks/{local_track_id}", "read", get_track, "One track with path and evidence", wire.TrackDetail),
    Route(
        "GET",
        "/tracks/{local_track_id}/crop.jpg",
        "read",
        track_crop,
        "Its best picture, or a further view; as large as it is, or at most so wide",
        parameters=(
            Parameter("view", "integer"),
            Parameter("width", "integer"),
            Parameter("format", text="jpeg or webp"),
        ),
        media_type="image/jpeg",
    ),
    Route(
        "GET",
        "/tracks/{local_track_id}/face.jpg",
        "read",
        track_face,
        "The crop its face was looked at in",
        media_type="image/jpeg",
    ),
    Route(
        "GET",
        "/exemplars/{exemplar_id}/picture.jpg",
        "read",
        exemplar_picture,
        "The picture of a gallery that evidence names by `with_exemplar_id`",
        media_type="image/jpeg",
    ),
)
