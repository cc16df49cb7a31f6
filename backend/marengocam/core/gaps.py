"""Where a camera that is recorded always was not: pure reckoning on stretches of time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

LEAST_GAP = timedelta(seconds=2)  # less than this between two files is their rounding
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which a camera was not recorded."""

    camera_id: str
    from_at: datetime
    to_at: datetime

    @property
    def lost_s(self) -> float:
        return (self.to_at - self.from_at).total_seconds()


def uncovered(wanted: Stretch, covered: Iterable[Stretch], least: timedelta = LEAST_GAP) -> list[Stretch]:
    """Return what of `wanted` none of `covered` holds, in order, each longer than `least`; they may overlap."""
    found, reached = [], wanted[0]
    for begin, end in sorted(covered):
        if min(begin, wanted[1]) - reached > least:
            found.append((reached, min(begin, wanted[1])))
        reached = max(reached, end)
        if reached >= wanted[1]:
            return found
    if wanted[1] - reached > least:
        found.append((reached, wanted[1]))
    return found
