"""What became of actions, written to the hub in batches, behind everything else."""

import asyncio
import logging
from collections import deque
from uuid import UUID

from marengocam.core.clock import Clock
from marengocam.core.errors import MarengoCamError
from marengocam.db.firings import Firings, Outcome
from marengocam.db.health import Health

KEPT_OUTCOMES = 5000  # while the hub is away; then the oldest are not recorded
BATCH = 500
GATHER_S = 0.05
RETRY_S = 1.0
CONSUMER = "automation"
_LOG = logging.getLogger(__name__)


class Outcomes:
    """Takes outcomes without ever waiting; `run` writes them, and tells health of the first failure of a kind."""

    def __init__(self, firings: Firings, health: Health, clock: Clock) -> None:
        self._firings = firings
        self._health = health
        self._clock = clock
        self._kept: deque[tuple[UUID, Outcome]] = deque(maxlen=KEPT_OUTCOMES)
        self._woken = asyncio.Event()
        self._failing: dict[str, str] = {}  # what was told of each target, until it works again
        self.done = 0
        self.failed = 0

    def note(self, firing_id: UUID, place: int, action: str, target: str, reason: str) -> None:
        """Note how an action ended: `reason` says why it failed, "" that it is done."""
        state = "failed" if reason else "done"
        self.done += not reason
        self.failed += bool(reason)
        outcome = Outcome(
            place=place, action=action, target=target, state=state, reason=reason, ended_at=self._clock.now()
        )
        self._kept.append((firing_id, outcome))
        self._woken.set()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            await asyncio.sleep(GATHER_S)
            while self._kept:
                try:
                    await self.flush()
                except MarengoCamError as error:
                    _LOG.debug("outcomes wait: %s", error)
                    await asyncio.sleep(RETRY_S)

    async def flush(self) -> None:
        """Write what is there; raises MarengoCamError, then nothing is lost."""
        while self._kept:
            batch = [self._kept[number] for number in range(min(BATCH, len(self._kept)))]
            await self._firings.add_outcomes(batch)
            for one in batch:
                if self._kept and self._kept[0] is one:
                    self._kept.popleft()
            await self._tell(batch)

    async def _tell(self, batch: list[tuple[UUID, Outcome]]) -> None:
        """Put a line into the log of health when a target begins to fail, and when it works again."""
        for _, one in batch:
            key = f"{one.action} {one.target}"
            if one.state == "failed" and key not in self._failing:
                self._failing[key] = one.reason
                await self._health.log(CONSUMER, one.action, "warning", f"{key} fails: {one.reason}.")
            elif one.state == "done" and self._failing.pop(key, None) is not None:
                await self._health.log(CONSUMER, one.action, "info", f"{key} works again.")
        if len(self._failing) > KEPT_OUTCOMES:
            self._failing.clear()
