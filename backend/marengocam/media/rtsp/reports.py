"""RTCP: what a camera reports on its streams (RFC 3550, 6)."""

import struct
from collections.abc import Iterator

HEADER_BYTES, WORD_BYTES = 4, 4
SENDER_REPORT, GOODBYE = 200, 203
SENDER_REPORT_BYTES = 20  # up to the stamp, with its header
SOURCES_MASK = 0x1F  # of the first byte: how many sources a goodbye names
SECONDS_OF_FRACTION = 1 / (1 << 32)


def sender_report(content: memoryview) -> tuple[float, int] | None:
    """Return the wall time in seconds and the stamp of a sender report (6.4.1), None where there is none."""
    for part in _parts(content):
        if part[1] == SENDER_REPORT and len(part) >= SENDER_REPORT_BYTES:
            seconds, fraction, stamp = struct.unpack_from(">III", part, 8)
            return seconds + fraction * SECONDS_OF_FRACTION, stamp
    return None


def ends(content: memoryview, source: int) -> bool:
    """Return whether a source says goodbye (6.6)."""
    for part in _parts(content):
        if part[1] == GOODBYE:
            named = min(part[0] & SOURCES_MASK, len(part) // WORD_BYTES - 1)
            if source in struct.unpack_from(f">{named}I", part, HEADER_BYTES):
                return True
    return False


def _parts(content: memoryview) -> Iterator[memoryview]:
    """Yield the reports that came together (6.1); the last may be shorter than it says."""
    while len(content) >= HEADER_BYTES:
        length = (int.from_bytes(content[2:4], "big") + 1) * WORD_BYTES
        yield content[:length]
        content = content[length:]
