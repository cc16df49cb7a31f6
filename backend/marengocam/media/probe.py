"""What an address offers, for config flows and `marengocam camera probe`."""

from marengocam.core.clock import SystemClock
from marengocam.media.faults import Fault, StreamError
from marengocam.media.stream import StreamInfo, StreamOptions, StreamReader

SIZE_LIMIT_S = 5.0  # pictures come for so long, and none that tells their size


def probe(url: str, options: StreamOptions) -> StreamInfo:
    """Open a stream, wait for its first packet and its size, and return what it carries; raises StreamError."""
    clock = SystemClock()
    with StreamReader(url, options, clock) as reader:
        began_s = clock.monotonic_s()
        for _ in reader:
            if reader.info.width_px > 0:
                break
            if clock.monotonic_s() - began_s > SIZE_LIMIT_S:
                raise StreamError(Fault.NO_KEYFRAME)
        return reader.info
