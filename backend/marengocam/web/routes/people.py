"""Tracks, identities and persons."""

import asyncio
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from aiohttp import web

from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.db.persons import KnownPerson
from marengocam.db.tracks import TrackFilter, TrackRow
from marengocam.media.mounting import check_ours
from marengocam.media.names import PICTURES
from marengocam.media.person_archive import archive_bytes, write_archive
from marengocam.replay.places import remove_folder
from marengocam.vision.crops import thumbnail
from marengocam.web.answers import InputFieldError, given, in_time, told
from marengocam.web.enrolment import enrol_face
from marengocam.web.exports import Wanted, exported
from marengocam.web.files import file_answer
from marengocam.web.limits import Limit
from marengocam.web.query import aware, flag, moment, number, path_uuid, uuid
from marengocam.web.routes.words import name_given, speaker, whom
from marengocam.web.table import Desk, Parameter, Route
from marengocam.web.wire import models as wire

MAX_PAGE = 500
DEFAULT_PAGE = 50
MAX_VIEW = 9
MAX_THUMBNAIL_PX = 1280
PICTURE_FORMATS = ("jpeg", "webp")
NO_PICTURE = "There is no picture of that."
PICTURE_TYPES = {".png": "image/png", ".webp": "image/webp"}


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
        return await _picture(desk, request, path)
    whole = await desk.read(path)
    if whole is None:
        raise NotFoundError(NO_PICTURE)
    content = await asyncio.to_thread(thumbnail, whole, width_px or MAX_THUMBNAIL_PX, kind)
    headers = {"Cache-Control": "private, max-age=60"}
    return web.Response(body=content, content_type=f"image/{kind}", headers=headers)


async def track_face(desk: Desk, request: web.Request) -> web.StreamResponse:
    row = await desk.hub.tracks.get(path_uuid(request, "local_track_id"))
    return await _picture(desk, request, row.track.face_crop_path)


async def exemplar_picture(desk: Desk, request: web.Request) -> web.StreamResponse:
    return await _picture(desk, request, await desk.hub.persons.exemplar_picture(path_uuid(request, "exemplar_id")))


