"""Jumps of the wall clock, noticed against the monotonic one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

JUMP_LIMIT = timedelta(seconds=2)  # more than a clock is slewed between two looks
LARGE = timedelta(hours=1)
STEADY_S = 600.0  # after a large jump ages are believed again only when the clock has kept still for so long


@dataclass(slots=True)
class ClockWatch:
    """Sees jumps between looks, and says whether ages can be believed."""

    seen: tuple[datetime, float] | None = None
    large_jump_s: float | None = None

    def look(self, now: datetime, now_s: float) -> timedelta | None:
        """Return by how much the clock was set since the last look, None when it was not."""
        before, self.seen = self.seen, (now, now_s)
        if before is None:
            return None
        jump = (now - before[0]) - timedelta(seconds=now_s - before[1])
        if abs(jump) < JUMP_LIMIT:
            return None
        if abs(jump) >= LARGE:
            self.large_jump_s = now_s
        return jump

    def trusted(self, now_s: float) -> bool:
        """Return whether the clock has been steady: a wrong year must not make every recording old."""
        return self.large_jump_s is None or now_s - self.large_jump_s >= STEADY_S


def told(jump: timedelta) -> str:
    """Return a jump as an owner's sentence."""
    by = timedelta(seconds=round(abs(jump).total_seconds()))
    way = "forward" if jump > timedelta(0) else "back"
    return f"The clock of this machine was set {way} by {by}: recordings carry the new time from then on."
