"""Access units into RTP packets: RFC 6184 (H.264) and RFC 7798 (H.265), single NAL units and fragmentation units."""

import struct
from collections.abc import Iterator

from marengocam.demo.rtsp.clip import H264, AccessUnit

CLOCK_HZ = 90_000
PAYLOAD_TYPE = 96
MAX_PAYLOAD_BYTES = 1400
_H264_FU_A, _H265_FU = 28, 49


class Packetizer:
    """Numbers the packets of one client's stream."""

    def __init__(self, codec: str, source: int) -> None:
        self._codec = codec
        self._source = source
        self._sequence = 0

    def packets(self, unit: AccessUnit, at_s: float) -> Iterator[bytes]:
        """Yield the packets of a picture shown at `at_s` of the stream's clock."""
        stamp = round(at_s * CLOCK_HZ) & 0xFFFFFFFF
        payloads = [payload for nal in unit.nal_units for payload in self._payloads(nal)]
        for number, payload in enumerate(payloads, start=1):
            yield self._header(stamp, last=number == len(payloads)) + payload

    def _header(self, stamp: int, *, last: bool) -> bytes:
        header = struct.pack(">BBHII", 0x80, (0x80 if last else 0) | PAYLOAD_TYPE, self._sequence, stamp, self._source)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return header

    def _payloads(self, nal: bytes) -> Iterator[bytes]:
        if len(nal) <= MAX_PAYLOAD_BYTES:
            yield nal
            return
        if self._codec == H264:
            indicator, kind, body = bytes([(nal[0] & 0xE0) | _H264_FU_A]), nal[0] & 0x1F, nal[1:]
        else:
            first = (nal[0] & 0x81) | (_H265_FU << 1)
            indicator, kind, body = bytes([first, nal[1]]), (nal[0] >> 1) & 0x3F, nal[2:]
        step = MAX_PAYLOAD_BYTES - len(indicator) - 1
        for start in range(0, len(body), step):
            begins, ends = start == 0, start + step >= len(body)
            yield (
                indicator + bytes([(0x80 if begins else 0) | (0x40 if ends else 0) | kind]) + body[start : start + step]
            )
