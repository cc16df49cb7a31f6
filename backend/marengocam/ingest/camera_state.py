"""How a camera is doing, as its threads tell it: state, reason, counters."""

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from marengocam.core.model import CameraState

OFFLINE_EVENT_AFTER = timedelta(seconds=10)  # a blip is no event


@dataclass(frozen=True, slots=True)
class Condition:
    """State and reason since a moment."""

    state: CameraState
    reason: str
    since: datetime


@dataclass(slots=True)
class Counters:
    """Figures of one camera since its worker started."""

    packets: int = 0
    bytes: int = 0
    chunks: int = 0
    frames_decoded: int = 0
    frames_skipped: int = 0
    frames_lost: int = 0
    frames_analysed: int = 0
    detector_s: float = 0.0
    reconnects: int = 0
    last_packet_at: datetime | None = None


@dataclass(slots=True)
class CameraHealth:
    """Shared by a camera's threads and the event loop."""

    condition: Condition
    counters: Counters = field(default_factory=Counters)
    recording_problem: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, state: CameraState, reason: str, at: datetime) -> None:
        """Change the state; the moment is kept while the state stays the same."""
        with self._lock:
            if self.condition.state is state:
                self.condition = replace(self.condition, reason=reason)
            else:
                self.condition = Condition(state, reason, at)

    def now(self) -> Condition:
        """Return the present condition, a recording problem included."""
        with self._lock:
            if self.condition.state is CameraState.ONLINE and self.recording_problem:
                return replace(self.condition, reason=self.recording_problem)
            return self.condition


@dataclass(slots=True)
class OnlineEvents:
    """Decides when a change of state is worth an event."""

    told_offline: bool = False

    def due(self, condition: Condition, trouble_since: datetime | None, now: datetime) -> CameraState | None:
        """Return OFFLINE once trouble has lasted, ONLINE once when it is over, else None."""
        if condition.state is CameraState.ONLINE:
            was_told, self.told_offline = self.told_offline, False
            return CameraState.ONLINE if was_told else None
        if self.told_offline or trouble_since is None or now - trouble_since < OFFLINE_EVENT_AFTER:
            return None
        self.told_offline = True
        return CameraState.OFFLINE
