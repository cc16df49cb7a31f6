"""What an address offers, for config flows and `marengocam camera probe`."""

from marengocam.core.clock import SystemClock
from marengocam.media.stream import StreamInfo, StreamOptions, StreamReader


def probe(url: str, options: StreamOptions) -> StreamInfo:
    """Open a stream, wait for its first packet, and return what it carries; raises StreamError."""
    with StreamReader(url, options, SystemClock()) as reader:
        for _ in reader:
            break
        return reader.info
