"""A camera over RTSP and TCP, read by ourselves: packets for recording and decoding, as FFmpeg would make them."""

import io
import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from marengocam.core.clock import Clock
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError
from marengocam.media.opening import SIZE_LIMIT
from marengocam.media.rtsp.clocks import DecodeOrder, SoundOffset, StampClock
from marengocam.media.rtsp.description import AUDIO, CODECS, VIDEO, Track, templates
from marengocam.media.rtsp.messages import Answer
from marengocam.media.rtsp.pictures import BUILDERS, Picture
from marengocam.media.rtsp.reports import ends, sender_report
from marengocam.media.rtsp.session import NotOursError, Session
from marengocam.media.rtsp.sounds import Sound, sound_builder
from marengocam.media.source import taken

FIRST_KEYFRAME_S = 2.0  # for so long the first keyframe, which tells the picture's size, is waited for on opening
FIRST_MAX_BYTES = 32 * 1024 * 1024  # kept meanwhile, and no more
USUAL_FPS = 15
STEP_LIMIT_S = 1.0  # no picture is shown for longer, and none is reordered as far
RTP_VERSION, RTP_HEADER_BYTES = 2, 12
Came = tuple[Any, float]  # PyAV's Packet, and when it was whole (monotonic seconds)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a camera may take: to let us in, and for each picture."""

    open_s: float
    picture_s: float


