"""A video file as access units ready to be sent: NAL units, times, parameter sets."""

import base64
from dataclasses import dataclass
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

from marengocam.core.errors import BadInputError

H264, H265 = "h264", "hevc"
_FILTERS = {H264: "h264_mp4toannexb", H265: "hevc_mp4toannexb"}
_H264_SPS, _H264_PPS = 7, 8
_H265_VPS, _H265_SPS, _H265_PPS = 32, 33, 34


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One picture: when it is sent and shown, in seconds from the start of the file, and its NAL units."""

    send_s: float
    show_s: float
    keyframe: bool
    nal_units: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Clip:
    """A whole file in memory."""

    codec: str
    units: tuple[AccessUnit, ...]
    duration_s: float

    @property
    def sdp_media(self) -> str:
        """The lines of the session description that tell the codec."""
        if self.codec == H264:
            sps, pps = self._parameter_set(_H264_SPS), self._parameter_set(_H264_PPS)
            sets = f"{_text(sps)},{_text(pps)}"
            return f"a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
        names = (("vps", _H265_VPS), ("sps", _H265_SPS), ("pps", _H265_PPS))
        sets = ";".join(f"sprop-{name}={_text(self._parameter_set(kind))}" for name, kind in names)
        return f"a=rtpmap:96 H265/90000\r\na=fmtp:96 {sets}\r\n"

    def _parameter_set(self, kind: int) -> bytes:
        for unit in self.units:
            for nal in unit.nal_units:
                if nal_kind(self.codec, nal) == kind:
                    return nal
        return b""


def nal_kind(codec: str, nal: bytes) -> int:
    """Return a NAL unit's type."""
    return nal[0] & 0x1F if codec == H264 else (nal[0] >> 1) & 0x3F


def load_clip(file: Path) -> Clip:
    """Read a file's video; raises BadInputError when it is not H.264 or H.265."""
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise BadInputError(f"{file.name} has no video.")
            stream = container.streams.video[0]
            codec = stream.codec_context.name
            if codec not in _FILTERS:
                raise BadInputError(f"{file.name} is {codec}: the server sends H.264 and H.265 only.")
            units = _units(container, stream, codec)
    except av.FFmpegError as error:
        raise BadInputError(f"{file.name} cannot be read as video: {error.strerror}.") from None
    if not units:
        raise BadInputError(f"{file.name} holds no pictures.")
    step_s = units[-1].send_s / (len(units) - 1) if len(units) > 1 else 1.0
    return Clip(codec, tuple(units), units[-1].send_s + step_s)


def _units(container: "av.container.InputContainer", stream: "av.VideoStream", codec: str) -> list[AccessUnit]:
    annex_b = BitStreamFilterContext(_FILTERS[codec], stream)
    units: list[AccessUnit] = []
    first: float | None = None
    for packet in container.demux(stream):
        if packet.dts is None or packet.pts is None:
            continue
        send_s, show_s = float(packet.dts * packet.time_base), float(packet.pts * packet.time_base)
        keyframe = packet.is_keyframe
        first = send_s if first is None else first
        for filtered in annex_b.filter(packet):
            nal_units = tuple(_split(bytes(filtered)))
            units.append(AccessUnit(send_s - first, show_s - first, keyframe, nal_units))
    return units


def _split(annex_b: bytes) -> list[bytes]:
    parts = annex_b.split(b"\x00\x00\x01")
    return [nal for part in parts if (nal := part.rstrip(b"\x00"))]


def _text(parameter_set: bytes) -> str:
    return base64.b64encode(parameter_set).decode()
