"""What a camera offers, and which of its profiles are recorded and watched."""

from dataclasses import dataclass
from typing import Any

from marengocam.media.stream import RECORDED_CODECS

LEAST_SUB_WIDTH_PX = 320
MAX_TEXT = 100
_CODECS = {"JPEG": "mjpeg", "H264": "h264", "H265": "hevc", "HEVC": "hevc", "MPEG4": "mpeg4"}


@dataclass(frozen=True, slots=True)
class Profile:
    """One stream of a camera; its addresses carry no login."""

    name: str
    token: str
    codec: str
    width_px: int
    height_px: int
    fps: float | None
    url: str
    snapshot_url: str | None = None

    @property
    def recordable(self) -> bool:
        return self.codec in RECORDED_CODECS

    @property
    def pixels(self) -> int:
        return self.width_px * self.height_px


@dataclass(frozen=True, slots=True)
class Encoder:
    """How a profile encodes its pictures."""

    name: str
    token: str
    codec: str
    width_px: int
    height_px: int
    fps: float | None


def encoder_of(told: Any) -> Encoder | None:
    """Return what one ONVIF profile says of its video, or None if it has none or no token to ask with."""
    video = getattr(told, "VideoEncoderConfiguration", None)
    size = getattr(video, "Resolution", None)
    token = getattr(told, "token", None)
    if video is None or size is None or not token:
        return None
    encoding = str(getattr(video, "Encoding", "") or "").upper().replace(".", "")
    limit = getattr(getattr(video, "RateControl", None), "FrameRateLimit", None)
    return Encoder(
        name=str(getattr(told, "Name", None) or token)[:MAX_TEXT],
        token=str(token),
        codec=_CODECS.get(encoding, encoding.lower()[:MAX_TEXT]),
        width_px=int(size.Width or 0),
        height_px=int(size.Height or 0),
        fps=float(limit) if limit else None,
    )


def main_of(profiles: list[Profile]) -> Profile | None:
    """Return the profile to record: the most pixels of those that can be recorded; of equals, no MJPEG."""
    usable = [one for one in profiles if one.recordable]
    return max(usable, key=lambda one: (one.pixels, one.codec != "mjpeg", one.fps or 0.0), default=None)


def sub_of(profiles: list[Profile], main: Profile) -> Profile | None:
    """Return the profile to watch: the smallest of at least 320 pixels' width that is smaller than `main`."""
    usable = [
        one
        for one in profiles
        if one.recordable and one.width_px >= LEAST_SUB_WIDTH_PX and one.pixels < main.pixels and one.url != main.url
    ]
    return min(usable, key=lambda one: (one.pixels, one.codec == "mjpeg"), default=None)
