"""Persons whom a human's word had made, and who go with it when it is taken back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from marengocam.core.model import EventType, NewEvent
from marengocam.db.database import Connection
from marengocam.db.events import Events
from marengocam.db.persons import CHANNEL
from marengocam.db.queries import load, rows

BY_A_HUMAN = {"cues": [], "decided_by": "human"}
_QUERIES = load("words")


async def let_go(connection: Connection, events: Events, person_ids: Sequence[UUID], word_id: UUID) -> None:
    """Remove those of some persons who came to be by a word that is taken back, and of whom nothing is left.

    Here and not by the resolver, which may not remove anybody: whoever heard the name is told that it does not hold.
    """
    for person in await rows(_QUERIES.forsaken(connection, person_ids=list(person_ids))):
        person_id = person["person_id"]
        told = await rows(_QUERIES.untell(connection, person_id=person_id))
        await events.append([_unknown(row, person, word_id) for row in told if not row["ignored"]], connection)
        await _QUERIES.drop_person(connection, person_id=person_id)
        await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))


def _unknown(track: Any, person: Any, word_id: UUID) -> NewEvent:
    kind = EventType.PERSON_UNKNOWN
    was = {"was_person_id": str(person["person_id"]), "was_person_name": person["name"]}
    return NewEvent(
        event_id=uuid5(word_id, f"{track['local_track_id']}/{kind}"),
        type=kind,
        occurred_at=track["last_seen_at"],
        camera_id=track["camera_id"],
        local_track_id=track["local_track_id"],
        identity_id=track["identity_id"],
        zones=tuple(track["zones"]),
        data=was | {"evidence": dict(BY_A_HUMAN)},
    )
