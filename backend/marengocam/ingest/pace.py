"""How often the detector looks.

At everything that starts or moves fast, at half the frames while all is calm, hardly ever while nothing moves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from marengocam.core.geometry import Box
from marengocam.ingest.stillness import Stillness
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import TrackedObject

HOLD = timedelta(seconds=2)  # after the last movement the detector keeps looking
STILL_LOOK_EVERY = timedelta(seconds=10)  # people who stood still before we looked
STILL_FOLLOW_EVERY = timedelta(seconds=1)  # while all that is followed stands still; below the tracker's patience
NEW_FOR = timedelta(seconds=1)  # what has just come is looked at in every frame
VAIN_AFTER = timedelta(seconds=5)  # something moves, and nothing was found for so long: leaves, rain, shadows
CALM_IOU = 0.5  # from look to look; below, something moves fast


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
        settled = all(one.confirmed and not one.lost for one in objects)
        known = all(at - first_at >= NEW_FOR for first_at in self._first_at.values())
        slow = all(
            one.track_id in self._boxes and self._boxes[one.track_id].iou(one.box) >= CALM_IOU for one in objects
        )
        self._calm = bool(objects) and settled and known and slow
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
