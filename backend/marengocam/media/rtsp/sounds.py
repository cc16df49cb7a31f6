"""RTP payloads into sound: AAC as RFC 3640 carries it ("AAC-hbr"), PCM as it is."""

from dataclasses import dataclass
from typing import Protocol

from marengocam.media.rtsp.description import AAC, PCM, Track

SAMPLES_AN_AAC_UNIT = 1024
MAX_UNIT_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of sound; `stamp` and `duration` are in the track's clock."""

    content: bytes
    stamp: int
    duration: int


class SoundBuilder(Protocol):
    """Puts a track's packets together."""

    def take(self, stamp: int, payload: memoryview, *, marker: bool) -> list[Sound]:
        """Add a packet's payload; return the pieces that are whole now."""


class PcmBuilder:
    """Samples, as many as there are in a packet."""

    def __init__(self, sample_bytes: int) -> None:
        self._sample_bytes = sample_bytes  # of all channels

    def take(self, stamp: int, payload: memoryview, *, marker: bool) -> list[Sound]:  # noqa: ARG002 - as all builders
        """Return the packet's samples."""
        return [Sound(bytes(payload), stamp, len(payload) // self._sample_bytes)] if payload else []


class AacBuilder:
    """AAC: a packet holds several units, or a piece of one."""

    def __init__(self) -> None:
        self._piece = b""
        self._piece_stamp: int | None = None

    def take(self, stamp: int, payload: memoryview, *, marker: bool) -> list[Sound]:
        """Return the units of a packet; a unit in pieces comes with its last one."""
        headers_bytes = ((payload[0] << 8 | payload[1]) + 7) // 8 if len(payload) > 2 else 0
        sizes = [
            (payload[at] << 8 | payload[at + 1]) >> 3 for at in range(2, min(2 + headers_bytes, len(payload) - 1), 2)
        ]
        content = payload[2 + headers_bytes :]
        if len(sizes) == 1 and sizes[0] > len(content):
            return self._join(stamp, content, sizes[0], marker=marker)
        self._piece, self._piece_stamp = b"", None
        units, at = [], 0
        for number, size in enumerate(sizes):
            if 0 < size <= len(content) - at:
                begins = stamp + number * SAMPLES_AN_AAC_UNIT
                units.append(Sound(bytes(content[at : at + size]), begins, SAMPLES_AN_AAC_UNIT))
            at += size
        return units

    def _join(self, stamp: int, content: memoryview, size: int, *, marker: bool) -> list[Sound]:
        if stamp != self._piece_stamp:
            self._piece, self._piece_stamp = b"", stamp
        self._piece += bytes(content)
        if not marker and len(self._piece) < size:
            return []
        whole, self._piece = self._piece, b""
        return [Sound(whole, stamp, SAMPLES_AN_AAC_UNIT)] if len(whole) == size else []


def sound_builder(track: Track) -> SoundBuilder:
    """Return what puts this track together."""
    return AacBuilder() if track.encoding == AAC else PcmBuilder(PCM[track.encoding] * track.channels)
