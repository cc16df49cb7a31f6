"""What a live stream gives at once when it is opened: pictures that came while its codec was found out, a piece of HLS.

Its last picture was filmed just now; its first ones may have no times, or wrong ones, since FFmpeg knew too little yet.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from marengocam.media.faults import StreamError
from marengocam.media.source import taken

PAUSE_S = 0.005  # a packet that takes longer was not there yet
PAUSE_IN_PIECES_S = 0.25
MAX_PACKETS = 3000
ORDER_S = 1.0  # pictures that are shown in another order than sent differ less
Timed = tuple[Any, float | None]  # a packet, and its time in seconds of the stream


def first_piece(
    packets: Iterator[Timed], now: Callable[[], datetime], *, pause_s: float, step_s: float
) -> tuple[Iterator[Timed], tuple[float, datetime] | None]:
    """Read what is there at once; return all packets, these again included, and the newest's stream and wall time."""
    held: list[Timed] = []
    following: list[Timed] = []
    arrived_at = now()
    try:
        for packet in packets:
            before_at, arrived_at = arrived_at, now()
            if held and (arrived_at - before_at).total_seconds() > pause_s:
                following, arrived_at = [packet], before_at
                break
            held.append(packet)
            if len(held) >= MAX_PACKETS:
                break
    except StreamError as error:
        packets = _ending(error)  # what came before the trouble is handed over first
    pictures = [*_with_times([one for one in [*held, *following] if one[0].stream.type == "video"], step_s)]
    timed = {id(packet): at_s for packet, at_s in pictures}
    again = deque((packet, timed.get(id(packet), at_s)) for packet, at_s in [*held, *following])
    there = [at_s for packet, _ in held if (at_s := timed.get(id(packet))) is not None]
    return itertools.chain(taken(again), packets), (max(there), arrived_at) if there else None


def _ending(error: StreamError) -> Iterator[Timed]:
    yield from ()
    raise error


def _with_times(pictures: list[Timed], step_s: float) -> Iterator[Timed]:
    """Give each picture without a believable time one before that of its successor."""
    next_s: float | None = None
    for packet, told_s in reversed(pictures):
        at_s = told_s
        if next_s is not None and (at_s is None or at_s > next_s + ORDER_S):
            at_s = next_s - step_s
            packet.pts = packet.dts = round(at_s / packet.time_base)
        next_s = at_s if at_s is not None else next_s
        yield packet, at_s
