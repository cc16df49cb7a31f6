"""RTP payloads into pictures in Annex B form: RFC 6184 (H.264) and RFC 7798 (H.265)."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from marengocam.media.faults import Fault, StreamError

START_CODE = b"\x00\x00\x00\x01"
MAX_PICTURE_BYTES = 16 * 1024 * 1024
_FU_BEGINS = 0x80
_FIRST_SLICE = 0x80  # a slice header's first bit: of H.264 "begins at macroblock 0", of H.265 "first of its picture"
_RECOVERY_POINT = 6  # a kind of supplemental information: decoding can begin here though it is no IDR picture


@dataclass(frozen=True, slots=True)
class Picture:
    """One compressed picture; `stamp` is RTP's, in the track's clock."""

    content: bytes
    stamp: int
    keyframe: bool
    has_parameters: bool


class PictureBuilder(ABC):
    """Puts a track's packets together.

    A picture ends with its marker, so that nobody waits for the next one; a camera that sets markers within pictures
    is found out, and from then on the next picture's time ends the one before. Pieces whose beginning is missing are
    left out: the decoder conceals them.
    """

    parameter_kinds: ClassVar[frozenset[int]]
    key_kinds: ClassVar[frozenset[int]]
    header_bytes: ClassVar[int]

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size_bytes = 0
        self._stamp: int | None = None
        self._shows = False  # a part of the picture itself is among the parts
        self._key = self._parameters = False
        self._in_piece = False  # the unit that comes in pieces has begun
        self._ended_stamp: int | None = None  # of the picture that a marker ended
        self._trusts_marker = True

    def take(self, stamp: int, payload: memoryview, *, marker: bool) -> list[Picture]:
        """Add a packet's payload; return the pictures that are whole now; raises StreamError at one without an end."""
        done: list[Picture] = []
        if stamp != self._stamp:
            if self._shows:
                done.append(self._finish())
            self._stamp = stamp
        self._add(payload)
        if self._size_bytes > MAX_PICTURE_BYTES:
            raise StreamError(Fault.TOO_LARGE)
        if marker and self._shows and self._trusts_marker:
            self._ended_stamp = stamp
            done.append(self._finish())
        return done

    def _finish(self) -> Picture:
        picture = Picture(b"".join(self._parts), self._stamp or 0, self._key, self._parameters)
        self._parts, self._size_bytes = [], 0
        self._shows = self._key = self._parameters = self._in_piece = False
        return picture

    @abstractmethod
    def _add(self, payload: memoryview) -> None:
        """Take a payload apart into units."""

    def _whole(self, unit: memoryview) -> None:
        if len(unit) > self.header_bytes:
            self._begin(unit[0], unit, unit[self.header_bytes])
            self._in_piece = False

    @abstractmethod
    def _kind(self, first_byte: int) -> int:
        """Return the kind of a unit by its first byte."""

    @abstractmethod
    def _is_picture(self, kind: int) -> bool:
        """Whether a unit of this kind is a part of the picture itself."""

    def _begin(self, first_byte: int, begin: memoryview | bytes, slice_byte: int) -> None:
        """Add a unit's beginning; `slice_byte` is the first one behind its header."""
        kind = self._kind(first_byte)
        if self._is_picture(kind):
            if not slice_byte & _FIRST_SLICE and not self._shows and self._stamp == self._ended_stamp:
                self._trusts_marker = False
            self._shows = True
            self._key = self._key or kind in self.key_kinds
        elif kind in self.parameter_kinds:
            self._parameters = True
        self._parts += (START_CODE, bytes(begin))
        self._size_bytes += len(begin)

    def _piece(self, content: memoryview) -> None:
        if self._in_piece:
            self._parts.append(bytes(content))
            self._size_bytes += len(content)

    def _several(self, payload: memoryview) -> None:
        """Add units that came in one packet, each behind its size in two bytes."""
        at = 0
        while at + 2 < len(payload):
            size = payload[at] << 8 | payload[at + 1]
            self._whole(payload[at + 2 : at + 2 + size])
            at += 2 + size


class H264Builder(PictureBuilder):
    """H.264."""

    parameter_kinds = frozenset({7})
    key_kinds = frozenset({5})
    header_bytes = 1
    _SEI, _STAP_A, _FU_A = 6, 24, 28

    def _kind(self, first_byte: int) -> int:
        return first_byte & 0x1F

    def _is_picture(self, kind: int) -> bool:
        return 1 <= kind <= 5

    def _add(self, payload: memoryview) -> None:
        if len(payload) < 3:
            return
        kind = payload[0] & 0x1F
        if kind == self._FU_A:
            begins = payload[1] & _FU_BEGINS
            if begins:
                first = payload[0] & 0xE0 | payload[1] & 0x1F
                self._begin(first, bytes((first,)), payload[2])
                self._in_piece = True
            self._piece(payload[2:])
        elif kind == self._STAP_A:
            self._several(payload[1:])
        elif 1 <= kind < self._STAP_A:
            self._whole(payload)

    def _whole(self, unit: memoryview) -> None:
        super()._whole(unit)
        if unit and self._kind(unit[0]) == self._SEI and _RECOVERY_POINT in _messages(unit[1:]):
            self._key = True


class HevcBuilder(PictureBuilder):
    """H.265."""

    parameter_kinds = frozenset({32, 33})
    key_kinds = frozenset(range(16, 22))
    header_bytes = 2
    _AP, _FU = 48, 49

    def _kind(self, first_byte: int) -> int:
        return (first_byte >> 1) & 0x3F

    def _is_picture(self, kind: int) -> bool:
        return kind < 32

    def _add(self, payload: memoryview) -> None:
        if len(payload) < 4:
            return
        kind = (payload[0] >> 1) & 0x3F
        if kind == self._FU:
            if payload[2] & _FU_BEGINS:
                first = payload[0] & 0x81 | (payload[2] & 0x3F) << 1
                self._begin(first, bytes((first, payload[1])), payload[3])
                self._in_piece = True
            self._piece(payload[3:])
        elif kind == self._AP:
            self._several(payload[2:])
        elif kind < self._AP:
            self._whole(payload)


def _messages(information: memoryview) -> Iterator[int]:
    """Yield the kinds of a unit of supplemental information (H.264, 7.3.2.3.1)."""
    at = 0
    while at + 2 < len(information):
        told = [0, 0]  # kind and size, each in bytes that are added up as long as they are 255
        for number in range(2):
            while at < len(information):
                told[number] += information[at]
                at += 1
                if information[at - 1] != 0xFF:
                    break
        yield told[0]
        at += told[1]


BUILDERS: dict[str, type[PictureBuilder]] = {"h264": H264Builder, "hevc": HevcBuilder}
