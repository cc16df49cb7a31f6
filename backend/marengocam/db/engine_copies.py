"""What face engines of other makers are to know of persons, and what they were told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath
from uuid import UUID

from marengocam.db.database import Database
from marengocam.db.queries import load, rows
from marengocam.db.resolution import TURN_KEY

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
    """What an engine was told of a person; `pictures` empty: perhaps only in part.

    Of who was erased here no name is kept: `name_digest` finds it among those that the engine tells.
    """

    person_id: UUID
    name: str | None
    pictures: str
    problem: str = ""
    name_digest: bytes | None = None

    def is_called(self, name: str) -> bool:
        """Return whether the engine knows the person by this name."""
        if self.name_digest is None:
            return name == self.name
        return sha256(f"{self.person_id}/{name}".encode()).digest() == self.name_digest


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

    async def left_behind(self, engines: Sequence[str]) -> Mapping[str, int]:
        """Return how many who were erased here engines other than these know yet."""
        async with self._database.connection() as connection:
            found = await rows(_QUERIES.left_behind(connection, engines=list(engines)))
        return {row["engine"]: row["persons"] for row in found}

    async def note(self, engine: str, copy: EngineCopy, at: datetime) -> None:
        """Note what an engine is told."""
        async with self._database.transaction() as connection:
            await _QUERIES.take_turn(connection, key=TURN_KEY)
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
