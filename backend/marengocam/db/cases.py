"""An owner's own tests: moments with the outcome that is expected of them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.db.database import Database
from marengocam.db.queries import load, rows

_QUERIES = load("replays")


@dataclass(frozen=True, slots=True)
class ReplayCase:
    """A moment, what should be seen in it, and what the last run saw."""

    case_id: UUID
    name: str
    camera_id: str
    from_at: datetime
    to_at: datetime
    expected: str
    created_at: datetime
    passed: bool | None = None
    seen: str = ""
    ran_at: datetime | None = None


class Cases:
    """`hub.cases`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> list[ReplayCase]:
        """Return all, by time."""
        async with self._database.connection() as connection:
            return [ReplayCase(**row) for row in await rows(_QUERIES.list_cases(connection))]

    async def by_name(self, name: str) -> ReplayCase:
        """Return one; raises NotFoundError that names those there are."""
        known = await self.list()
        for case in known:
            if case.name == name:
                return case
        raise NotFoundError(f"There is no case {name!r}; known: {', '.join(one.name for one in known) or 'none'}.")

    async def get(self, case_id: UUID) -> ReplayCase:
        """Return one; raises NotFoundError."""
        found = next((case for case in await self.list() if case.case_id == case_id), None)
        if found is None:
            raise NotFoundError("There is no such case.")
        return found

    async def add(self, case: ReplayCase) -> None:
        """Add one; raises ConflictError when the name is taken."""
        if any(one.name == case.name for one in await self.list()):
            raise ConflictError(f"There is a case {case.name!r} already: choose another name, or remove that one.")
        async with self._database.connection() as connection:
            await _QUERIES.add_case(
                connection,
                case_id=case.case_id,
                name=case.name,
                camera_id=case.camera_id,
                from_at=case.from_at,
                to_at=case.to_at,
                expected=case.expected,
                created_at=case.created_at,
            )

    async def note(self, case_id: UUID, at: datetime, *, passed: bool, seen: str) -> None:
        """Note what a run saw."""
        async with self._database.connection() as connection:
            await _QUERIES.note_case(connection, case_id=case_id, passed=passed, seen=seen, at=at)

    async def remove(self, case_id: UUID) -> None:
        """Delete one; raises NotFoundError. Its recording is the caller's."""
        async with self._database.connection() as connection:
            removed = await _QUERIES.remove_case(connection, case_id=case_id)
        if not removed:
            raise NotFoundError("There is no such case.")
