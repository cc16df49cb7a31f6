"""When each packet of a live stream was filmed, from its own clock and ours."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_JUMP_S = 5.0
MAX_BACK_S = 2.0  # pictures that are shown in another order than sent step back less
SLEW_SHARE = 0.002  # of the difference, taken up per packet: follows a camera's drifting clock without steps


@dataclass(frozen=True, slots=True)
class Moment:
    """A packet's wall time; `jumped` when the stream's clock was set, so that a new chunk must begin."""

    at: datetime
    jumped: bool


class Timeline:
    """Maps a stream's seconds to wall time; the first packet is taken to be filmed when it arrived."""

    def __init__(self) -> None:
        self._anchor: tuple[float, datetime] | None = None
        self._last_s = 0.0

    def place(self, stream_s: float, arrived_at: datetime) -> Moment:
        """Return when the packet with stream time `stream_s` was filmed."""
        if self._anchor is None:
            self._anchor, self._last_s = (stream_s, arrived_at), stream_s
            return Moment(arrived_at, jumped=False)
        anchor_s, anchor_at = self._anchor
        at = anchor_at + timedelta(seconds=stream_s - anchor_s)
        off_s = (arrived_at - at).total_seconds()
        # Late packets of a slow network are no jump; a stream's clock far behind or ahead of ours is.
        stepped = not -MAX_BACK_S <= stream_s - self._last_s <= MAX_JUMP_S
        self._last_s = stream_s
        if stepped or abs(off_s) > 2 * MAX_JUMP_S:
            self._anchor = (stream_s, arrived_at)
            return Moment(arrived_at, jumped=True)
        self._anchor = (anchor_s, anchor_at + timedelta(seconds=off_s * SLEW_SHARE))
        return Moment(at, jumped=False)
