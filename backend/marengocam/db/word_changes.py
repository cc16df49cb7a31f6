"""What a human's word does to the rows, and how it is noted so that it can be taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from marengocam.core.errors import BadInputError, ConflictError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.db.database import Connection
from marengocam.db.persons import CHANNEL, TRACK_CHANNEL, known_or_new
from marengocam.db.queries import load, rows

LEAST_FACE_QUALITY = 0.4  # a human saw who it is: a lesser face will do
ALIKE_REACH = timedelta(days=14)  # of the past that is looked at again when a gallery changes
ALIKE_COSINE = 0.3  # of faces: below, no model at hand would confirm anybody
ALIKE_COMPARED = 10  # of a person's faces
ALIKE_SEARCHED = 10_000  # faces of others, the newest; with each of the person's some 7 microseconds
ALIKE_LIMIT = 2000
MERGED_MOST = 100  # times that an identity may have been found to be another
UNKNOWN = "somebody unknown"
_QUERIES = load("words")


class WordKind(StrEnum):
    """What a human can say."""

    NAME = "name"
    RENAME = "rename"
    MERGE = "merge"
    MERGE_PERSONS = "merge_persons"
    SPLIT = "split"
    DENY = "deny"
    CONFIRM = "confirm"
    IGNORE = "ignore"
    ERASE = "erase"


@dataclass(frozen=True, slots=True)
class Word:
    """What was said, by whom; `undoable` while it holds and was not for good."""

    word_id: UUID
    kind: WordKind
    said_at: datetime
    said_by: str
    summary: str
    subjects: tuple[UUID, ...]
    undoable: bool
    undone_at: datetime | None = None
    undone_by: str | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, and when."""

    name: str
    at: datetime


async def identities(connection: Connection, identity_ids: Sequence[UUID]) -> list[Any]:
    found = await rows(_QUERIES.identities(connection, identity_ids=list(identity_ids)))
    if len(found) < len(set(identity_ids)):
        raise NotFoundError("There is no such identity; it may have been merged into another.")
    return found


async def living(connection: Connection, identity_id: UUID) -> UUID:
    """Return what has become of an identity: an event may tell of one that was found to be another since."""
    found: UUID | None = await _QUERIES.living(connection, identity_id=identity_id, most=MERGED_MOST)
    return found or identity_id


async def identities_of(connection: Connection, person_id: UUID) -> list[UUID]:
    return [row["identity_id"] for row in await rows(_QUERIES.identities_of(connection, person_id=person_id))]


async def person_row(connection: Connection, person_id: UUID) -> Any:
    """Return a person by id."""
    row = await _QUERIES.person(connection, person_id=person_id)
    if row is None:
        raise NotFoundError("There is no such person.")
    return row


async def person_or_new(connection: Connection, who: UUID | str, at: datetime) -> tuple[Any, list[UUID]]:
    """Return a person by id, or by a name that may be new, and whom that has made."""
    if not isinstance(who, str):
        return await person_row(connection, who), []
    person, made = await known_or_new(connection, who, at)
    return await person_row(connection, person.person_id), [person.person_id] if made else []


async def identities_of_tracks(connection: Connection, local_track_ids: Sequence[UUID]) -> list[UUID]:
    """Return the identities of tracks; raises NotFoundError when one has none."""
    wanted = list(dict.fromkeys(local_track_ids))
    if not wanted:
        raise BadInputError("Name the tracks it is about.")
    found = await rows(_QUERIES.tracks(connection, local_track_ids=wanted))
    if len(found) < len(wanted):
        raise NotFoundError("There is no such track, or it has not been decided on yet.")
    return sorted({row["identity_id"] for row in found})


async def must_belong(connection: Connection, local_track_ids: Sequence[UUID], identity_id: UUID) -> None:
    if await identities_of_tracks(connection, local_track_ids) != [identity_id]:
        raise ConflictError("Some of these tracks belong to another identity by now: look again.")


