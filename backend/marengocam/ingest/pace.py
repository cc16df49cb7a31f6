"""How often the detector looks.

At every frame when somebody comes or moves fast, at half of them while all is calm, hardly ever while nothing moves, or
only what always moves.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import hypot

from marengocam.core.geometry import Box
from marengocam.ingest.restlessness import Restlessness
from marengocam.ingest.stillness import Stillness
from marengocam.vision.motion import Motion
from marengocam.vision.tracker import TrackedObject

HOLD = timedelta(seconds=2)  # after the last movement the detector keeps looking
STILL_LOOK_EVERY = timedelta(seconds=10)  # people who stood still before we looked
LONGEST_STILL_LOOK_EVERY = timedelta(seconds=60)  # the longer nothing was there, the less a look would bring
STILL_FOLLOW_EVERY = timedelta(seconds=1)  # while all that is followed stands still
LONG_STILL = timedelta(seconds=15)
LONG_STILL_FOLLOW_EVERY = timedelta(seconds=3)  # who has stood for so long is in no hurry; movement wakes us at once
RESTLESS_LOOK_EVERY = timedelta(seconds=1)  # while only leaves move: somebody may come among them
NEW_FOR = timedelta(seconds=1)  # the first who comes is looked at in every frame
VAIN_AFTER = timedelta(seconds=5)  # something moves, and nothing was found for so long: leaves, rain, shadows
FAST = 0.4  # own heights from look to look: faster, every frame is needed to follow it


class Pace:
    """Decides for each frame of one camera whether the detector looks at it; `thorough` never skips while active."""

    def __init__(self, *, thorough: bool = False) -> None:
        self._thorough = thorough
        self._stillness = Stillness()
        self._restlessness = Restlessness()
        self._moving: tuple[Box, ...] = ()
        self._moved = True  # since the last look
        self._hold_until: datetime | None = None
        self._empty_since: datetime | None = None  # nothing has moved, and nothing was found
        self._looked_at: datetime | None = None
        self._found_at: datetime | None = None
        self._boxes: dict[int, Box] = {}
        self._first_at: dict[int, datetime] = {}
        self._calm = False
        self._skipped = False
        self.reason = ""  # why the detector looks at the frame of now, or not

    def due(self, motion: Motion, at: datetime) -> bool:
        """Return whether the detector should look at the frame of this moment."""
        self._note_motion(motion, at)
        idle = self._idle(at)
        if not (idle and self._stillness.empty) or motion.moving or self._empty_since is None:
            self._empty_since = at
        if idle:
            return self._glance_due(motion, at)
        self.reason = "something moves or is followed"
        if self._thorough:
            return True
        if not self._boxes and not self._moved:
            self.reason = "the picture is as it was when nothing was found in it"
            return False
        vain = not self._boxes and self._found_at is not None and at - self._found_at > VAIN_AFTER
        self._skipped = (self._calm or vain) and not self._skipped
        if self._skipped:
            self.reason = "every second frame is enough: " + ("nothing is found" if vain else "all is calm")
        return not self._skipped

    def _note_motion(self, motion: Motion, at: datetime) -> None:
        self._moving = motion.boxes
        self._stillness.note_motion(motion.boxes, at)
        if not motion.moving:
            return
        self._moved = True
        if self._thorough or not self._restlessness.familiar(motion.boxes):
            if self._hold_until is None or at > self._hold_until:
                self._found_at = at  # patience begins anew with each unrest
            self._hold_until = at + HOLD

    def update(self, objects: Sequence[TrackedObject], at: datetime) -> None:
        """Take in what is followed after a look."""
        self._looked_at, self._moved = at, False
        self._stillness.update(objects, at)
        self._restlessness.update(self._moving, self._stillness.moving(at), at)
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

    def _glance_due(self, motion: Motion, at: datetime) -> bool:
        assert self._looked_at is not None
        if motion.moving:
            every, why = RESTLESS_LOOK_EVERY, "only what always moves there moves"
        elif self._stillness.empty:
            every, why = self._still_look_every(at), "nothing moves"
        elif self._stillness.lasts(at, LONG_STILL):
            every, why = LONG_STILL_FOLLOW_EVERY, "all that is followed has stood still for long"
        else:
            every, why = STILL_FOLLOW_EVERY, "all that is followed stands still"
        self.reason = f"{why}: one look in {every.total_seconds():.0f} s"
        return abs(at - self._looked_at) >= every

    def _still_look_every(self, at: datetime) -> timedelta:
        """Return half the time for which nothing has been there, within limits."""
        assert self._empty_since is not None
        return min(LONGEST_STILL_LOOK_EVERY, max(STILL_LOOK_EVERY, (at - self._empty_since) / 2))


def _is_slow(before: Box, now: Box) -> bool:
    (x, y), (there_x, there_y) = before.centre, now.centre
    return hypot(there_x - x, there_y - y) <= FAST * now.height
