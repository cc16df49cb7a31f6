"""A human's word: who is who, who is not, what is not worth telling; and taking it back."""

from typing import Any
from uuid import UUID

from aiohttp import web

from marengocam.core.errors import BadInputError
from marengocam.core.person_names import person_name
from marengocam.db.word_changes import Speaker, Word
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.query import moment, number, path_uuid, uuid
from marengocam.web.table import SPEAKER, Desk, Parameter, Route
from marengocam.web.wire import words as wire

MAX_PAGE = 200
DEFAULT_PAGE = 50


def speaker(desk: Desk, request: web.Request) -> Speaker:
    """Return whose token speaks, now."""
    return Speaker(request[SPEAKER], desk.context.clock.now())


def whom(name: str | None, person_id: UUID | None) -> UUID | str:
    """Return who is meant by either a name, which may be new, or an id."""
    if person_id is not None and name is None:
        return person_id
    if name is None or person_id is not None:
        raise InputFieldError("Give either name or person_id.", "name")
    return name_given(name)


def name_given(name: str) -> str:
    """Return a person's name as it is kept; raises InputFieldError."""
    try:
        return person_name(name)
    except BadInputError as error:
        raise InputFieldError(str(error), "name") from None


async def merge_identity(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.MergeInto)
    word = await desk.hub.words.merge(path_uuid(request, "identity_id"), body.into, speaker(desk, request))
    return _said(word, body.into)


async def split_identity(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.TracksGiven)
    identity_id = path_uuid(request, "identity_id")
    word, apart = await desk.hub.words.split(identity_id, body.local_track_ids, speaker(desk, request))
    return _said(word, apart)


async def deny_identity(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.Denial)
    identity_id = path_uuid(request, "identity_id")
    word, apart = await desk.hub.words.deny(identity_id, body.person_id, speaker(desk, request), body.local_track_ids)
    return _said(word, apart)


async def name_tracks(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.TracksNamed)
    who = whom(body.name, body.person_id)
    word = await desk.hub.words.name_tracks(body.local_track_ids, who, speaker(desk, request))
    return _said(word, None)


async def confirm_tracks(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.TracksGiven)
    return _said(await desk.hub.words.confirm(body.local_track_ids, speaker(desk, request)), None)


async def ignore_identity(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.Ignoring)
    identity_id = path_uuid(request, "identity_id")
    word = await desk.hub.words.ignore_identity(identity_id, speaker(desk, request), ignored=body.ignored)
    return _said(word, identity_id)


async def ignore_person(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.Ignoring)
    person_id = path_uuid(request, "person_id")
    return _said(await desk.hub.words.ignore_person(person_id, speaker(desk, request), ignored=body.ignored), None)


async def merge_person(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.MergeInto)
    word = await desk.hub.words.merge_persons(path_uuid(request, "person_id"), body.into, speaker(desk, request))
    return _said(word, None)


async def list_words(desk: Desk, request: web.Request) -> web.Response:
    limit = number(request, "limit", DEFAULT_PAGE, 1, MAX_PAGE)
    found = await desk.hub.words.list(limit, uuid(request, "subject"), moment(request, "before"))
    following = found[-1].said_at if len(found) == limit else None
    return told(wire.WordList(words=[wire.WordOut(**_fields(word)) for word in found], next=following))


async def undo_word(desk: Desk, request: web.Request) -> web.Response:
    await desk.hub.words.undo(path_uuid(request, "word_id"), speaker(desk, request))
    return web.Response(status=204)


def _said(word: Word, identity_id: UUID | None) -> web.Response:
    return told(wire.WordSaid(identity_id=identity_id, **_fields(word)))


def _fields(word: Word) -> dict[str, Any]:
    return {
        "word_id": word.word_id,
        "kind": str(word.kind),
        "said_at": word.said_at,
        "said_by": word.said_by,
        "summary": word.summary,
        "subjects": list(word.subjects),
        "undoable": word.undoable,
        "undone_at": word.undone_at,
        "undone_by": word.undone_by,
    }


ROUTES = (
    Route(
        "POST",
        "/identities/{identity_id}/merge",
        "write",
        merge_identity,
        "Say that an identity is the same as another",
        wire.WordSaid,
        wire.MergeInto,
    ),
    Route(
        "POST",
        "/identities/{identity_id}/split",
        "write",
        split_identity,
        "Say that some of an identity's tracks are somebody else",
        wire.WordSaid,
        wire.TracksGiven,
    ),
    Route(
        "POST",
        "/identities/{identity_id}/deny",
        "write",
        deny_identity,
        "Say who an identity, or some of its tracks, is not",
        wire.WordSaid,
        wire.Denial,
    ),
    Route(
        "POST",
        "/identities/{identity_id}/ignore",
        "write",
        ignore_identity,
        "Say whether an identity is worth telling about",
        wire.WordSaid,
        wire.Ignoring,
    ),
    Route(
        "POST",
        "/tracks/name",
        "write",
        name_tracks,
        "Say who some tracks are, whatever they were taken for",
        wire.WordSaid,
        wire.TracksNamed,
    ),
    Route(
        "POST",
        "/tracks/confirm",
        "write",
        confirm_tracks,
        "Say that the decision on some tracks is right",
        wire.WordSaid,
        wire.TracksGiven,
    ),
    Route(
        "POST",
        "/persons/{person_id}/merge",
        "write",
        merge_person,
        "Say that a person is the same as another; the first name goes",
        wire.WordSaid,
        wire.MergeInto,
    ),
    Route(
        "POST",
        "/persons/{person_id}/ignore",
        "write",
        ignore_person,
        "Say whether a person is worth telling about",
        wire.WordSaid,
        wire.Ignoring,
    ),
    Route(
        "GET",
        "/words",
        "read",
        list_words,
        "What humans said about identities, newest first",
        wire.WordList,
        parameters=(Parameter("subject"), Parameter("before"), Parameter("limit", "integer")),
    ),
    Route("POST", "/words/{word_id}/undo", "write", undo_word, "Take a word back", status=204),
)
