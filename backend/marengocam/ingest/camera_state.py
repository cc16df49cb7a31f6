"""How a camera is doing, as its threads tell it: state, reason, counters."""

import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from marengocam.core.model import CameraState
from marengocam.media.faults import SENTENCES, Fault

OFFLINE_AFTER = timedelta(seconds=10)  # a shorter interruption is a blip: `connecting`, and no event


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
    frames_received: int = 0  # of the stream that is analysed: all of them are decoded, skipped, undecoded or lost
    frames_decoded: int = 0
    frames_undecoded: int = 0  # given to the decoder, which made no picture of them
    packets_skipped: int = 0  # not decoded, by choice
    frames_skipped: int = 0  # decoded and not looked at, by choice
    frames_lost: int = 0
    frames_analysed: int = 0
    detector_s: float = 0.0
    reconnects: int = 0
    analysis_lag_s: float = 0.0  # of the last packet: from when it came until it was decoded
    shed_level: int = 0
    decoders_lost: int = 0  # times an isolated decoder broke
    last_packet_at: datetime | None = None


@dataclass(slots=True)
class CameraHealth:
    """Shared by a camera's threads and the event loop."""

    condition: Condition  # CONNECTING or ONLINE; lasting trouble is told as OFFLINE by `now`
    counters: Counters = field(default_factory=Counters)
    recording: bool = False  # packets go to the disk now
    writing_since_s: float | None = None  # a write to the disk that is under way, by the monotonic clock
    recording_problem: str = ""
    stream_problem: str = ""  # of the second stream
    analysis_problem: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def flowing(self, at: datetime) -> None:
        """Note that pictures of the recorded stream come."""
        with self._lock:
            if self.condition.state is not CameraState.ONLINE:
                self.condition = Condition(CameraState.ONLINE, "", at)

    def trouble(self, reason: str, at: datetime) -> None:
        """Note that the recorded stream failed; the trouble lasts since the last picture."""
        with self._lock:
            if self.condition.state is CameraState.ONLINE:
                self.condition = Condition(CameraState.CONNECTING, reason, self.counters.last_packet_at or at)
            else:
                self.condition = replace(self.condition, reason=reason)

    def now(self, at: datetime) -> Condition:
        """Return the condition at a moment: trouble that lasts is OFFLINE, and every lack has its reason."""
        with self._lock:
            if self.condition.since > at:  # our clock was set back
                self.condition = replace(self.condition, since=at)
            condition = self.condition
        if condition.state is CameraState.ONLINE:
            return replace(condition, reason=self.recording_problem or self.stream_problem or self.analysis_problem)
        if at - condition.since >= OFFLINE_AFTER:
            return Condition(CameraState.OFFLINE, condition.reason or SENTENCES[Fault.STALLED], condition.since)
        return condition


@dataclass(slots=True)
class OnlineEvents:
    """Decides when a change of state is worth an event."""

    told_offline: bool = False

    def due(self, state: CameraState) -> CameraState | None:
        """Return OFFLINE once when a camera is found offline, ONLINE once when that is over, else None."""
        if state is CameraState.OFFLINE and not self.told_offline:
            return CameraState.OFFLINE
        if state is CameraState.ONLINE and self.told_offline:
            return CameraState.ONLINE
        return None

    def told(self, state: CameraState) -> None:
        """Note that the event is written."""
        self.told_offline = state is CameraState.OFFLINE
