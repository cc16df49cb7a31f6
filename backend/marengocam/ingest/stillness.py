"""Whether everything that is followed stands still, so that a parked car does not keep the detector running."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.vision.tracker import TrackedObject

STILL_AFTER = timedelta(seconds=5)
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
        self._moving: set[int] = set()
        self._settled = True

    def update(self, objects: Sequence[TrackedObject], at: datetime) -> None:
        """Take in what the tracker follows now."""
        since = {}
        for item in objects:
            before = self._since.get(item.track_id)
            stays = before is not None and before[0].iou(item.box) >= SAME_PLACE_IOU
            since[item.track_id] = before if before is not None and stays else (item.box, at)
        for track_id in self._since.keys() - since.keys():
            self._note_end(self._since[track_id][0], at)
        self._flickers = [one for one in self._flickers if abs(at - one.at) <= FLICKER_MEMORY][-MAX_PLACES:]
        restless = [one for one in objects if not self._flickers_at(one.box)]
        self._since = since
        self._settled = all(one.confirmed and not one.lost for one in restless)
        self._moving = {one.track_id for one in restless}

    def holds(self, at: datetime) -> bool:
        """Return whether all that is followed has been seen in its place for a while; True when nothing is."""
        return self._settled and all(
            at - moment >= STILL_AFTER for track_id, (_, moment) in self._since.items() if track_id in self._moving
        )

    @property
    def empty(self) -> bool:
        """Whether nothing is followed."""
        return not self._since

    def _note_end(self, box: Box, at: datetime) -> None:
        """Remember where something ended that never left its place."""
        for one in self._flickers:
            if one.box.iou(box) >= FLICKER_IOU:
                one.times, one.at = one.times + 1, at
                return
        self._flickers.append(_Flicker(box, 1, at))

    def _flickers_at(self, box: Box) -> bool:
        return any(one.times >= FLICKERS and one.box.iou(box) >= FLICKER_IOU for one in self._flickers)
