"""The circuit breaker around an AI engine: a time limit, then a cut, then one careful try every so often."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from marengocam.core.clock import Clock
from marengocam.core.errors import FaceEngineError

FAILURES_TO_OPEN = 3
RETRY_S = 30.0
T = TypeVar("T")


class BreakerState(StrEnum):
    """closed: calls go through; open: none does; half_open: one is trying."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Cuts an engine off after some failures in a row; only errors and time-outs count as failures.

    `on_change(state, reason, tries)` is told of each change of state, with how many careful tries there were since the
    engine was cut off; not of a try that ended before anything was found out.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        failures: int = FAILURES_TO_OPEN,
        retry_s: float = RETRY_S,
        on_change: Callable[[BreakerState, str, int], None] | None = None,
    ) -> None:
        self.name = name
        self._clock = clock
        self._limit = failures
        self._retry_s = retry_s
        self._on_change = on_change
        self._failures = 0
        self._retry_at_s = 0.0
        self.tries = 0  # careful ones, since it was cut off
        self.state = BreakerState.CLOSED

    @property
    def ready(self) -> bool:
        """Whether a call would go through now."""
        if self.state is BreakerState.OPEN:
            return self._clock.monotonic_s() >= self._retry_at_s
        return self.state is BreakerState.CLOSED

    async def call(self, make: Callable[[], Awaitable[T]], timeout_s: float) -> T:
        """Return what the call returns.

        Raises FaceEngineError when it is cut off, fails or takes longer than `timeout_s`.
        """
        if not self.ready:
            raise FaceEngineError(
                f"{self.name} is cut off after failures; it is tried again every {self._retry_s:.0f} s."
            )
        if self.state is BreakerState.OPEN:
            self.tries += 1
            self._turn(BreakerState.HALF_OPEN, "it is tried once")
        try:
            async with asyncio.timeout(timeout_s):
                result = await make()
        except TimeoutError as error:
            self._failed(f"no answer within {timeout_s * 1000:.0f} ms")
            raise FaceEngineError(f"{self.name} did not answer within {timeout_s * 1000:.0f} ms.") from error
        except (OSError, FaceEngineError) as error:
            self._failed(str(error) or type(error).__name__)
            raise FaceEngineError(f"{self.name} failed: {error}") from error
        except BaseException:
            if self.state is BreakerState.HALF_OPEN:  # nothing was found out: the next call is the careful try
                self.state = BreakerState.OPEN
            raise
        self._succeeded()
        return result

    def _failed(self, reason: str) -> None:
        self._failures += 1
        # A call that began before the engine was cut off changes nothing any more.
        if self.state is BreakerState.HALF_OPEN or (
            self.state is BreakerState.CLOSED and self._failures >= self._limit
        ):
            self._retry_at_s = self._clock.monotonic_s() + self._retry_s
            self._turn(BreakerState.OPEN, reason)

    def _succeeded(self) -> None:
        self._failures = 0
        if self.state is not BreakerState.CLOSED:
            self._turn(BreakerState.CLOSED, "it answers again")
            self.tries = 0

    def _turn(self, state: BreakerState, reason: str) -> None:
        self.state = state
        if self._on_change is not None:
            self._on_change(state, reason, self.tries)
