"""Learned furniture: what stands in one place for hours and is called a person now and then, stops being one.

A chair, a jacket or a statue looks the same all the time; a real person in the same place looks different.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from marengocam.core.geometry import Box
from marengocam.core.model import Detection

LEARNED_AFTER = timedelta(hours=2)
SURE_SCORE = 0.7  # on the average: chairs, jackets and cushions get 0.2 to 0.6, people who sit 0.8 and more
SURE_LEARNED_AFTER = timedelta(hours=6)  # a statue; whoever sits at a desk stirs in that time
SURE_SHARE = 0.9  # of the looks, in which it looks exactly as it did
EXACT_LOOK = 0.9  # correlation
MIN_HITS = 40
MIN_HIT_SHARE = 0.1  # of the looks: wavering scores hide it most of the time
CANDIDATE_KEPT = timedelta(minutes=30)  # unseen
LEARNED_KEPT = timedelta(days=7)  # unseen
MAX_PLACES = 64
SAME_PLACE_IOU = 0.7
ROUNDING = 1e-9  # of the picture
SAME_LOOK = 0.7  # correlation of what is seen there, whatever the light
SCORE_MARGIN = 0.15  # over its best score so far: surer than it ever was, it may be somebody
FOLLOW_RATE = 0.05  # how fast a place follows small changes of box, look and score
PATCH_WIDTH, PATCH_HEIGHT = 12, 16
MIN_CONTRAST = 3.0  # grey levels: in a darker or flatter patch nothing can be told apart
PATCH_SCALE = 32  # of the stored bytes
MOVING_LABELS = frozenset({"person", "cat", "dog", "bird", "horse", "sheep", "cow", "bear"})  # cars may stand for days

Patch = npt.NDArray[np.float32]


@dataclass(slots=True, eq=False)
class Place:
    """A place where something like a person is seen again and again."""

    label: str
    box: Box
    patch: Patch  # normalised luma, so that light does not matter
    since: datetime
    seen_at: datetime
    looks: int = 1
    hits: int = 1
    exact: int = 1  # hits that looked as they did before
    score: float = 0.0  # on the average
    best_score: float = 0.0
    learned_at: datetime | None = None

    @property
    def learned(self) -> bool:
        return self.learned_at is not None

    def note(self, detection: Detection, patch: Patch, at: datetime) -> None:
        """Take in another sight of it."""
        self.hits += 1
        self.exact += likeness(self.patch, patch) >= EXACT_LOOK
        self.score += (detection.score - self.score) / self.hits
        self.seen_at = at
        self.box = _between(self.box, detection.box, FOLLOW_RATE)
        self.patch = self.patch + FOLLOW_RATE * (patch - self.patch)
        self.best_score = max(detection.score, self.best_score * (1 - FOLLOW_RATE / 10))
        if not self.learned and self._is_furniture(at):
            self.learned_at = at

    def _is_furniture(self, at: datetime) -> bool:
        lasted = at - self.since
        if self.score >= SURE_SCORE:
            return lasted >= SURE_LEARNED_AFTER and self.exact >= max(MIN_HITS, SURE_SHARE * self.looks)
        return lasted >= LEARNED_AFTER and self.hits >= max(MIN_HITS, MIN_HIT_SHARE * self.looks)

    def is_over(self, at: datetime) -> bool:
        """Return whether it has not been seen for so long that it is forgotten."""
        return at - self.seen_at > (LEARNED_KEPT if self.learned else CANDIDATE_KEPT)


class Furniture:
    """What stands in one camera's picture; not thread-safe."""

    def __init__(self, places: Iterable[Place] = ()) -> None:
        self._places = list(places)
        self._remembered: list[Place] = []  # from before, and not among the places yet

    @property
    def learned(self) -> tuple[Box, ...]:
        """Where furniture stands."""
        return tuple(place.box for place in self._places if place.learned)

    def remember(self, before: "Furniture") -> None:
        """Know what was known before, too; from any thread."""
        self._remembered = [*self._remembered, *before._places]  # noqa: SLF001 - of its own kind

    def sift(self, detections: Sequence[Detection], luma: npt.NDArray[np.uint8], at: datetime) -> list[Detection]:
        """Learn from the detections of one look (luma H x W); return those that are no furniture."""
        if self._remembered:
            remembered, self._remembered = self._remembered, []
            self._places = [*remembered, *self._places][:MAX_PLACES]
        for place in self._places:
            place.looks += 1
        kept = [one for one in detections if one.label not in MOVING_LABELS or not self._is_furniture(one, luma, at)]
        self._places = [place for place in self._places if not place.is_over(at)]
        return kept

    def to_json(self) -> list[dict[str, Any]]:
        """Return what is worth keeping over a restart."""
        return [
            {
                "label": place.label,
                "box": [round(side, 5) for side in (place.box.x1, place.box.y1, place.box.x2, place.box.y2)],
                "patch": base64.b64encode(
                    (place.patch * PATCH_SCALE).clip(-127, 127).astype(np.int8).tobytes()
                ).decode(),
                "since": place.since.isoformat(),
                "seen_at": place.seen_at.isoformat(),
                "looks": place.looks,
                "hits": place.hits,
                "exact": place.exact,
                "score": round(place.score, 4),
                "best_score": round(place.best_score, 4),
                "learned": place.learned,
                "learned_at": None if place.learned_at is None else place.learned_at.isoformat(),
            }
            for place in (*self._remembered, *self._places)
        ]

    @classmethod
    def from_json(cls, places: Sequence[Mapping[str, Any]]) -> "Furniture":
        """Return what `to_json` gave; raises ValueError, KeyError or TypeError for anything else."""
        return cls(_place(stored) for stored in places)

    def _is_furniture(self, detection: Detection, luma: npt.NDArray[np.uint8], at: datetime) -> bool:
        patch = patch_of(luma, detection.box)
        if patch is None:
            return False
        place = self._same(detection, patch)
        if place is None:
            self._make_room()
            score = detection.score
            self._places.append(Place(detection.label, detection.box, patch, at, at, score=score, best_score=score))
            return False
        known_score = place.best_score
        place.note(detection, patch, at)
        return place.learned and detection.score <= known_score + SCORE_MARGIN

    def _make_room(self) -> None:
        """Where many walk, give up what was seen for the shortest time, so that what stands there has its place."""
        while len(self._places) >= MAX_PLACES:
            passing = min(self._places, key=lambda place: (place.learned, place.seen_at - place.since, place.seen_at))
            self._places.remove(passing)

    def _same(self, detection: Detection, patch: Patch) -> Place | None:
        first, last = beginnings(detection.box)  # leaves out nearly all, at a tenth of what to compare boxes takes
        near = (
            place
            for place in self._places
            if first <= place.box.x1 <= last
            and place.label == detection.label
            and place.box.iou(detection.box) >= SAME_PLACE_IOU
            and likeness(place.patch, patch) >= SAME_LOOK
        )
        return max(near, key=lambda place: (place.learned, place.hits), default=None)


