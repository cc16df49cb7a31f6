"""What is known about one person, given out or erased; and strangers forgotten in time."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.db.database import Connection, Database
from marengocam.db.deadlocks import begun_anew
from marengocam.db.persons import CHANNEL, TRACK_CHANNEL
from marengocam.db.queries import load, rows
from marengocam.db.resolution import TURN_KEY
from marengocam.db.word_changes import Speaker, living

_QUERIES = load("privacy")
_JSON_COLUMNS = frozenset({"data", "evidence", "path", "name_evidence"})


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erased person leaves on disk for the caller to delete."""

    pictures: tuple[PurePosixPath, ...]
    run_ids: tuple[UUID, ...]  # replays that may have told of the person; their folders go
    engines: tuple[str, ...] = ()  # face engines of other makers that have yet to forget the person


class Privacy:
    """`hub.privacy`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def everything_about(self, person_id: UUID) -> dict[str, Any]:
        """Return all that the hub knows about a person as JSON values; raises NotFoundError."""
        async with self._database.connection() as connection:
            person = await _person(connection, person_id)
            person_ids = await _person_ids(connection, person_id)
            found = {
                "tracks": await rows(_QUERIES.tracks_of(connection, person_id=person_id)),
                "faces_and_looks": await rows(_QUERIES.exemplars_of(connection, person_id=person_id)),
                "events": await rows(_QUERIES.events_of(connection, person_ids=person_ids)),
                "words": await rows(_QUERIES.words_of(connection, person_id=person_id, person_ids=person_ids)),
                "rules_fired": await rows(_QUERIES.firings_of(connection, person_ids=person_ids)),
            }
        return {"person": _json(person)} | {name: [_json(row) for row in listed] for name, listed in found.items()}

    async def taken_back(self, name: str) -> list[UUID]:
        """Return who was called so and is no more, as the word was taken back; past words and events tell it yet."""
        async with self._database.connection() as connection:
            return await _taken_back(connection, [], [name])

    @begun_anew
    async def erase(self, person_id: UUID, speaker: Speaker) -> Erased:
        """Erase a person for good: name, gallery, looks and pictures of every track; return what is to be deleted.

        That somebody was there stays, as unknown; so do numbered events, without who it was. So go all names that the
        person's identities ever had and nobody bears now. Replays made since the person is known go. Of who is no more,
        as the word was taken back, what was said and told goes. Raises NotFoundError.
        """
        async with self._erasing() as connection:
            row = await _QUERIES.person(connection, person_id=person_id)
            since = row["created_at"] if row else await _QUERIES.gone(connection, person_id=person_id)
            if since is None:
                raise NotFoundError("There is no such person.")
            person_ids = await _person_ids(connection, person_id)
            identity_ids = await _identity_ids(connection, person_id, None)
            erased = await _erase(connection, person_ids, identity_ids, since, speaker)
            await _QUERIES.delete_person(connection, person_id=person_id)
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))
        portrait = row["picture_path"] if row else None
        return replace(erased, pictures=(*erased.pictures, PurePosixPath(portrait))) if portrait else erased

    @begun_anew
    async def erase_identity(self, identity_id: UUID, speaker: Speaker) -> Erased:
        """Erase somebody unknown for good: looks, pictures, and all names that were taken back; see `erase`.

        Raises NotFoundError, and ConflictError where it is a person.
        """
        async with self._erasing() as connection:
            row = await _QUERIES.identity(connection, identity_id=await living(connection, identity_id))
            if row is None:
                raise NotFoundError("There is no such identity.")
            if row["person_name"] is not None:
                raise ConflictError(f"This is {row['person_name']}: erase the person, or say first that it is not.")
            identity_ids = await _identity_ids(connection, None, row["identity_id"])
            erased = await _erase(connection, [], identity_ids, row["created_at"], speaker)
            await _QUERIES.notify(connection, channel=TRACK_CHANNEL, payload=str(row["identity_id"]))
        return erased

    @asynccontextmanager
    async def _erasing(self) -> AsyncIterator[Connection]:
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            yield connection

    @begun_anew
    async def forget_strangers(self, before: datetime, limit: int) -> tuple[int, list[PurePosixPath]]:
        """Forget faces and looks of unknown people seen last before a moment; return how many tracks, and the files."""
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            found = await rows(_QUERIES.forget_strangers(connection, before=before, most=limit))
        return len(found), [PurePosixPath(row["path"]) for row in found if row["path"]]


async def _erase(
    connection: Connection, person_ids: list[UUID], identity_ids: list[UUID], since: datetime, speaker: Speaker
) -> Erased:
    """Erase what tells of persons and identities; the rows of both stay."""
    subjects = [*person_ids, *(identity_ids if not person_ids else [])]
    names = await _names(connection, person_ids)
    # Twice: whoever was taken for one of them may have been called like another who is no more.
    for _ in range(2):
        gone = await _taken_back(connection, identity_ids, names)
        for one in gone:
            since = min(since, await _QUERIES.gone(connection, person_id=one) or since)
        person_ids = list(dict.fromkeys((*person_ids, *gone)))
        names = await _names(connection, person_ids)
    both = {"person_ids": person_ids, "identity_ids": identity_ids}
    paths = [row["path"] for row in await rows(_QUERIES.blank_tracks(connection, identity_ids=identity_ids))]
    paths += [row["path"] for row in await rows(_QUERIES.erase_exemplars(connection, **both))]
    await _QUERIES.blank_names(connection, names=names)
    await _QUERIES.blank_assignments(connection, **both)
    for blank in (_QUERIES.blank_mentions, _QUERIES.blank_events, _QUERIES.blank_firings):
        await blank(connection, person_ids=person_ids)
    any_name = await _QUERIES.any_of(connection, names=names)
    by_name = (_QUERIES.blank_favourites, _QUERIES.blank_log, _QUERIES.blank_expectations, _QUERIES.blank_cases)
    for blank in by_name:
        await blank(connection, any_name=any_name)
    engines = await rows(_QUERIES.blank_copies(connection, person_ids=person_ids))
    await _QUERIES.blank_words(connection, **both)
    replays = await rows(_QUERIES.remove_replays(connection, since=since))
    await _QUERIES.add_word(
        connection,
        word_id=new_id(speaker.at),
        said_at=speaker.at,
        said_by=speaker.name,
        subjects=sorted({*subjects, *person_ids}),
    )
    return Erased(
        tuple(PurePosixPath(path) for path in dict.fromkeys(paths)),
        tuple(row["run_id"] for row in replays),
        tuple(sorted({row["engine"] for row in engines})),
    )


async def _person(connection: Connection, person_id: UUID) -> Any:
    row = await _QUERIES.person(connection, person_id=person_id)
    if row is None:
        raise NotFoundError("There is no such person.")
    return row


async def _person_ids(connection: Connection, person_id: UUID) -> list[UUID]:
    return [row["person_id"] for row in await rows(_QUERIES.person_ids(connection, person_id=person_id))]


async def _identity_ids(connection: Connection, person_id: UUID | None, identity_id: UUID | None) -> list[UUID]:
    found = await rows(_QUERIES.identity_ids(connection, person_id=person_id, identity_id=identity_id))
    return [row["identity_id"] for row in found]


async def _taken_back(connection: Connection, identity_ids: list[UUID], names: list[str]) -> list[UUID]:
    found = await rows(_QUERIES.taken_back(connection, identity_ids=identity_ids, names=names))
    return [row["person_id"] for row in found]


async def _names(connection: Connection, person_ids: list[UUID]) -> list[str]:
    called = await rows(_QUERIES.names_of(connection, person_ids=person_ids))
    return sorted({row["name"].strip() for row in called})


def _json(row: Any) -> dict[str, Any]:
    """Return a row as JSON values: times in RFC 3339, vectors as lists."""
    values = {}
    for name, value in dict(row).items():
        if name in _JSON_COLUMNS:
            values[name] = None if value is None else json.loads(value)
        elif isinstance(value, datetime):
            values[name] = value.isoformat()
        elif isinstance(value, UUID):
            values[name] = str(value)
        else:
            values[name] = value
    return values
