"""What face engines of other makers are to know of persons, and what they were told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from uuid import UUID

from marengocam.db.database import Database
from marengocam.db.queries import load, rows

_QUERIES = load("engine_copies")


@dataclass(frozen=True, slots=True)
class EnrolledPerson:
    """A person with the pictures that show whom an engine is to know."""

    person_id: UUID
    name: str
    pictures: tuple[PurePosixPath, ...]

    @property
    def digest(self) -> str:
        """Tells one set of pictures from another."""
        return sha256("\n".join(map(str, self.pictures)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class EngineCopy:
    """What an engine was told of a person; `pictures` empty: perhaps only in part."""

    person_id: UUID
    name: str
    pictures: str
    problem: str = ""


class EngineCopies:
    """`hub.engine_copies`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wanted(self) -> list[EnrolledPerson]:
        """Return everybody whom engines are to know."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.wanted(connection))
        return [
            EnrolledPerson(row["person_id"], row["name"], tuple(PurePosixPath(path) for path in row["pictures"]))
            for row in found
        ]

    async def told(self, engine: str) -> Mapping[UUID, EngineCopy]:
        """Return what an engine was told, by person."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.copies(connection, engine=engine))
        return {row["person_id"]: EngineCopy(**dict(row)) for row in found}

    async def note(self, engine: str, copy: EngineCopy, at: datetime) -> None:
        """Note what an engine is told."""
        async with self._database.connection() as connection:
            await _QUERIES.note_copy(
                connection,
                engine=engine,
                person_id=copy.person_id,
                copy_name=copy.name,
                pictures=copy.pictures,
                problem=copy.problem,
                at=at,
            )

    async def drop(self, engine: str, person_id: UUID) -> None:
        """Note that an engine has forgotten a person."""
        async with self._database.connection() as connection:
            await _QUERIES.drop_copy(connection, engine=engine, person_id=person_id)
