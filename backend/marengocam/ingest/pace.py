"""How often the detector looks.

At every frame when somebody comes or moves fast, at half of them while all is calm, hardly ever while nothing moves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import hypot

from marengocam.core.geometry import Box
from marengocam.ingest.stillness import Stillness
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import TrackedObject

HOLD = timedelta(seconds=2)  # after the last movement the detector keeps looking
STILL_LOOK_EVERY = timedelta(seconds=10)  # people who stood still before we looked
STILL_FOLLOW_EVERY = timedelta(seconds=1)  # while all that is followed stands still; below the tracker's patience
NEW_FOR = timedelta(seconds=1)  # the first who comes is looked at in every frame
VAIN_AFTER = timedelta(seconds=5)  # something moves, and nothing was found for so long: leaves, rain, shadows
FAST = 0.4  # own heights from look to look: faster, every frame is needed to follow it


class Pace:
    """Decides for each frame of one camera whether the detector looks at it; `thorough` never skips while active."""

    def __init__(self, *, thorough: bool = False) -> None:
        self._thorough = thorough
        self._stillness = Stillness()
        self._hold_until: datetime | None = None
        self._looked_at: datetime | None = None
        self._found_at: datetime | None = None
        self._boxes: dict[int, Box] = {}
        self._first_at: dict[int, datetime] = {}
        self._calm = False
        self._skipped = False

    def due(self, motion: Motion, at: datetime) -> bool:
        """Return whether the detector should look at the frame of this moment."""
        if motion.moving:
            if self._hold_until is None or at > self._hold_until:
                self._found_at = at  # patience begins anew with each unrest
            self._hold_until = at + HOLD
        if self._idle(at):
            return self._glance_due(at)
        vain = not self._boxes and self._found_at is not None and at - self._found_at > VAIN_AFTER
        self._skipped = (self._calm or vain) and not self._thorough and not self._skipped
        return not self._skipped

    def update(self, objects: Sequence[TrackedObject], at: datetime) -> None:
        """Take in what is followed after a look."""
        self._looked_at = at
        self._stillness.update(objects, at)
        self._first_at = {one.track_id: self._first_at.get(one.track_id, at) for one in objects}
        seen = [one for one in objects if one.confirmed and not one.lost]
        known = any(at - self._first_at[one.track_id] >= NEW_FOR for one in seen)
        slow = all(_is_slow(self._boxes[one.track_id], one.box) for one in seen if one.track_id in self._boxes)
        self._calm = known and slow
        self._boxes = {one.track_id: one.box for one in objects}
        if objects:
            self._found_at = at

    def _idle(self, at: datetime) -> bool:
        moves = self._hold_until is not None and at <= self._hold_until
        return not moves and self._looked_at is not None and self._stillness.holds(at)

    def _glance_due(self, at: datetime) -> bool:
        assert self._looked_at is not None
        every = STILL_LOOK_EVERY if self._stillness.empty else STILL_FOLLOW_EVERY
        return abs(at - self._looked_at) >= every


def _is_slow(before: Box, now: Box) -> bool:
    (x, y), (there_x, there_y) = before.centre, now.centre
    return hypot(there_x - x, there_y - y) <= FAST * now.height
