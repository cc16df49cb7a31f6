"""When survival mode is on, and how much it gives up: pure decisions on the disk, the lag and the time."""

from dataclasses import dataclass, replace

from marengocam.core.survival import LADDER, LAST_LEVEL

# The brief's limits.
FULL_SHARE = 0.90
LAGGING_S = 5.0
# The way out: well below the limits, for a while, a step at a time.
RELIEVED_SHARE = 0.87
CAUGHT_UP_S = 2.0
LOWER_AFTER_S = 30.0
RAISE_AFTER_S = 10.0  # lagging on for so long at one step: the next
# A disk that fills faster than it is emptied asks for more: from these shares on, for that level.
SHARES = (FULL_SHARE, 0.925, 0.95, 0.97, 0.985)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is seen now; None: it cannot be seen."""

    used_share: float | None
    lag_s: float | None


@dataclass(frozen=True, slots=True)
class Survival:
    """How much is given up: an index into LADDER, and why; times are by the monotonic clock."""

    level: int = 0
    reasons: tuple[str, ...] = ()  # of disk, lag
    raised_at_s: float = 0.0
    calm_since_s: float | None = None

    @property
    def on(self) -> bool:
        return self.level > 0

    @property
    def step(self) -> str:
        """What is given up at this level and below it."""
        return LADDER[self.level]


def advance(before: Survival, reading: Reading, now_s: float) -> Survival:
    """Return what holds after one more look: at most one step up or down."""
    reasons = _reasons(before, reading)
    by_disk = disk_level(reading.used_share)
    lagging = reading.lag_s is not None and reading.lag_s > LAGGING_S
    patient = before.level == 0 or now_s - before.raised_at_s >= RAISE_AFTER_S
    if before.level < LAST_LEVEL and (by_disk > before.level or (lagging and patient)):
        return Survival(before.level + 1, reasons, now_s)
    if lagging or "lag" in reasons or before.level <= max(by_disk, 1 if reasons else 0):
        return replace(before, reasons=reasons, calm_since_s=None)
    calm_since_s = now_s if before.calm_since_s is None else before.calm_since_s
    if now_s - calm_since_s >= LOWER_AFTER_S:
        return Survival(before.level - 1, reasons, before.raised_at_s, now_s)
    return replace(before, reasons=reasons, calm_since_s=calm_since_s)


def disk_level(used_share: float | None) -> int:
    """Return the level that a disk as full as this asks for."""
    return 0 if used_share is None else sum(used_share > share for share in SHARES)


def resumed(level: object, now_s: float) -> Survival:
    """Return the state that an earlier janitor left in the hub: its way out is gone, not jumped over."""
    if not isinstance(level, int) or not 0 < level <= LAST_LEVEL:
        return Survival()
    return Survival(level, ("disk", "lag"), now_s)


def _reasons(before: Survival, reading: Reading) -> tuple[str, ...]:
    """Return what keeps it on: a cause begins at its limit, and ends well below it."""
    found = []
    if reading.used_share is not None:
        limit = RELIEVED_SHARE if "disk" in before.reasons else FULL_SHARE
        if reading.used_share > limit:
            found.append("disk")
    if reading.lag_s is not None and reading.lag_s > (CAUGHT_UP_S if "lag" in before.reasons else LAGGING_S):
        found.append("lag")
    return tuple(found)
