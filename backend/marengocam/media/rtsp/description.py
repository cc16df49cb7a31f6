"""What a camera describes in SDP (RFC 8866): its tracks, of which FFmpeg makes the templates for recording them."""

import io
from dataclasses import dataclass, field
from typing import Any

import av

VIDEO, AUDIO = "video", "audio"
CODECS = {"H264": "h264", "H265": "hevc"}
PCM = {"PCMU": 1, "PCMA": 1, "L16": 2}  # bytes a sample
AAC = "MPEG4-GENERIC"
AAC_SIZE_BITS, AAC_INDEX_BITS = "13", "3"
_STATIC = {"0": ("PCMU", 8000), "8": ("PCMA", 8000)}  # RFC 3551's numbers, which need no `rtpmap`


@dataclass(slots=True)
class Track:
    """One medium of a description; `encoding` is the name in `rtpmap`, in capitals."""

    kind: str
    payload_type: int
    encoding: str = ""
    clock_hz: int = 0
    channels: int = 1
    control: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether its packets can be put together here."""
        if self.clock_hz <= 0:
            return False
        if self.kind == VIDEO:  # neither sends its units in another order than they are decoded in
            in_order = self.parameters.get("packetization-mode") != "2"
            return in_order and self.encoding in CODECS and self.parameters.get("sprop-max-don-diff", "0") == "0"
        if self.encoding == AAC:
            sizes = self.parameters.get("sizelength"), self.parameters.get("indexlength")
            return sizes == (AAC_SIZE_BITS, AAC_INDEX_BITS) and "config" in self.parameters
        return self.encoding in PCM


@dataclass(frozen=True, slots=True)
class Description:
    """A camera's tracks and where its session is controlled."""

    control: str
    tracks: tuple[Track, ...]

    def first(self, kind: str) -> Track | None:
        """Return the first track of a kind."""
        return next((track for track in self.tracks if track.kind == kind), None)


def read_description(text: bytes) -> Description:
    """Return what an SDP describes; what is not understood in it is left out."""
    control, tracks = "", list[Track]()
    for line in text.decode("utf-8", "replace").splitlines():
        kind, _, value = line.strip().partition("=")
        track = tracks[-1] if tracks else None
        if kind == "m":
            tracks.append(_track(value))
        elif kind == "a":
            name, _, rest = value.partition(":")
            if name == "control" and track is None:
                control = rest.strip()
            elif track is not None:
                _take_attribute(track, name, rest.strip())
    return Description(control, tuple(tracks))


def templates(text: bytes) -> dict[str, Any]:
    """Have FFmpeg read a description; return the first stream of each kind, which keeps FFmpeg's container alive.

    Raises av.FFmpegError where FFmpeg makes nothing of it.
    """
    asked = {"sdp_flags": "custom_io", "fpsprobesize": "0", "analyzeduration": "1"}  # nothing is opened or waited for
    container = av.open(io.BytesIO(text), "r", format="sdp", options=asked, metadata_errors="replace")
    return {stream.type: stream for stream in reversed(container.streams)}


def _track(line: str) -> Track:
    fields = line.split()  # kind, port, protocol, formats
    number = fields[3] if len(fields) > 3 and fields[3].isdigit() else "-1"
    encoding, clock_hz = _STATIC.get(number, ("", 0))
    return Track(fields[0].lower() if fields else "", int(number), encoding, clock_hz)


def _take_attribute(track: Track, name: str, text: str) -> None:
    number, _, rest = text.partition(" ")
    if name == "control":
        track.control = text
    elif name == "rtpmap" and number == str(track.payload_type):
        encoding, _, clock = rest.strip().partition("/")
        track.encoding = encoding.upper()
        rate, _, channels = clock.partition("/")
        track.clock_hz = int(rate) if rate.isdigit() else 0
        track.channels = max(int(channels), 1) if channels.isdigit() else 1
    elif name == "fmtp" and number == str(track.payload_type):
        pairs = (pair.strip().partition("=") for pair in rest.split(";"))
        track.parameters.update({key.lower(): value for key, _, value in pairs if key})
