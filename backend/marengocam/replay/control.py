"""How fast a run goes, whether it waits, and when it ends: asked before every frame, never changing what is seen."""

import threading
from datetime import datetime

from marengocam.core.clock import Clock
from marengocam.core.errors import MarengoCamError

FAST, REAL_TIME, STEP = "fast", "real_time", "step"
PACES = (FAST, REAL_TIME, STEP)
WAKE_S = 0.2  # a run that waits looks so often whether it may go on


class CancelledRunError(MarengoCamError):
    """The replay was cancelled."""


class Control:
    """Shared by the thread that analyses and the loop that hears from owner and live cameras."""

    def __init__(self, clock: Clock, pace: str = FAST) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._pace = pace
        self._paused = False
        self._cancelled = False
        self._yielding = ""  # to live cameras: why
        self._steps = 0
        self._stepped = 0
        self._started: tuple[datetime, float] | None = None  # media time and the clock's, for real time
        self.at: datetime | None = None

    @property
    def waits_for(self) -> str:
        """What the run waits for, empty while it goes on."""
        if self._paused:
            return "its owner: it is paused"
        if self._yielding:
            return self._yielding
        return "its owner: the next step" if self._pace == STEP and self._stepped >= self._steps else ""

    def steer(self, *, paused: bool, cancelled: bool, pace: str, steps: int) -> None:
        """Take in what the owner wants."""
        with self._changed:
            if pace != self._pace or paused != self._paused:
                self._started = None  # real time goes on from where it is
            self._paused, self._cancelled, self._pace, self._steps = paused, cancelled, pace, steps
            self._changed.notify_all()

    def other_video(self) -> None:
        """Count real time anew: what follows is of another time."""
        with self._changed:
            self._started = None

    def cancel(self) -> None:
        """End the run at its next frame."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def make_way(self, why: str) -> None:
        """Wait for live cameras until called with an empty text."""
        with self._changed:
            if why != self._yielding:
                self._started = None
            self._yielding = why
            self._changed.notify_all()

    def before(self, at: datetime) -> None:
        """Return when the frame of this moment may be looked at; raises CancelledRunError."""
        with self._changed:
            self.at = at
            while not self._cancelled and (self._held() or not self._due(at)):
                self._changed.wait(WAKE_S)
            if self._cancelled:
                raise CancelledRunError("The replay was cancelled.")
            self._stepped += 1

    def _held(self) -> bool:
        return self._paused or bool(self._yielding) or (self._pace == STEP and self._stepped >= self._steps)

    def _due(self, at: datetime) -> bool:
        if self._pace != REAL_TIME:
            return True
        now_s = self._clock.monotonic_s()
        if self._started is None:
            self._started = (at, now_s)
        began_at, began_s = self._started
        return (at - began_at).total_seconds() <= now_s - began_s
