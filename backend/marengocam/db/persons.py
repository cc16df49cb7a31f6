"""Persons, their galleries, and the identities that a human names."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.core.model import Embedding
from marengocam.core.person_names import person_name
from marengocam.db.database import Connection, Database
from marengocam.db.queries import embedding_from, load, rows, vector_text
from marengocam.db.resolution import TURN_KEY

CHANNEL = "person"
TRACK_CHANNEL = "local_track"
_QUERIES = load("persons")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name."""

    person_id: UUID
    name: str
    created_at: datetime
    picture_path: PurePosixPath | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a person was seen last; `present` while that track is open."""

    camera_id: str
    at: datetime
    probability: float
    present: bool
    crop_path: PurePosixPath | None
    local_track_id: UUID


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person, how many faces the gallery holds, and the last sighting."""

    person: Person
    faces: int
    last_seen: Sighting | None


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One picture's embedding in a person's gallery."""

    exemplar_id: UUID
    person_id: UUID
    kind: str  # face or appearance
    embedding: Embedding
    source: str  # enrolled, confirmed or observed
    created_at: datetime
    picture_path: PurePosixPath | None = None


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One individual as the resolver sees it."""

    identity_id: UUID
    person_id: UUID | None
    person_name: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    tracks: int
    crop_track_id: UUID | None


class Persons:
    """`hub.persons`: every change notifies the channel `person`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, person_id: UUID) -> KnownPerson:
        """Return one person; raises NotFoundError."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.list_persons(connection, person_id=person_id))
        if not found:
            raise NotFoundError("There is no such person.")
        return _known(found[0])

    async def by_name(self, name: str) -> Person | None:
        """Return the person of that name, whatever the case, or None; raises BadInputError when it is none."""
        name = person_name(name)
        async with self._database.connection() as connection:
            row = await _QUERIES.person_by_name(connection, person_name=name)
        return None if row is None else _person(row)

    async def add(self, name: str, at: datetime) -> Person:
        """Add a person; raises ConflictError when the name is taken, BadInputError when it is none."""
        person = Person(new_id(at), person_name(name), at)
        async with self._database.transaction() as connection:
            if not await _QUERIES.add_person(connection, person_id=person.person_id, person_name=person.name, at=at):
                raise ConflictError(f"There is a person called {person.name!r} already.")
            await _notify(connection, person.person_id)
        return person

    async def called(self, name: str, at: datetime) -> Person:
        """Return the person of that name, a new one where nobody has it; raises BadInputError when it is none."""
        async with self._database.transaction() as connection:
            return (await known_or_new(connection, name, at))[0]

    async def set_picture(self, person_id: UUID, picture_path: PurePosixPath) -> None:
        """Note a portrait."""
        async with self._database.transaction() as connection:
            await _QUERIES.set_picture(connection, person_id=person_id, picture_path=str(picture_path))
            await _notify(connection, person_id)

    async def add_exemplar(
        self,
        person_id: UUID,
        embedding: Embedding,
        at: datetime,
        *,
        kind: str = "face",
        source: str = "enrolled",
        picture_path: PurePosixPath | None = None,
        exemplar_id: UUID | None = None,
    ) -> UUID:
        """Add an embedding to a person's gallery, once for each id; return its id. Raises NotFoundError."""
        await self.get(person_id)
        exemplar_id = exemplar_id or new_id(at)
        async with self._database.transaction() as connection:
            await _QUERIES.add_exemplar(
                connection,
                exemplar_id=exemplar_id,
                person_id=person_id,
                kind=kind,
                model=embedding.model,
                embedding=vector_text(embedding.vector),
                quality=embedding.quality,
                source=source,
                picture_path=str(picture_path) if picture_path else None,
                at=at,
            )
            await _notify(connection, person_id)
        return exemplar_id

    async def exemplars(self, person_id: UUID | None = None) -> list[Exemplar]:
        """Return the gallery of a person, or of everybody."""
        async with self._database.connection() as connection:
            return [_exemplar(row) for row in await rows(_QUERIES.exemplars(connection, person_id=person_id))]

    async def exemplar_picture(self, exemplar_id: UUID) -> PurePosixPath | None:
        """Return the picture that an embedding was made from, None where there is none (any more)."""
        async with self._database.connection() as connection:
            row = await _QUERIES.exemplar_picture(connection, exemplar_id=exemplar_id)
        return None if row is None or row["picture_path"] is None else PurePosixPath(row["picture_path"])

    async def remove_exemplars(self, person_id: UUID) -> list[PurePosixPath]:
        """Take a person's enrolled faces back; return the pictures to delete."""
        async with self._database.transaction() as connection:
            found = await rows(_QUERIES.remove_exemplars(connection, person_id=person_id))
            await _notify(connection, person_id)
        return [PurePosixPath(row["picture_path"]) for row in found]

    async def kept_pictures(self) -> set[PurePosixPath]:
        """Return all pictures that galleries and portraits name, or would when a word is undone."""
        async with self._database.connection() as connection:
            return {PurePosixPath(row["path"]) for row in await rows(_QUERIES.kept_pictures(connection))}

    async def identities(self, *, unknown_only: bool, limit: int) -> list[IdentityRow]:
        """Return individuals, latest first."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.list_identities(connection, unknown_only=unknown_only, most=limit))
        return [IdentityRow(**dict(row)) for row in found]

    async def prune_identities(self, before: datetime, limit: int) -> int:
        """Forget strangers seen last before a moment, once their tracks are gone, faces included; return how many."""
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
            return int(await _QUERIES.prune_identities(connection, before=before, most=limit))

    async def last_seen(self) -> dict[UUID, Sighting]:
        """Return where each person was seen last."""
        return {one.person.person_id: one.last_seen for one in await self.list() if one.last_seen is not None}

    async def list(self) -> list[KnownPerson]:
        """Return everybody with a name, by name."""
        async with self._database.connection() as connection:
            return [_known(row) for row in await rows(_QUERIES.list_persons(connection, person_id=None))]


async def known_or_new(connection: Connection, name: str, at: datetime) -> tuple[Person, bool]:
    """Return the person of that name within a transaction, and whether it is new.

    Two who give one name at once mean one person.
    """
    name, person_id = person_name(name), new_id(at)
    made = bool(await _QUERIES.add_person(connection, person_id=person_id, person_name=name, at=at))
    if made:
        await _notify(connection, person_id)
    return _person(await _QUERIES.person_by_name(connection, person_name=name)), made


async def _notify(connection: Connection, person_id: UUID) -> None:
    await _QUERIES.notify(connection, channel=CHANNEL, payload=str(person_id))


def _person(row: Any) -> Person:
    picture = PurePosixPath(row["picture_path"]) if row["picture_path"] else None
    return Person(row["person_id"], row["name"], row["created_at"], picture)


def _known(row: Any) -> KnownPerson:
    sighting = None
    if row["last_seen_at"] is not None:
        crop = PurePosixPath(row["crop_path"]) if row["crop_path"] else None
        sighting = Sighting(
            row["camera_id"], row["last_seen_at"], row["probability"], row["present"], crop, row["local_track_id"]
        )
    return KnownPerson(_person(row), row["faces"], sighting)


def _exemplar(row: Any) -> Exemplar:
    embedding = embedding_from(row["model"], row["embedding"], row["quality"])
    assert embedding is not None
    return Exemplar(
        exemplar_id=row["exemplar_id"],
        person_id=row["person_id"],
        kind=row["kind"],
        embedding=embedding,
        source=row["source"],
        created_at=row["created_at"],
        picture_path=PurePosixPath(row["picture_path"]) if row["picture_path"] else None,
    )