def learned_by(places: Sequence[Mapping[str, Any]], at: datetime) -> list[Mapping[str, Any]]:
    """Return those of `to_json` that were furniture at a moment already; raises as `from_json` does."""
    known = [(stored, _place(stored).learned_at) for stored in places]
    return [stored for stored, learned_at in known if learned_at is not None and learned_at <= at]


def beginnings(box: Box) -> tuple[float, float]:
    """Return between which x a box can begin that overlaps with this one by SAME_PLACE_IOU."""
    # What both share is at least this much of either's width; so the other is wider by 1 / SAME_PLACE_IOU at most.
    apart = (1 - SAME_PLACE_IOU) * box.width
    return box.x1 - apart / SAME_PLACE_IOU - ROUNDING, box.x1 + apart + ROUNDING


def patch_of(luma: npt.NDArray[np.uint8], box: Box) -> Patch | None:
    """Return what is seen in a box, normalised to mean 0 and deviation 1; None where there is too little to see."""
    x1, y1, x2, y2 = box.pixels(luma.shape[1], luma.shape[0])
    if x2 - x1 < 2 or y2 - y1 < 2:
        return None
    small = cv2.resize(luma[y1:y2, x1:x2], (PATCH_WIDTH, PATCH_HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32)
    mean, deviation = (float(one[0, 0]) for one in cv2.meanStdDev(small))  # NumPy's take a dozen times as long
    if deviation < MIN_CONTRAST:
        return None
    return np.asarray((small - mean) / deviation, np.float32)


def likeness(one: Patch, other: Patch) -> float:
    """Return the correlation of two patches, -1 to 1."""
    scale = sqrt(float(np.vdot(one, one)) * float(np.vdot(other, other)))
    return float(np.vdot(one, other)) / scale if scale else 0.0


def _between(one: Box, other: Box, share: float) -> Box:
    return Box(
        one.x1 + share * (other.x1 - one.x1),
        one.y1 + share * (other.y1 - one.y1),
        one.x2 + share * (other.x2 - one.x2),
        one.y2 + share * (other.y2 - one.y2),
    )


def _place(stored: Mapping[str, Any]) -> Place:
    flat = np.frombuffer(base64.b64decode(stored["patch"]), np.int8).astype(np.float32) / np.float32(PATCH_SCALE)
    x1, y1, x2, y2 = (float(side) for side in stored["box"])
    since = datetime.fromisoformat(stored["since"])
    learned_at: datetime | None = None
    if stored["learned"]:
        noted = stored.get("learned_at")  # an older version did not note it
        learned_at = since + LEARNED_AFTER if noted is None else datetime.fromisoformat(noted)
    return Place(
        label=str(stored["label"]),
        box=Box(x1, y1, x2, y2),
        patch=flat.reshape(PATCH_HEIGHT, PATCH_WIDTH),
        since=since,
        seen_at=datetime.fromisoformat(stored["seen_at"]),
        looks=int(stored["looks"]),
        hits=int(stored["hits"]),
        exact=int(stored.get("exact", 1)),  # an older version noted neither
        score=float(stored.get("score", stored["best_score"])),
        best_score=float(stored["best_score"]),
        learned_at=learned_at,
    )