async def note(
    connection: Connection,
    kind: WordKind,
    speaker: Speaker,
    summary: str,
    identity_ids: Sequence[UUID],
    person_ids: Sequence[UUID],
    *,
    also: Iterable[UUID] = (),
    changed: Sequence[UUID] = (),
    given: Sequence[UUID] = (),
    made: Sequence[UUID] = (),
) -> Word:
    """Write the word with the rows as they are before it is carried out.

    `changed` are persons that it alters, `given` those whose everything it gives to another, `made` those who came to
    be by it.
    """
    before = await _QUERIES.snapshot(
        connection, identity_ids=list(identity_ids), person_ids=list(changed), given_ids=list(given)
    )
    subjects = sorted({*identity_ids, *person_ids, *also})
    word_id = new_id(speaker.at)
    said_at = await _QUERIES.add_word(
        connection,
        word_id=word_id,
        kind=str(kind),
        said_at=speaker.at,
        said_by=speaker.name,
        summary=summary,
        subjects=subjects,
        changed=sorted({*identity_ids, *changed, *also}),
        made=list(made),
        before=before,
    )
    return Word(word_id, kind, said_at, speaker.name, summary, tuple(subjects), undoable=True)


async def make_person(connection: Connection, identity_ids: list[UUID], person_id: UUID, at: datetime) -> None:
    """Have identities be a person, with their faces in the gallery."""
    await _QUERIES.set_person(connection, identity_ids=identity_ids, person_id=person_id)
    await _QUERIES.say_after_all(connection, person_id=person_id)
    await _QUERIES.pin(connection, identity_ids=identity_ids, at=at)
    await _QUERIES.adopt_faces(
        connection, identity_ids=identity_ids, person_id=person_id, least_quality=LEAST_FACE_QUALITY
    )
    await finish(connection, identity_ids, person_id, at)


async def move(
    connection: Connection, local_track_ids: Sequence[UUID], identity_id: UUID, at: datetime, *, exists: bool
) -> None:
    tracks = list(local_track_ids)
    if not exists:
        await _QUERIES.add_identity(connection, identity_id=identity_id, local_track_ids=tracks, at=at)
    await _QUERIES.move_tracks(connection, identity_id=identity_id, local_track_ids=tracks)
    await _QUERIES.move_exemplars(connection, identity_id=identity_id, local_track_ids=tracks)


async def finish(connection: Connection, identity_ids: Sequence[UUID], person_id: UUID | None, at: datetime) -> None:
    """Have the resolver look again at what changed, and at what is like it, and tell who waits."""
    touched = list(dict.fromkeys(identity_ids))
    await _QUERIES.widen(connection, identity_ids=touched)
    await _QUERIES.touch(connection, identity_ids=touched)
    if person_id is not None:
        await look_at_alike(connection, person_id, at)
        await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))
    await _QUERIES.notify(connection, channel=TRACK_CHANNEL, payload=str(touched[0]) if touched else "")


async def look_at_alike(connection: Connection, person_id: UUID, at: datetime) -> None:
    """Have the resolver look again at tracks of the last days whose faces are like the person's."""
    await _QUERIES.touch_alike(
        connection,
        person_id=person_id,
        from_at=at - ALIKE_REACH,
        compared=ALIKE_COMPARED,
        searched=ALIKE_SEARCHED,
        least_cosine=ALIKE_COSINE,
        most=ALIKE_LIMIT,
    )


async def restore(connection: Connection, word: Any, at: datetime) -> None:
    before, subjects = word["before"], list(word["subjects"])
    await _QUERIES.touch(connection, identity_ids=subjects)
    await _QUERIES.drop_denials(connection, word_id=word["word_id"])
    taken = await _QUERIES.name_taken(connection, before=before)
    if taken is not None:
        raise ConflictError(f"Somebody else is called {taken!r} by now: rename them first.")
    await _QUERIES.restore_persons(connection, before=before)
    await _QUERIES.restore_identities(connection, before=before)
    await _QUERIES.restore_assignments(connection, before=before, at=at)
    await _QUERIES.restore_exemplars(connection, before=before)
    await _QUERIES.restore_denials(connection, before=before)
    await _QUERIES.follow_tracks(connection, identity_ids=subjects)
    await _QUERIES.close_emptied(connection, identity_ids=subjects, before=before)
    for person_id in subjects:
        if await _QUERIES.person(connection, person_id=person_id) is not None:
            await finish(connection, subjects, person_id, at)
            return
    await finish(connection, subjects, None, at)


def called(identity: Any) -> str:
    return str(identity["person_name"] or UNKNOWN)


def sights(local_track_ids: Sequence[UUID]) -> str:
    count = len(set(local_track_ids))
    return "One sight" if count == 1 else f"{count} sights"
