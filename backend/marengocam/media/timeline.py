"""When each packet of a live stream was filmed, from its own clock and ours."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_JUMP_S = 5.0
MAX_AHEAD_S = 3.0  # of its arrival; only a first picture that came late makes others look as if they were
MAX_BACK_S = 2.0  # pictures that are shown in another order than sent step back less
SLEW_SHARE = 0.002  # of the difference, taken up per packet: follows a camera's drifting clock without steps
PIECE_S = 20.0  # of a stream that comes in pieces: how far behind a picture may be without a jump
MAX_JUMPS = 3
JUMPS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A packet's wall time; `jumped` when the stream's clock was set, so that a new chunk must begin."""

    at: datetime
    jumped: bool


class ClockTrust:
    """Whether a camera's clock is worth following: one that is set now and then is, one that always jumps is not."""

    def __init__(self) -> None:
        self._jumps_s: deque[float] = deque(maxlen=MAX_JUMPS)

    def is_lost(self, now_s: float) -> bool:
        """Note a jump; return whether it was one too many."""
        self._jumps_s.append(now_s)
        return len(self._jumps_s) == MAX_JUMPS and now_s - self._jumps_s[0] < JUMPS_WITHIN_S


class Timeline:
    """Maps a stream's seconds to wall time; the first packet is taken to be filmed when it arrived.

    With `newest`, a (stream time, wall time), that picture is. `in_pieces`: pictures come many at once, as HLS brings
    them; the last of a piece was filmed just before it came, the first long before.
    """

    def __init__(self, newest: tuple[float, datetime] | None = None, *, in_pieces: bool = False) -> None:
        self._anchor = newest
        self._last_s: float | None = None
        self._in_pieces = in_pieces
        self._max_off_s = 2 * MAX_JUMP_S + (PIECE_S if self._in_pieces else 0.0)

    def place(self, stream_s: float, arrived_at: datetime) -> Moment:
        """Return when the packet with stream time `stream_s` was filmed."""
        last_s = stream_s if self._last_s is None else self._last_s
        self._last_s = stream_s
        if self._anchor is None:
            self._anchor = (stream_s, arrived_at)
            return Moment(arrived_at, jumped=False)
        anchor_s, anchor_at = self._anchor
        at = anchor_at + timedelta(seconds=stream_s - anchor_s)
        off_s = (arrived_at - at).total_seconds()
        # Late packets of a slow network are no jump; a stream's clock far behind or ahead of ours is.
        stepped = not -MAX_BACK_S <= stream_s - last_s <= MAX_JUMP_S
        if stepped or not -MAX_AHEAD_S <= off_s <= self._max_off_s:
            self._anchor = (stream_s, arrived_at)
            return Moment(arrived_at, jumped=True)
        # To be behind is how pieces come; to be ahead of its arrival no picture can be.
        slew_s = 0.0 if self._in_pieces and off_s > 0 else off_s * SLEW_SHARE
        self._anchor = (anchor_s, anchor_at + timedelta(seconds=slew_s))
        return Moment(at, jumped=False)