class RtspSource:
    """One camera's packets; raises StreamError, and NotOursError where FFmpeg has to read it."""

    format = "rtsp"

    def __init__(
        self, url: str, username: str | None, password: Secret | None, *, sound: bool, limits: Limits, clock: Clock
    ) -> None:
        self._clock = clock
        self._limit_s = limits.picture_s
        self._session = Session(url, username, password, sound=sound, limit_s=limits.open_s, clock=clock)
        try:
            text, _ = self._session.described
            found = _templates(text)
            self._video_track = self._session.channels[0].track
            self._builder = BUILDERS[CODECS[self._video_track.encoding]]()
            self._stamps = StampClock(self._video_track.clock_hz)
            self._time_base = Fraction(1, self._video_track.clock_hz)
            self._order = self._new_order(0)
            self._step = 0
            self._shown: int | None = None
            self._parameters = bytes(found[VIDEO].codec_context.extradata or b"")
            self.video: Any = found[VIDEO]
            self.sound: Any | None = found.get(AUDIO) if len(self._session.channels) > 1 else None
            self._sound = _SoundOf(self._session.channels[1].track, self.sound) if self.sound is not None else None
            self._header = b""
            self._measured = False
            self._reading = self._read()
            self._first = deque(self._until_keyframe())
        except BaseException:
            self._session.close()
            raise

    @property
    def size_comes_later(self) -> bool:
        """Whether no keyframe has told the picture's size yet."""
        return not self._measured

    @property
    def fps(self) -> float | None:
        """Pictures a second, if the stream tells."""
        rate = self.video.codec_context.framerate if self._measured else None
        return float(rate) if rate else None

    def packets(self, *, sound: bool) -> Iterator[Came]:
        """Yield the packets; `sound` False leaves out the sound."""
        for packet, came_s in itertools.chain(taken(self._first), self._reading):
            if sound or packet.stream is self.video:
                yield packet, came_s

    def sends_pictures(self) -> bool:
        """Whether there was a picture."""
        return self._shown is not None

    def close(self) -> None:
        """Let the camera go."""
        self._session.close()

    def _until_keyframe(self) -> list[Came]:
        """Read until the first keyframe; without one the size stays unknown, and comes with it."""
        kept, size_bytes = list[Came](), 0
        until_s = self._clock.monotonic_s() + FIRST_KEYFRAME_S
        for packet, came_s in self._reading:
            kept.append((packet, came_s))
            size_bytes += packet.size
            if packet.is_keyframe and packet.stream is self.video and self._measure(bytes(packet)):
                for earlier, _ in kept:
                    if earlier.stream.type == VIDEO:
                        earlier.stream = self.video
                break
            if came_s > until_s or size_bytes > FIRST_MAX_BYTES:
                break
        return kept

    def _measure(self, keyframe: bytes) -> bool:
        """Take a keyframe's stream as the template; return whether its size is known."""
        codec = CODECS[self._video_track.encoding]
        file = io.BytesIO(keyframe)
        try:
            measured = av.open(file, "r", format=codec, options=dict(SIZE_LIMIT))
            for _ in measured.demux():  # which FFmpeg keeps otherwise, as long as the template lives
                pass
        except av.FFmpegError:
            return False
        file.truncate(0)
        video: Any = measured.streams.video[0]
        if not (video.codec_context.width and video.codec_context.extradata):
            return False
        self._measured, self.video = True, video  # which keeps its container; the description's goes
        if video.codec_context.has_b_frames:
            self._order = self._new_order(1)
        return True

    def _new_order(self, delay: int) -> DecodeOrder:
        clock_hz = self._video_track.clock_hz
        return DecodeOrder(delay, clock_hz // USUAL_FPS, round(STEP_LIMIT_S * clock_hz))

    def _read(self) -> Iterator[Came]:
        """Yield each packet as soon as it is whole; the time that is spent on it counts for nobody's waiting."""
        media, monotonic_s = self._session.channels[0].media, self._clock.monotonic_s
        waiting_since_s = monotonic_s()
        sign_due_s = waiting_since_s + self._session.sign_of_life_s
        early = ((channel, memoryview(content)) for channel, content in taken(self._session.early))
        for item in itertools.chain(early, self._session.wire.items()):
            now_s = monotonic_s()
            if isinstance(item, Answer):
                self._session.take(item)
            elif item is not None:
                begun = False
                for packet in self._video(item[1]) if item[0] == media else self._beside(*item):
                    begun = begun or item[0] == media
                    yield packet, now_s
                after_s = monotonic_s()
                waiting_since_s = after_s if begun else waiting_since_s + after_s - now_s
            if now_s - waiting_since_s >= self._limit_s:
                raise StreamError(Fault.STALLED)
            if now_s >= sign_due_s:
                sign_due_s = now_s + self._session.sign_of_life_s
                self._session.sign_of_life(self._header)

    def _video(self, rtp: memoryview) -> Iterator[Any]:
        content = _payload(rtp, self._video_track.payload_type)
        if content is None:
            return
        stamp = int.from_bytes(rtp[4:8], "big")
        for picture in self._builder.take(stamp, content, marker=rtp[1] >= 0x80):
            self._header = bytes(rtp[:RTP_HEADER_BYTES])
            yield self._packet(picture)

    def _packet(self, picture: Picture) -> Any:
        content = picture.content
        if picture.has_parameters:
            self._parameters = b""  # the stream tells them itself
        elif picture.keyframe and self._parameters:
            content = self._parameters + content
        shown = self._stamps.ticks(picture.stamp)
        if self._shown is not None and 0 < shown - self._shown <= self._video_track.clock_hz * STEP_LIMIT_S:
            self._step = shown - self._shown
        self._shown = shown
        packet = av.Packet(content)
        packet.stream = self.video
        packet.time_base = self._time_base
        packet.pts, packet.dts = shown, self._order.decoded(shown)
        packet.duration = self._step
        packet.is_keyframe = picture.keyframe
        return packet

    def _beside(self, channel: int, content: memoryview) -> Iterator[Any]:
        """Yield the sound of a frame; take in reports; raises StreamError when the picture is said to have ended."""
        picture, sound = self._session.channels[0], self._sound
        if channel == picture.media + 1:
            if self._header and ends(content, int.from_bytes(self._header[8:12], "big")):
                raise StreamError(Fault.ENDED)  # the connection may stay, with nothing to come
            report = sender_report(content)
            at_s = self._stamps.seconds_of(report[1]) if report is not None else None
            if report is not None and at_s is not None and sound is not None:
                sound.offset.picture_report(report[0], at_s)
        elif sound is not None and channel == self._session.channels[1].media:
            if self._shown is not None:
                yield from sound.packets(content, self._shown / self._stamps.clock_hz)
        elif sound is not None and channel == self._session.channels[1].media + 1:
            sound.report(content)


class _SoundOf:
    """A camera's sound."""

    def __init__(self, track: Track, template: Any) -> None:
        self._track = track
        self._template = template
        self._builder = sound_builder(track)
        self._stamps = StampClock(track.clock_hz)
        self._time_base = Fraction(1, track.clock_hz)
        self.offset = SoundOffset()

    def packets(self, rtp: memoryview, picture_s: float) -> Iterator[Any]:
        """Yield the packets of a frame that came when the picture was at `picture_s`."""
        content = _payload(rtp, self._track.payload_type)
        if content is None:
            return
        self.offset.begins(picture_s)
        stamp = int.from_bytes(rtp[4:8], "big")
        for piece in self._builder.take(stamp, content, marker=rtp[1] >= 0x80):
            yield self._packet(piece)

    def report(self, rtcp: memoryview) -> None:
        """Take in a report on the sound."""
        report = sender_report(rtcp)
        own_s = self._stamps.seconds_of(report[1]) if report is not None else None
        if report is not None and own_s is not None:
            self.offset.sound_report(report[0], own_s)

    def _packet(self, piece: Sound) -> Any:
        packet = av.Packet(piece.content)
        packet.stream = self._template
        packet.time_base = self._time_base
        ticks = self._stamps.ticks(piece.stamp & 0xFFFFFFFF) + round(self.offset.offset_s * self._track.clock_hz)
        packet.pts = packet.dts = ticks
        packet.duration = piece.duration
        return packet


def _payload(rtp: memoryview, payload_type: int) -> memoryview | None:
    """Return what a packet of RTP carries (RFC 3550, 5.1), None where that is nothing of ours."""
    if len(rtp) <= RTP_HEADER_BYTES or rtp[0] >> 6 != RTP_VERSION or rtp[1] & 0x7F != payload_type:
        return None
    first = rtp[0]
    if first == RTP_VERSION << 6:
        return rtp[RTP_HEADER_BYTES:]
    begin, end = RTP_HEADER_BYTES + 4 * (first & 0x0F), len(rtp)
    if first & 0x10:  # an extension, whose length in words is in its second half word
        begin += 4 + 4 * int.from_bytes(rtp[begin + 2 : begin + 4], "big")
    if first & 0x20:  # padding, whose length is its last byte
        end -= rtp[-1]
    return rtp[begin:end] if begin < end else None


def _templates(text: bytes) -> dict[str, Any]:
    """Return the templates of a description; NotOursError where FFmpeg does not see in it what we do."""
    try:
        found = templates(text)
    except av.FFmpegError:
        raise NotOursError from None
    if VIDEO not in found or found[VIDEO].codec_context is None:
        raise NotOursError
    return found
