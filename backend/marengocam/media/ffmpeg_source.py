"""A stream that FFmpeg reads: files, HTTP, RTSP over UDP and TLS, and what our own reader leaves to it."""

import contextlib
from collections.abc import Iterator
from typing import Any

import av
import av.container

from marengocam.core.clock import Clock
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError, fault_of
from marengocam.media.opening import address_for_ffmpeg, opening_fault
from marengocam.media.parameters import comes_later
from marengocam.media.read_limit import limited, place_of_limit

UNTIMED = "mpjpeg"  # pictures without times: FFmpeg counts them as if there were 25 a second


class FfmpegSource:
    """One address's packets."""

    def __init__(
        self,
        url: str,
        username: str | None,
        password: Secret | None,
        *,
        options: dict[str, str],
        live: bool,
        open_s: float,
        picture_s: float,
        stall_s: float,
        clock: Clock,
    ) -> None:
        address = address_for_ffmpeg(url, username, password)
        kind, container, began_s = None, None, clock.monotonic_s()
        self._live, self._picture_s, self._clock = live, picture_s, clock
        try:
            container = av.open(
                address,
                options=options,
                timeout=(open_s, None if live and place_of_limit() else picture_s),
                metadata_errors="replace",  # a camera's name for itself may be in any encoding
            )
        except (av.FFmpegError, OSError) as error:
            kind = opening_fault(error, url, clock.monotonic_s() - began_s, stall_s, clock)
        # Raised out here, without cause or context: FFmpeg puts the whole address, password included, into its texts.
        if kind is not None or container is None:
            raise StreamError(kind or Fault.OTHER)
        self._container: av.container.InputContainer = container

    @property
    def format(self) -> str:
        """What FFmpeg calls the form in which the packets come."""
        return str(self._container.format.name)

    @property
    def video(self) -> Any | None:
        """The first video stream, as a template for recording and decoding."""
        streams = self._container.streams.video
        return streams[0] if streams else None

    @property
    def sound(self) -> Any | None:
        """The first sound, None where there is none that is known."""
        streams = self._container.streams.audio
        return streams[0] if streams and streams[0].codec_context is not None else None

    @property
    def fps(self) -> float | None:
        """Pictures a second, if the stream tells."""
        video = self.video
        rate = None if video is None or self.format == UNTIMED else video.average_rate or video.guessed_rate
        return float(rate) if rate else None

    @property
    def size_comes_later(self) -> bool:
        """Whether the picture's size is not known yet, and will be with a keyframe."""
        context = None if self.video is None else self.video.codec_context
        return self._live and context is not None and comes_later(context.name, context.extradata)

    def packets(self, *, sound: bool) -> Iterator[tuple[Any, float]]:
        """Yield each packet and when it came (monotonic seconds); raises StreamError.

        A live stream's next picture is waited for no longer than the limit, whatever else comes.
        """
        streams = [one for one in (self.video, self.sound if sound else None) if one is not None]
        kind = None
        try:
            with limited(self._container, self._picture_s, self._clock) as waiting:
                for packet in self._container.demux(*streams):
                    yield packet, waiting.came()
                    # A read that timed out hands over the picture that was kept back; the next times out again.
                    if self._live and waiting.was_too_long:
                        kind = Fault.STALLED
                        break
                    waiting.goes_on(picture=packet.stream.type == "video")
        except (av.FFmpegError, OSError) as error:
            kind = fault_of(error)
        # Out here for the same reason as on opening: an error within the block would carry FFmpeg's.
        if kind is not None:
            raise StreamError(kind)

    def sends_pictures(self) -> bool:
        """Whether any picture comes within the limit."""
        with contextlib.suppress(av.FFmpegError, OSError), limited(self._container, self._picture_s, self._clock):
            return any(packet.size for packet in self._container.demux(video=0))
        return False

    def close(self) -> None:
        """Let the address go."""
        with contextlib.suppress(av.FFmpegError):
            self._container.close()
