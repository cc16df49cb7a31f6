"""Movement that walks but is not recognised: a far person at night. Told as what it is, `movement`, never as a person.

Leaves sway in place, insects cross within a second, light floods everything; who walks comes along steadily.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from math import hypot

from marengocam.core.geometry import Box
from marengocam.vision.tracker import TrackedObject

MOVEMENT = "movement"
FIRST_TRACK_ID = 1_000_000_000  # beyond any the tracker gives
MIN_LENGTH = timedelta(seconds=3)
MIN_HITS = 8
MIN_HIT_SHARE = 0.5  # of the frames since it began
MIN_TRAVEL = 0.7  # of its own height
MIN_STRAIGHTNESS = 0.35  # way made good, of the way gone
MAX_SPEED = 4.0  # own heights a second: insects and headlights are faster
SIZE_LIMIT = 0.6  # of the picture's height: larger is light, not a walker
SIZE_RATIO = 2.5
REACH = 1.2  # own heights from one sight to the next
PATIENCE = timedelta(seconds=1.2)
EXPLAINED_SHARE = 0.3  # of a region's area within something that is followed
BESIDE = 0.5  # of its height: how far around something followed
BESIDE_SHARE = 0.5
MAX_PATHS = 32
SMOOTH = 4  # sights averaged at either end of the way


@dataclass(slots=True)
class _Path:
    number: int
    sights: list[tuple[datetime, Box]] = field(default_factory=list)
    frames: int = 0

    @property
    def last(self) -> tuple[datetime, Box]:
        return self.sights[-1]

    def is_walk(self) -> bool:
        (began_at, _), (seen_at, _) = self.sights[0], self.sights[-1]
        if seen_at - began_at < MIN_LENGTH or len(self.sights) < MIN_HITS:
            return False
        if len(self.sights) < MIN_HIT_SHARE * self.frames:
            return False
        height = sorted(box.height for _, box in self.sights)[len(self.sights) // 2]
        points = _smoothed([box.centre for _, box in self.sights])
        made_good = _distance(points[0], points[-1])
        gone = sum(_distance(one, two) for one, two in pairwise(points))
        speed = made_good / (seen_at - began_at).total_seconds()
        return made_good >= MIN_TRAVEL * height and made_good >= MIN_STRAIGHTNESS * gone and speed <= MAX_SPEED * height


class MovementWatch:
    """Follows moving regions of one camera that nothing recognised explains."""

    def __init__(self) -> None:
        self._paths: list[_Path] = []
        self._walking: set[int] = set()
        self._next = FIRST_TRACK_ID

    def update(self, regions: Sequence[Box], followed: Sequence[TrackedObject], at: datetime) -> list[TrackedObject]:
        """Take in what moves in a frame and what is followed; return the walks that are under way."""
        free = [box for box in regions if box.height <= SIZE_LIMIT and not _is_explained(box, followed)]
        for path in sorted(self._paths, key=lambda one: -len(one.sights)):
            path.frames += 1
            nearest = min(free, key=lambda box: _distance(box.centre, path.last[1].centre), default=None)
            if nearest is not None and _continues(path.last[1], nearest):
                path.sights.append((at, nearest))
                free.remove(nearest)
        for box in free[: MAX_PATHS - len(self._paths)]:
            self._paths.append(_Path(self._next, [(at, box)], frames=1))
            self._next += 1
        self._paths = [
            path for path in self._paths if at - path.last[0] <= PATIENCE and not _is_explained(path.last[1], followed)
        ]
        self._walking |= {path.number for path in self._paths if path.is_walk()}
        self._walking &= {path.number for path in self._paths}
        return [self._object(path, at) for path in self._paths if path.number in self._walking]

    @staticmethod
    def _object(path: _Path, at: datetime) -> TrackedObject:
        seen_at, box = path.last
        share = min(1.0, len(path.sights) / max(path.frames, 1))
        return TrackedObject(
            path.number,
            MOVEMENT,
            box,
            round(share, 3),
            confirmed=True,
            lost=seen_at < at,
            observations=len(path.sights),
        )


def _continues(before: Box, now: Box) -> bool:
    larger, smaller = max(before.height, now.height), min(before.height, now.height)
    if smaller <= 0 or larger > SIZE_RATIO * smaller:
        return False
    return before.iou(now) > 0 or _distance(before.centre, now.centre) <= REACH * larger


def _is_explained(box: Box, followed: Sequence[TrackedObject]) -> bool:
    """Return whether something followed is there or right beside it: shadows and trails go along with it."""
    return any(
        _shared(box, one.box) >= EXPLAINED_SHARE * box.area or _shared(_grown(one.box), box) >= BESIDE_SHARE * box.area
        for one in followed
    )


def _grown(box: Box) -> Box:
    margin = BESIDE * box.height
    return Box(box.x1 - margin, box.y1 - margin, box.x2 + margin, box.y2 + margin)


def _shared(one: Box, other: Box) -> float:
    width = min(one.x2, other.x2) - max(one.x1, other.x1)
    height = min(one.y2, other.y2) - max(one.y1, other.y1)
    return max(0.0, width) * max(0.0, height)


def _smoothed(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    groups = [points[start : start + SMOOTH] for start in range(0, len(points), SMOOTH)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])
