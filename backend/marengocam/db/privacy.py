"""What is known about one person, given out or erased; and strangers forgotten in time."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import NotFoundError
from marengocam.core.ids import new_id
from marengocam.db.database import Connection, Database
from marengocam.db.persons import CHANNEL
from marengocam.db.queries import load, rows
from marengocam.db.resolution import TURN_KEY
from marengocam.db.word_changes import Speaker

_QUERIES = load("privacy")
_JSON_COLUMNS = frozenset({"data", "evidence", "path", "name_evidence"})


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erased person leaves on disk for the caller to delete."""

    pictures: tuple[PurePosixPath, ...]
    run_ids: tuple[UUID, ...]  # replays that may have told of the person; their folders go


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

    async def erase(self, person_id: UUID, speaker: Speaker) -> Erased:
        """Erase a person for good: name, gallery, looks and pictures of every track; return what is to be deleted.

        That somebody was there stays, as unknown; so do numbered events, without who it was. Replays made since the
        person is known go. Raises NotFoundError.
        """
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            person = await _person(connection, person_id)
            person_ids = await _person_ids(connection, person_id)
            called = await rows(_QUERIES.names_of(connection, person_ids=person_ids))
            names = sorted({row["name"].strip() for row in called})
            paths = [row["path"] for row in await rows(_QUERIES.blank_tracks(connection, person_id=person_id))]
            paths += [row["path"] for row in await rows(_QUERIES.erase_exemplars(connection, person_id=person_id))]
            await _QUERIES.blank_names(connection, names=names)
            await _QUERIES.blank_assignments(connection, person_id=person_id)
            for blank in (_QUERIES.blank_mentions, _QUERIES.blank_events, _QUERIES.blank_firings):
                await blank(connection, person_ids=person_ids)
            any_name = await _QUERIES.any_of(connection, names=names)
            for blank in (_QUERIES.blank_favourites, _QUERIES.blank_expectations, _QUERIES.blank_cases):
                await blank(connection, any_name=any_name)
            await _QUERIES.blank_words(connection, person_id=person_id, person_ids=person_ids)
            replays = await rows(_QUERIES.remove_replays(connection, person_id=person_id))
            await _QUERIES.delete_person(connection, person_id=person_id)
            await _QUERIES.add_word(
                connection,
                word_id=new_id(speaker.at),
                said_at=speaker.at,
                said_by=speaker.name,
                person_id=person_id,
            )
            await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))
        if person["picture_path"]:
            paths.append(person["picture_path"])
        pictures = tuple(PurePosixPath(path) for path in dict.fromkeys(paths))
        return Erased(pictures, tuple(row["run_id"] for row in replays))

    async def forget_strangers(self, before: datetime, limit: int) -> tuple[int, list[PurePosixPath]]:
        """Forget faces and looks of unknown people seen last before a moment; return how many tracks, and the files."""
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            found = await rows(_QUERIES.forget_strangers(connection, before=before, most=limit))
        return len(found), [PurePosixPath(row["path"]) for row in found if row["path"]]


async def _person(connection: Connection, person_id: UUID) -> Any:
    row = await _QUERIES.person(connection, person_id=person_id)
    if row is None:
        raise NotFoundError("There is no such person.")
    return row


async def _person_ids(connection: Connection, person_id: UUID) -> list[UUID]:
    return [row["person_id"] for row in await rows(_QUERIES.person_ids(connection, person_id=person_id))]


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
