"""Reading a stream: packets with wall times, every wait limited, errors as sentences without secrets."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import av
import av.container

from marengocam.core.camera_options import Transport
from marengocam.core.clock import Clock
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError, fault_of
from marengocam.media.first_piece import PAUSE_IN_PIECES_S, PAUSE_S, Timed, first_piece
from marengocam.media.opening import MAX_PIXELS, address_for_ffmpeg, ffmpeg_options, opening_fault, read_timeout_s
from marengocam.media.parameters import MJPEG, ParameterWatch, comes_later, jpeg_size, picture_size
from marengocam.media.read_limit import limited, place_of_limit
from marengocam.media.sound import SoundPacket
from marengocam.media.timeline import ClockTrust, Timeline

CONNECT_TIMEOUT_S = 5.0
STALL_TIMEOUT_S = 4.5  # with a picture's own length noticed within 5 s
RECORDED_CODECS = ("h264", "hevc", "mjpeg")
IN_PIECES = "hls"
UNTIMED = "mpjpeg"  # pictures without times: FFmpeg counts them as if there were 25 a second
TICKS_PER_S = 90_000
ARRIVAL_STEP_S = 0.001  # at least, between pictures timed by their arrival: files tell no nearer ones apart
USUAL_FPS = 15.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How to open a stream."""

    username: str | None = None
    password: Secret | None = None
    transport: Transport = Transport.TCP
    connect_timeout_s: float = CONNECT_TIMEOUT_S
    stall_timeout_s: float = STALL_TIMEOUT_S
    sound: bool = True  # False: it is not asked for


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What a stream carries; no size as long as it is told in front of a keyframe only, and none has come."""

    codec: str
    width_px: int
    height_px: int
    fps: float | None
    audio: str | None
    extradata: bytes


@dataclass(frozen=True, slots=True)
class StreamPacket:
    """One compressed picture; `at` is when it was filmed.

    `jumped` starts a new reckoning of time; `changed` tells what the stream carries from this keyframe on.
    """

    packet: Any  # PyAV's Packet
    at: datetime
    stream_s: float
    keyframe: bool
    jumped: bool
    changed: StreamInfo | None = None

    @property
    def size_bytes(self) -> int:
        return int(self.packet.size)


class StreamReader:
    """The video packets of one address, as a context manager and an iterator.

    Live packets are dated by their arrival; those of a file from `file_started_at` on.
    Raises StreamError on opening and reading; the sentence never carries a password.
    """

    def __init__(self, url: str, options: StreamOptions, clock: Clock, file_started_at: datetime | None = None) -> None:
        self._url = url
        self._options = options
        self._clock = clock
        self._file_started_at = file_started_at
        self._container: av.container.InputContainer | None = None
        self._read_timeout_s = read_timeout_s(url, options.stall_timeout_s)
        self._jpeg_size: tuple[int, int] | None = None  # of the last picture, of MJPEG
        self._by_arrival_since_s: float | None = None  # pictures are timed by their arrival since this moment
        self._arrived_s = -ARRIVAL_STEP_S  # the last one after it

    def __enter__(self) -> Self:
        asked, kind, began_s = self._options, None, self._clock.monotonic_s()
        address = address_for_ffmpeg(self._url, asked.username, asked.password)
        try:
            self._container = av.open(
                address,
                options=ffmpeg_options(self._url, asked.transport.value, asked.stall_timeout_s, sound=asked.sound),
                timeout=(asked.connect_timeout_s, None if self._live and place_of_limit() else self._read_timeout_s),
                metadata_errors="replace",  # a camera's name for itself may be in any encoding
            )
        except (av.FFmpegError, OSError) as error:
            kind = opening_fault(
                error, self._url, self._clock.monotonic_s() - began_s, asked.stall_timeout_s, self._clock
            )
        # Raised out here, without cause or context: FFmpeg puts the whole address, password included, into its texts.
        if kind is not None or self._container is None:
            raise StreamError(kind or Fault.OTHER)
        try:
            self.info = self._check(self._container)
        except StreamError:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def video(self) -> Any:
        """The container's video stream, as a template for recording and decoding."""
        assert self._container is not None
        return self._container.streams.video[0]

    @property
    def sound(self) -> Any | None:
        """The container's sound stream, None when it has none that is known."""
        assert self._container is not None
        streams = self._container.streams.audio
        return streams[0] if streams and streams[0].codec_context is not None else None

    @property
    def _live(self) -> bool:
        return self._file_started_at is None

    @property
    def _format(self) -> str:
        assert self._container is not None
        return str(self._container.format.name)

    def __iter__(self) -> Iterator[StreamPacket]:
        for packet in self.packets():
            if isinstance(packet, StreamPacket):
                yield packet

    def packets(self, *, sound: bool = False) -> Iterator[StreamPacket | SoundPacket]:
        """Yield the pictures, and between them the sound if asked for; a live stream's end is a StreamError."""
        source, newest = self._demuxed(self.sound if sound else None), None
        in_pieces, step_s = self._format == IN_PIECES, 1 / (self.info.fps or USUAL_FPS)
        if self._live:
            pause_s = PAUSE_IN_PIECES_S if in_pieces else PAUSE_S
            source, newest = first_piece(source, self._clock.now, pause_s=pause_s, step_s=step_s)
        timeline, trust, last_s = Timeline(newest, in_pieces=in_pieces), ClockTrust(), None
        watch = ParameterWatch(self.info.codec, self.info.extradata)
        video = self.video
        for packet, told_s in source:
            stream_s = told_s if told_s is not None else _follow(packet, last_s, step_s)
            if stream_s is None:
                continue
            if packet.stream.type == "audio":
                yield SoundPacket(packet, stream_s)
                continue
            last_s = stream_s
            if self._file_started_at is not None:
                first_s = float((video.start_time or 0) * video.time_base)
                at = self._file_started_at + timedelta(seconds=stream_s - first_s)
                yield StreamPacket(packet, at, stream_s, packet.is_keyframe, jumped=False)
                continue
            moment = timeline.place(stream_s, self._clock.now())
            if moment.jumped and self._by_arrival_since_s is None and trust.is_lost(self._clock.monotonic_s()):
                _LOG.warning("a camera's clock jumps without an end: its pictures are timed by their arrival")
                self._by_arrival_since_s = self._clock.monotonic_s()
                self._arrived_s = 0.0
                _stamp(packet, 0.0)
                stream_s, timeline = 0.0, Timeline((0.0, moment.at), in_pieces=in_pieces)
                last_s = stream_s
            changed = self._changed(watch, packet) if packet.is_keyframe else None
            keyframe = packet.is_keyframe and self.info.width_px > 0
            yield StreamPacket(packet, moment.at, stream_s, keyframe, moment.jumped, changed)
        if self._file_started_at is None:
            raise StreamError(Fault.ENDED)

    def _demuxed(self, sound: Any | None) -> Iterator[Timed]:
        """Yield each packet that has content, with its time in seconds if it has one."""
        assert self._container is not None
        streams = [self.video] if sound is None else [self.video, sound]
        kind = None
        if self._live and self._format == UNTIMED:
            self._by_arrival_since_s = self._clock.monotonic_s()
        try:
            with limited(self._container, self._read_timeout_s, self._clock) as waiting:
                for packet in self._container.demux(*streams):
                    came_s = waiting.came()
                    if self._by_arrival_since_s is not None:
                        self._arrived_s = max(came_s - self._by_arrival_since_s, self._arrived_s + ARRIVAL_STEP_S)
                        _stamp(packet, self._arrived_s)
                    stamp = packet.pts if packet.pts is not None else packet.dts
                    if packet.size and (time_base := packet.time_base) is not None:
                        yield packet, _seconds(stamp, time_base) if stamp is not None else None
                    # A read that timed out hands over the picture that was kept back first; the next times out again.
                    if self._live and waiting.was_too_long:
                        kind = Fault.STALLED
                        break
                    waiting.goes_on(picture=packet.stream.type == "video")
        except (av.FFmpegError, OSError) as error:
            kind = fault_of(error)
        # Out here for the same reason as on opening: an error within the block would carry FFmpeg's.
        if kind is not None:
            raise StreamError(kind)

    def _changed(self, watch: ParameterWatch, packet: Any) -> StreamInfo | None:
        if self.info.codec == MJPEG:
            return self._resized(packet)
        keyframe = bytes(packet)
        extradata = watch.changed(keyframe)
        if extradata is None:
            return None
        size = picture_size(self.info.codec, extradata, keyframe) or (self.info.width_px, self.info.height_px)
        if size[0] <= 0:
            raise StreamError(Fault.NO_SIZE)
        self.info = replace(self.info, width_px=size[0], height_px=size[1], extradata=extradata)
        return self.info

    def _resized(self, packet: Any) -> StreamInfo | None:
        before, now = self._jpeg_size, jpeg_size(memoryview(packet))
        if now is None or now[0] * now[1] > MAX_PIXELS:
            return None
        self._jpeg_size = now
        if before is None or now == before:
            return None
        self.info = replace(self.info, width_px=now[0], height_px=now[1])
        return self.info

    def _check(self, container: av.container.InputContainer) -> StreamInfo:
        if not container.streams.video:
            raise StreamError(Fault.NO_VIDEO)
        video = container.streams.video[0]
        context = video.codec_context
        recordable = context is not None and context.name.removesuffix("_cuvid") in RECORDED_CODECS
        if context is None or (self._live and not recordable):  # a file is only looked at: any codec will do
            raise StreamError(Fault.CODEC, context.name if context is not None else "unknown codec")
        width_px, height_px = context.width, context.height
        if (width_px <= 0 or height_px <= 0) and not (self._live and comes_later(context.name, context.extradata)):
            raise StreamError(Fault.NO_SIZE if self._sends_pictures(container) else Fault.STALLED)
        if width_px * height_px > MAX_PIXELS:
            raise StreamError(Fault.TOO_LARGE, f"{width_px}x{height_px}")
        sound = self.sound
        rate = None if container.format.name == UNTIMED else video.average_rate or video.guessed_rate
        return StreamInfo(
            context.name,
            width_px,
            height_px,
            float(rate) if rate else None,
            sound.codec_context.name if sound is not None else None,
            context.extradata or b"",
        )

    def _sends_pictures(self, container: av.container.InputContainer) -> bool:
        with contextlib.suppress(av.FFmpegError, OSError), limited(container, self._read_timeout_s, self._clock):
            return any(packet.size for packet in container.demux(video=0))
        return False

    def _close(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            with contextlib.suppress(av.FFmpegError):
                container.close()


def _seconds(stamp: int, time_base: Fraction) -> float:
    """Return a time in seconds; multiplied as fractions it would take ten times as long."""
    return stamp * time_base.numerator / time_base.denominator


def _follow(packet: Any, last_s: float | None, step_s: float) -> float | None:
    """Give a picture without a time the one after its predecessor's; None for sound, and where there is none."""
    if last_s is None or packet.stream.type == "audio":
        return None
    packet.pts = packet.dts = round((last_s + step_s) / packet.time_base)
    return last_s + step_s


def _stamp(packet: Any, elapsed_s: float) -> None:
    """Give a packet the time at which it came."""
    is_sound = packet.stream.type == "audio" and packet.time_base is not None
    packet.duration = round((packet.duration or 0) * packet.time_base * TICKS_PER_S) if is_sound else 0
    packet.time_base = Fraction(1, TICKS_PER_S)
    packet.pts = packet.dts = round(elapsed_s * TICKS_PER_S)
