"""What a human asks for is begun anew after a deadlock, a few times, and after nothing else."""

import asyncpg
import pytest

from marengocam.core.errors import HubUnavailableError
from marengocam.db.deadlocks import TRIES, begun_anew


class Asked:
    """A transaction that ends as often as a test wants with an error of the database."""

    def __init__(self, cause: Exception, times: int) -> None:
        self.cause, self.times, self.tries = cause, times, 0

    @begun_anew
    async def word(self, said: str) -> str:
        """Say something."""
        self.tries += 1
        if self.tries <= self.times:
            raise HubUnavailableError("The database does not answer.") from self.cause
        return said


async def test_a_deadlock_is_not_told_to_a_human() -> None:
    asked = Asked(asyncpg.DeadlockDetectedError("deadlock detected"), TRIES - 1)
    assert (await asked.word("Alice"), asked.tries) == ("Alice", TRIES)


async def test_deadlocks_without_an_end_are() -> None:
    asked = Asked(asyncpg.DeadlockDetectedError("deadlock detected"), TRIES)
    with pytest.raises(HubUnavailableError):
        await asked.word("Alice")
    assert asked.tries == TRIES


async def test_what_may_have_been_written_is_not_written_twice() -> None:
    asked = Asked(ConnectionResetError(), 1)
    with pytest.raises(HubUnavailableError):
        await asked.word("Alice")
    assert asked.tries == 1
