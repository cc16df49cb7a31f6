"""Reading a stream: packets with wall times, every wait limited, errors as sentences without secrets."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

from marengocam.core.camera_options import Transport
from marengocam.core.clock import Clock
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError
from marengocam.media.ffmpeg_source import UNTIMED, FfmpegSource
from marengocam.media.first_piece import PAUSE_IN_PIECES_S, PAUSE_S, Timed, first_piece
from marengocam.media.opening import MAX_PIXELS, ffmpeg_options, read_timeout_s
from marengocam.media.parameters import MJPEG, ParameterWatch, jpeg_size, picture_size
from marengocam.media.rtsp.session import NotOursError
from marengocam.media.rtsp.source import Limits, RtspSource
from marengocam.media.sound import SoundPacket
from marengocam.media.source import Source
from marengocam.media.timeline import ClockTrust, Timeline

CONNECT_TIMEOUT_S = 5.0
STALL_TIMEOUT_S = 4.5  # with a picture's own length noticed within 5 s
RECORDED_CODECS = ("h264", "hevc", "mjpeg")
IN_PIECES = "hls"
TICKS_PER_S = 90_000
ARRIVAL_STEP_S = 0.001  # at least, between pictures timed by their arrival: files tell no nearer ones apart
USUAL_FPS = 15.0
LET_GO_S = 0.5  # a camera may take so long to notice that we left, and refuse FFmpeg until then
SURE = frozenset({Fault.REFUSED, Fault.UNREACHABLE, Fault.AUTH, Fault.STALLED})  # what FFmpeg could not read either
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
        self._source: Source | None = None
        self._read_timeout_s = read_timeout_s(url, options.stall_timeout_s)
        self._jpeg_size: tuple[int, int] | None = None  # of the last picture, of MJPEG
        self._by_arrival_since_s: float | None = None  # pictures are timed by their arrival since this moment
        self._arrived_s = -ARRIVAL_STEP_S  # the last one after it

    def __enter__(self) -> Self:
        self._source = self._open()
        try:
            self.info = self._check(self._source)
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
        """The video stream, as a template for recording and decoding."""
        return self._opened.video

    @property
    def sound(self) -> Any | None:
        """The sound, None where there is none that is known."""
        return self._opened.sound

    @property
    def _opened(self) -> Source:
        assert self._source is not None
        return self._source

    @property
    def _live(self) -> bool:
        return self._file_started_at is None

    def __iter__(self) -> Iterator[StreamPacket]:
        for packet in self.packets():
            if isinstance(packet, StreamPacket):
                yield packet

    def packets(self, *, sound: bool = False) -> Iterator[StreamPacket | SoundPacket]:
        """Yield the pictures, and between them the sound if asked for; a live stream's end is a StreamError."""
        source, newest = self._timed(sound=sound), None
        in_pieces, step_s = self._opened.format == IN_PIECES, 1 / (self.info.fps or USUAL_FPS)
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

    def _timed(self, *, sound: bool) -> Iterator[Timed]:
        """Yield each packet that has content, with its time in seconds if it has one."""
        if self._live and self._opened.format == UNTIMED:
            self._by_arrival_since_s = self._clock.monotonic_s()
        for packet, came_s in self._opened.packets(sound=sound):
            if self._by_arrival_since_s is not None:
                self._arrived_s = max(came_s - self._by_arrival_since_s, self._arrived_s + ARRIVAL_STEP_S)
                _stamp(packet, self._arrived_s)
            stamp = packet.pts if packet.pts is not None else packet.dts
            if packet.size and (time_base := packet.time_base) is not None:
                yield packet, _seconds(stamp, time_base) if stamp is not None else None

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

    def _open(self) -> Source:
        asked = self._options
        if self._live and asked.transport is Transport.TCP and self._url.startswith("rtsp://"):
            limits = Limits(asked.connect_timeout_s, asked.stall_timeout_s)
            try:
                return RtspSource(
                    self._url, asked.username, asked.password, sound=asked.sound, limits=limits, clock=self._clock
                )
            except NotOursError:
                pass
            except StreamError as error:
                if error.kind in SURE:
                    raise
            time.sleep(LET_GO_S)
        return FfmpegSource(
            self._url,
            asked.username,
            asked.password,
            options=ffmpeg_options(self._url, asked.transport.value, asked.stall_timeout_s, sound=asked.sound),
            live=self._live,
            open_s=asked.connect_timeout_s,
            picture_s=self._read_timeout_s,
            stall_s=asked.stall_timeout_s,
            clock=self._clock,
        )

    def _check(self, source: Source) -> StreamInfo:
        video = source.video
        if video is None:
            raise StreamError(Fault.NO_VIDEO)
        context = video.codec_context
        recordable = context is not None and context.name.removesuffix("_cuvid") in RECORDED_CODECS
        if context is None or (self._live and not recordable):  # a file is only looked at: any codec will do
            raise StreamError(Fault.CODEC, context.name if context is not None else "unknown codec")
        width_px, height_px, extradata = context.width, context.height, bytes(context.extradata or b"")
        if width_px <= 0 or height_px <= 0:
            if not source.size_comes_later:
                raise StreamError(Fault.NO_SIZE if source.sends_pictures() else Fault.STALLED)
            extradata = b""  # with the size: a keyframe brings all of it
        if width_px * height_px > MAX_PIXELS:
            raise StreamError(Fault.TOO_LARGE, f"{width_px}x{height_px}")
        sound = source.sound
        audio = sound.codec_context.name if sound is not None else None
        return StreamInfo(context.name, width_px, height_px, source.fps, audio, extradata)

    def _close(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()


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
