"""Whether everything that is followed stands still, so that a parked car does not keep the detector running."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.vision.tracker import TrackedObject

STILL_AFTER = timedelta(seconds=5)
CHANCE = timedelta(seconds=1)  # what turns up where nothing moved stood there before: enough to see what it is
SAME_PLACE_IOU = 0.8
FLICKERS = 3  # so often something came and went in one place: a chair with a wavering score, say
FLICKER_IOU = 0.6
FLICKER_MEMORY = timedelta(minutes=5)
MAX_PLACES = 32


@dataclass(slots=True)
class _Flicker:
    box: Box
    times: int
    at: datetime


class Stillness:
    """Remembers since when each object has been where it is, and where things only come and go."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[Box, datetime]] = {}
        self._flickers: list[_Flicker] = []
        self._restless: set[int] = set()
        self._moved: deque[tuple[datetime, Sequence[Box]]] = deque()

    def note_motion(self, boxes: Sequence[Box], at: datetime) -> None:
        """Take in what moves now."""
        while self._moved and abs(at - self._moved[0][0]) > STILL_AFTER:
            self._moved.popleft()
        if boxes:
            self._moved.append((at, boxes))

    def update(self, objects: Sequence[TrackedObject], at: datetime) -> None:
        """Take in what the tracker follows now."""
        since = {}
        for item in objects:
            before = self._since.get(item.track_id)
            if before is None:
                since[item.track_id] = (item.box, at if self._touched(item.box) else at - STILL_AFTER + CHANCE)
            else:
                since[item.track_id] = before if before[0].iou(item.box) >= SAME_PLACE_IOU else (item.box, at)
        for track_id in self._since.keys() - since.keys():
            self._note_end(self._since[track_id][0], at)
        self._flickers = [one for one in self._flickers if abs(at - one.at) <= FLICKER_MEMORY][-MAX_PLACES:]
        self._since = since
        self._restless = {one.track_id for one in objects if not self._flickers_at(one.box)}

    def holds(self, at: datetime) -> bool:
        """Return whether all that is followed has been seen in its place for a while; True when nothing is."""
        return self.lasts(at, STILL_AFTER)

    def lasts(self, at: datetime, so_long: timedelta) -> bool:
        """Return whether all that is followed has been in its place for so long."""
        return all(at - moment >= so_long for key, (_, moment) in self._since.items() if key in self._restless)

    def moving(self, at: datetime) -> list[Box]:
        """Return where the things are that do not stand still."""
        return [
            box for key, (box, moment) in self._since.items() if key in self._restless and at - moment < STILL_AFTER
        ]

    @property
    def empty(self) -> bool:
        """Whether nothing is followed."""
        return not self._since

    def _touched(self, box: Box) -> bool:
        return any(_meet(box, other) for _, boxes in self._moved for other in boxes)

    def _note_end(self, box: Box, at: datetime) -> None:
        """Remember where something ended that never left its place."""
        for one in self._flickers:
            if one.box.iou(box) >= FLICKER_IOU:
                one.times, one.at = one.times + 1, at
                return
        self._flickers.append(_Flicker(box, 1, at))

    def _flickers_at(self, box: Box) -> bool:
        return any(one.times >= FLICKERS and one.box.iou(box) >= FLICKER_IOU for one in self._flickers)


def _meet(one: Box, other: Box) -> bool:
    return one.x1 < other.x2 and other.x1 < one.x2 and one.y1 < other.y2 and other.y1 < one.y2