async def list_identities(desk: Desk, request: web.Request) -> web.Response:
    limit = number(request, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
    found = await desk.hub.persons.identities(unknown_only=flag(request, "unknown"), limit=limit)
    identities = [
        wire.IdentityOut(
            identity_id=one.identity_id,
            person_id=one.person_id,
            person_name=one.person_name,
            first_seen_at=one.first_seen_at,
            last_seen_at=one.last_seen_at,
            tracks=one.tracks,
            crop_track_id=one.crop_track_id,
        )
        for one in found
    ]
    return told(wire.IdentityList(identities=identities))


async def name_identity(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.IdentityName)
    who = whom(body.name, body.person_id)
    await desk.hub.words.name(path_uuid(request, "identity_id"), who, speaker(desk, request))
    if isinstance(who, str):
        person = await desk.hub.persons.by_name(who)
        if person is None:
            raise NotFoundError("There is no such person any more: somebody else changed it meanwhile.")
        who = person.person_id
    return told(await _person(desk, who))


async def list_persons(desk: Desk, _request: web.Request) -> web.Response:
    names = await _camera_names(desk)
    return told(wire.PersonList(persons=[_person_out(one, names) for one in await desk.hub.persons.list()]))


async def add_person(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.PersonIn)
    person = await desk.hub.persons.add(name_given(body.name), desk.context.clock.now())
    return told(await _person(desk, person.person_id), 201)


async def get_person(desk: Desk, request: web.Request) -> web.Response:
    return told(await _person(desk, path_uuid(request, "person_id")))


async def rename_person(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.PersonIn)
    person_id = path_uuid(request, "person_id")
    await desk.hub.words.rename(person_id, name_given(body.name), speaker(desk, request))
    return told(await _person(desk, person_id))


async def remove_person(desk: Desk, request: web.Request) -> web.Response:
    # First, or the pictures would come back with their disk, and nothing would name them any more.
    installation_id = await desk.hub.settings_store.installation_id()
    await desk.first_disk.run(check_ours, desk.store.root, installation_id)
    erased = await desk.hub.privacy.erase(path_uuid(request, "person_id"), speaker(desk, request))
    for run_id in erased.run_ids:
        await desk.first_disk.run(remove_folder, desk.context.settings.media_dir, run_id)
    await desk.first_disk.run(desk.store.delete_all, erased.pictures)
    return web.Response(status=204)


async def export_person(desk: Desk, request: web.Request) -> web.StreamResponse:
    everything = await desk.hub.privacy.everything_about(path_uuid(request, "person_id"))
    wanted = Wanted(
        "person.zip",
        "application/zip",
        lambda: archive_bytes(everything, desk.store),
        lambda target: write_archive(target, everything, desk.store),
    )
    return await exported(desk, request, wanted, desk.long_work(PurePosixPath(PICTURES)))


async def add_face(desk: Desk, request: web.Request) -> web.Response:
    person_id = path_uuid(request, "person_id")
    await desk.hub.persons.get(person_id)
    await enrol_face(desk, person_id, await _uploaded(request))
    return told(await _person(desk, person_id), 201)


async def person_picture(desk: Desk, request: web.Request) -> web.StreamResponse:
    known = await desk.hub.persons.get(path_uuid(request, "person_id"))
    seen = known.last_seen.crop_path if known.last_seen else None
    return await _picture(desk, request, known.person.picture_path or seen)


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        raise InputFieldError("Send the picture as multipart form data, field `picture`.", "picture")
    form = await in_time(request.post())
    picture = form.get("picture")
    if not isinstance(picture, web.FileField):
        raise InputFieldError("The form has no file in the field `picture`.", "picture")
    return picture.file.read()


async def _person(desk: Desk, person_id: UUID) -> wire.PersonOut:
    return _person_out(await desk.hub.persons.get(person_id), await _camera_names(desk))


async def _camera_names(desk: Desk) -> dict[str, str]:
    return {camera.camera_id: camera.name for camera in await desk.hub.cameras.list()}


def _person_out(known: KnownPerson, names: dict[str, str]) -> wire.PersonOut:
    seen = known.last_seen
    return wire.PersonOut(
        person_id=known.person.person_id,
        name=known.person.name,
        created_at=known.person.created_at,
        faces=known.faces,
        last_seen_at=seen.at if seen else None,
        last_seen_camera_id=seen.camera_id if seen else None,
        last_seen_camera_name=names.get(seen.camera_id, seen.camera_id) if seen else None,
        last_seen_probability=seen.probability if seen else None,
        last_seen_track_id=seen.local_track_id if seen and seen.crop_path else None,
        present=seen.present if seen else False,
        has_picture=known.person.picture_path is not None or bool(seen and seen.crop_path),
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


async def _picture(desk: Desk, request: web.Request, path: PurePosixPath | None) -> web.StreamResponse:
    if path is None:
        raise NotFoundError(NO_PICTURE)
    kind = PICTURE_TYPES.get(path.suffix, "image/jpeg")
    headers = {"Cache-Control": "private, max-age=60", "Content-Type": kind}
    return await file_answer(desk, request, path, headers, NO_PICTURE)


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
    Route(
        "GET",
        "/identities",
        "read",
        list_identities,
        "Individuals, latest first",
        wire.IdentityList,
        parameters=(Parameter("unknown", "boolean"), Parameter("limit", "integer")),
    ),
    Route(
        "POST",
        "/identities/{identity_id}/name",
        "write",
        name_identity,
        "Say who an identity is",
        wire.PersonOut,
        wire.IdentityName,
    ),
    Route("GET", "/persons", "read", list_persons, "Everybody with a name", wire.PersonList),
    Route("POST", "/persons", "write", add_person, "Add a person", wire.PersonOut, wire.PersonIn, 201),
    Route("GET", "/persons/{person_id}", "read", get_person, "One person", wire.PersonOut),
    Route("PATCH", "/persons/{person_id}", "write", rename_person, "Rename a person", wire.PersonOut, wire.PersonIn),
    Route(
        "DELETE", "/persons/{person_id}", "write", remove_person, "Erase a person and all that tells them", status=204
    ),
    Route(
        "GET",
        "/persons/{person_id}/export",
        "admin",
        export_person,
        "All that is known about a person, with the pictures, as a ZIP file",
        media_type="application/zip",
        limit=Limit(10),
    ),
    Route(
        "POST",
        "/persons/{person_id}/faces",
        "write",
        add_face,
        "Enrol a face from a picture",
        wire.PersonOut,
        status=201,
        upload="picture",
        limit=Limit(30),
    ),
    Route("GET", "/persons/{person_id}/picture.jpg", "read", person_picture, "A portrait", media_type="image/jpeg"),
)
