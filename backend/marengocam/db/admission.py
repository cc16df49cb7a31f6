"""A service whose account the server does not know, as at a first start, waits for it without asking all the time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from marengocam.core.errors import HubUnavailableError
from marengocam.db.faults import refusal

FIRST_ANSWER_S = 1.0  # until the server has let this process in, the others wait so long for what the first is told
PAUSE_FIRST_S = 0.5  # doubled each time: accounts that are made soon are let in soon
PAUSE_MAX_S = 5.0


class Admission:
    """Has one ask at a time until the server lets this process in; after a refusal nobody asks for a while."""

    def __init__(self) -> None:
        self._admitted = False
        self._asking: asyncio.Event | None = None
        self._refusal = ""
        self._refused_until_s = 0.0
        self._pause_s = PAUSE_FIRST_S

    @contextlib.asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """Connect within the block. Raises HubUnavailableError instead of asking again after a refusal."""
        if not self._admitted:
            await self._wait_for_the_first()
        answered = asyncio.Event()
        self._asking = self._asking or answered
        try:
            yield
        except BaseException as error:
            self._note(refusal(error, known=self._admitted))
            raise
        else:
            self._admitted, self._pause_s = True, PAUSE_FIRST_S
        finally:
            answered.set()
            if self._asking is answered:
                self._asking = None

    async def _wait_for_the_first(self) -> None:
        if self._asking is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRST_ANSWER_S):  # `wait_for` would swallow that its task is cancelled
                    await self._asking.wait()
        if asyncio.get_running_loop().time() < self._refused_until_s:
            raise HubUnavailableError(f"The database does not let us in yet ({self._refusal}); it is tried again.")

    def _note(self, reason: str) -> None:
        if reason:
            self._admitted, self._refusal = False, reason
            self._refused_until_s = asyncio.get_running_loop().time() + self._pause_s
            self._pause_s = min(2 * self._pause_s, PAUSE_MAX_S)
