"""Whether everything that is followed stands still, so that a parked car does not keep the detector running."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.vision.tracker import TrackedObject

STILL_AFTER = timedelta(seconds=5)
SAME_PLACE_IOU = 0.8


class Stillness:
    """Remembers since when each object has been where it is."""

    def __init__(self) -> None:
        self._since: dict[int, tuple[Box, datetime]] = {}
        self._settled = True

    def update(self, objects: Sequence[TrackedObject], at: datetime) -> None:
        """Take in what the tracker follows now."""
        since = {}
        for item in objects:
            before = self._since.get(item.track_id)
            stays = before is not None and before[0].iou(item.box) >= SAME_PLACE_IOU
            since[item.track_id] = before if before is not None and stays else (item.box, at)
        self._since = since
        self._settled = all(item.confirmed and not item.lost for item in objects)

    def holds(self, at: datetime) -> bool:
        """Return whether all that is followed has been seen in its place for a while; True when nothing is."""
        return self._settled and all(at - moment >= STILL_AFTER for _, moment in self._since.values())

    @property
    def empty(self) -> bool:
        """Whether nothing is followed."""
        return not self._since
