"""RTP's times: stamps that wrap, a second clock for the sound, and the order of decoding."""

import bisect

WRAP = 1 << 32
HALF = 1 << 31
SOUND_OFF_LIMIT_S = 5.0  # a camera's reports that put sound and picture further apart are not believed
MAX_DELAY = 16  # pictures: no codec reorders more


class StampClock:
    """Counts a track's ticks since its first stamp, over wraps, forwards and backwards."""

    def __init__(self, clock_hz: int) -> None:
        self.clock_hz = clock_hz
        self.first: int | None = None
        self._last = self._ticks = 0

    def ticks(self, stamp: int) -> int:
        """Return the ticks since the first stamp."""
        if self.first is None:
            self.first = self._last = stamp
        step = (stamp - self._last) % WRAP
        self._ticks += step - WRAP if step >= HALF else step
        self._last = stamp
        return self._ticks

    def seconds_of(self, stamp: int) -> float | None:
        """Return where a stamp near the last one is, None before the first; counts nothing."""
        if self.first is None:
            return None
        step = (stamp - self._last) % WRAP
        return (self._ticks + (step - WRAP if step >= HALF else step)) / self.clock_hz


class SoundOffset:
    """Where sound's ticks begin on the picture's clock: by arrival, until both tracks' sender reports tell better."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._by_arrival_s = 0.0
        self._picture: tuple[float, float] | None = None  # a report's wall time, and where it is in the stream

    def begins(self, stream_s: float) -> None:
        """Note where the picture was when the first sound came."""
        if self._offset_s is None:
            self._offset_s = self._by_arrival_s = stream_s

    @property
    def offset_s(self) -> float:
        """What is added to the sound's own seconds."""
        return self._offset_s or 0.0

    def picture_report(self, wall_s: float, stream_s: float) -> None:
        """Take in a report on the picture."""
        self._picture = (wall_s, stream_s)

    def sound_report(self, wall_s: float, own_s: float) -> None:
        """Take in a report on the sound, whose own clock was at `own_s`."""
        if self._picture is None or self._offset_s is None:
            return
        offset_s = self._picture[1] + (wall_s - self._picture[0]) - own_s
        if abs(offset_s - self._by_arrival_s) <= SOUND_OFF_LIMIT_S:
            self._offset_s = offset_s


class DecodeOrder:
    """Decode times of pictures that tell when they are shown: with B-frames that is another order.

    A picture is decoded when the earliest of the last `delay` + 1 is shown, `delay` being how many are reordered: told
    by the stream, or learned from a picture that would be decoded after it is shown.
    """

    def __init__(self, delay: int, step: int, limit: int) -> None:
        self._delay = delay
        self._step = step  # ticks between pictures, until the stream has shown its own
        self._limit = limit  # ticks: a larger step begins anew
        self._shown: list[int] = []
        self._last: int | None = None

    def decoded(self, shown: int) -> int:
        """Return when a picture that is shown then is decoded, in ticks."""
        if self._last is not None and abs(shown - self._last) > self._limit:
            self._shown = []
        early = self._shown and shown < self._shown[0] and len(self._shown) > self._delay
        self._last = shown
        if self._delay == 0 and not early:
            self._shown = [shown]
            return shown
        if early and self._delay < MAX_DELAY:
            self._delay += 1
        bisect.insort(self._shown, shown)
        missing = self._delay + 1 - len(self._shown)
        if missing > 0:
            return self._shown[0] - missing * self._step
        del self._shown[: -(self._delay + 1)]
        return self._shown[0]
