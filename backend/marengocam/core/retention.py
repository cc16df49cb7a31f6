"""How long a recording is kept: its classes, an owner's rules, and what follows from both; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

# From the most general to the most telling: a class without a rule of its own follows the one before it.
CLASSES = ("continuous", "motion", "person", "unknown", "named", "favourite")
ALL = "all"  # every class together, for limits by size
EVERY_CAMERA = "*"
FOLLOWS = {"motion": "continuous", "person": "motion", "unknown": "person", "named": "person"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What an owner keeps of a camera and a class; None: not said here."""

    camera_id: str
    kind: str
    keep_days: float | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Happenings:
    """What happened during a recording."""

    motion: bool = False
    person: bool = False
    unknown: bool = False
    named: bool = False
    favourite: bool = False

    def classes(self) -> tuple[str, ...]:
        """Return every class it belongs to, the most general first."""
        return ("continuous", *(name for name in CLASSES[1:] if getattr(self, name)))


class Policy:
    """An owner's rules over the settings' defaults."""

    def __init__(self, rules: Iterable[Rule], keep_days: float) -> None:
        self._days: Mapping[tuple[str, str], float] = {
            (rule.camera_id, rule.kind): rule.keep_days for rule in rules if rule.keep_days is not None
        }
        self._default = keep_days

    def keep(self, camera_id: str, kind: str) -> timedelta | None:
        """Return how long one class of a camera is kept; None: for ever, as favourites are unless a rule says else."""
        asked: str | None = kind
        while asked is not None:
            for camera in (camera_id, EVERY_CAMERA):
                if (camera, asked) in self._days:
                    return timedelta(days=self._days[camera, asked])
            asked = FOLLOWS.get(asked)
        return None if kind == "favourite" else timedelta(days=self._default)

    def keep_of(self, camera_id: str, happenings: Happenings) -> timedelta | None:
        """Return how long a recording is kept: as long as any of its classes wants; None: for ever."""
        longest = timedelta(0)
        for kind in happenings.classes():
            keep = self.keep(camera_id, kind)
            if keep is None:
                return None
            longest = max(longest, keep)
        return longest

    @property
    def shortest(self) -> timedelta:
        """How young a recording can be that has to go."""
        return timedelta(days=min([self._default, *self._days.values()]))

    @property
    def longest(self) -> timedelta:
        """How long anything but favourites is kept."""
        kinds = [days for (_, kind), days in self._days.items() if kind != "favourite"]
        return timedelta(days=max([self._default, *kinds]))
