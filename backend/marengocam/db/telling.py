"""What is told outside of cameras and persons: no passwords, no pictures, no embeddings."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from marengocam.db.database import Database
from marengocam.db.queries import load, rows

_QUERIES = load("telling")


@dataclass(frozen=True, slots=True)
class PersonSeen:
    """A person and where they were seen last; `present` while a camera sees them."""

    person_id: UUID
    name: str
    present: bool
    camera_id: str | None
    last_seen_at: datetime | None
    probability: float | None


class Telling:
    """`hub.telling`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def camera_names(self) -> dict[str, str]:
        """Return what each camera is called, by id."""
        async with self._database.connection() as connection:
            return {row["camera_id"]: row["name"] for row in await rows(_QUERIES.camera_names(connection))}

    async def people(self) -> dict[str, int]:
        """Return how many people each camera follows now, by id; cameras without any lack."""
        async with self._database.connection() as connection:
            return {row["camera_id"]: row["people"] for row in await rows(_QUERIES.people(connection))}

    async def persons(self) -> list[PersonSeen]:
        """Return everybody with a name, by name."""
        async with self._database.connection() as connection:
            return [PersonSeen(**dict(row)) for row in await rows(_QUERIES.persons(connection))]
