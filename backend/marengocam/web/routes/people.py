"""Identities and persons."""

from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from uuid import UUID

from aiohttp import web

from marengocam.core.errors import NotFoundError
from marengocam.db.persons import KnownPerson
from marengocam.db.privacy import Erased
from marengocam.db.word_changes import Speaker
from marengocam.media.mounting import check_ours
from marengocam.media.names import PICTURES
from marengocam.media.person_archive import archive_bytes, write_archive
from marengocam.replay.places import remove_folder
from marengocam.web.answers import InputFieldError, given, in_time, told
from marengocam.web.enrolment import enrol_face
from marengocam.web.exports import Wanted, exported
from marengocam.web.limits import Limit
from marengocam.web.pictures import picture_answer
from marengocam.web.query import flag, number, path_uuid
from marengocam.web.routes.words import name_given, speaker, whom
from marengocam.web.table import Desk, Parameter, Route
from marengocam.web.wire import models as wire

MAX_PAGE = 500
DEFAULT_PAGE = 50


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
    return await _erased(desk, request, desk.hub.privacy.erase, path_uuid(request, "person_id"))


async def erase_identity(desk: Desk, request: web.Request) -> web.Response:
    return await _erased(desk, request, desk.hub.privacy.erase_identity, path_uuid(request, "identity_id"))


async def _erased(
    desk: Desk, request: web.Request, erase: Callable[[UUID, Speaker], Awaitable[Erased]], whom: UUID
) -> web.Response:
    # First, or the pictures would come back with their disk, and nothing would name them any more.
    installation_id = await desk.hub.settings_store.installation_id()
    await desk.first_disk.run(check_ours, desk.store.root, installation_id)
    erased = await erase(whom, speaker(desk, request))
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
    return await picture_answer(desk, request, known.person.picture_path or seen)


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


ROUTES = (
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
    Route(
        "DELETE",
        "/identities/{identity_id}",
        "write",
        erase_identity,
        "Erase somebody unknown, with all names that were taken back",
        status=204,
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
