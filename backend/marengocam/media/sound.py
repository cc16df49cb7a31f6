"""Sound beside the picture: copied when MP4 can carry it, else made into AAC."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import av.container
from av.codec.context import Flags

COPIED_CODECS = ("aac", "mp3", "opus")  # MP4 carries these as they are
MADE_CODEC = "aac"
MADE_BITRATE = 48_000
MIN_RATE_HZ = 8_000
STEP_LIMIT_S = 0.5  # a larger step of the sound's clock begins its time line anew
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SoundPacket:
    """A compressed piece of sound; `stream_s` is on the picture's clock."""

    packet: Any  # PyAV's Packet
    stream_s: float

    @property
    def size_bytes(self) -> int:
        return int(self.packet.size)


class SoundTrack:
    """Turns one stream's sound into packets for a recording's second track.

    It lives as long as the stream; chunks come and go. Sound that cannot be decoded is left out: the picture matters.
    """

    def __init__(self, template: Any) -> None:
        self._template = template
        self._copied = template.codec_context.name in COPIED_CODECS
        self._maker = None if self._copied else _Maker(template)

    def add_to(self, container: av.container.OutputContainer) -> Any:
        """Give a new recording its sound track; return it."""
        if self._copied:
            return container.add_stream_from_template(self._template)
        assert self._maker is not None
        return self._maker.add_to(container)

    def packets(self, sound: SoundPacket) -> Iterator[tuple[bytes, float, float]]:
        """Yield (bytes, stream time in seconds, duration in seconds) of what is to be written."""
        if self._maker is not None:
            yield from self._maker.packets(sound)
            return
        packet = sound.packet
        yield bytes(packet), sound.stream_s, float((packet.duration or 0) * packet.time_base)


class _Maker:
    """Decodes what a camera sends (G.711, G.726, PCM) and encodes it as AAC."""

    def __init__(self, template: Any) -> None:
        source = template.codec_context
        self._decoder = cast("av.AudioCodecContext", av.CodecContext.create(source.name, "r"))
        self._decoder.sample_rate = source.sample_rate or MIN_RATE_HZ
        self._decoder.layout = source.layout.name if source.layout.nb_channels else "mono"
        if source.extradata:
            self._decoder.extradata = source.extradata
        self.rate_hz = self._decoder.sample_rate
        self.layout = "mono" if self._decoder.layout.nb_channels == 1 else "stereo"
        self._resampler = av.AudioResampler("fltp", self.layout, self.rate_hz)
        self._encoder = self._new_encoder()
        self._fifo = av.AudioFifo()
        self._next_s: float | None = None  # where the next decoded sample belongs
        self._origin_s = 0.0  # where the encoder's count of samples is zero
        self._samples = 0  # given to the encoder

    def add_to(self, container: av.container.OutputContainer) -> Any:
        stream: Any = container.add_stream(MADE_CODEC, rate=self.rate_hz)
        stream.codec_context.layout = self.layout
        stream.codec_context.extradata = self._encoder.extradata
        stream.codec_context.bit_rate = MADE_BITRATE
        return stream

    def packets(self, sound: SoundPacket) -> Iterator[tuple[bytes, float, float]]:
        try:
            frames = self._decoder.decode(sound.packet)
        except av.FFmpegError:
            return
        for decoded in frames:
            self._place(sound.stream_s)
            for piece in self._resampler.resample(decoded):
                assert self._next_s is not None
                self._next_s += piece.samples / self.rate_hz
                piece.pts = None
                self._fifo.write(piece)
        size = self._encoder.frame_size or 1024
        while (frame := self._fifo.read(size)) is not None:
            yield from self._encode(frame)

    def _place(self, stream_s: float) -> None:
        """Begin the time line, anew when the camera's clock of sound stepped."""
        if self._next_s is not None and abs(stream_s - self._next_s) <= STEP_LIMIT_S:
            return
        self._fifo = av.AudioFifo()
        self._next_s = stream_s
        self._origin_s = stream_s - self._samples / self.rate_hz

    def _encode(self, frame: Any) -> Iterator[tuple[bytes, float, float]]:
        frame.pts, frame.time_base = self._samples, Fraction(1, self.rate_hz)
        self._samples += frame.samples
        for packet in self._encoder.encode(frame):
            # The encoder's own times: it puts its priming samples before the first.
            yield bytes(packet), self._origin_s + (packet.pts or 0) / self.rate_hz, frame.samples / self.rate_hz

    def _new_encoder(self) -> "av.AudioCodecContext":
        encoder = cast("av.AudioCodecContext", av.CodecContext.create(MADE_CODEC, "w"))
        encoder.sample_rate = self.rate_hz
        encoder.layout = self.layout
        encoder.format = "fltp"
        encoder.bit_rate = MADE_BITRATE
        encoder.time_base = Fraction(1, self.rate_hz)
        encoder.flags |= Flags.global_header  # MP4 wants its description in front
        encoder.open()
        return encoder


def sound_track(template: Any) -> SoundTrack | None:
    """Return the sound track for a stream's sound, None when it cannot be recorded; that is logged."""
    try:
        return SoundTrack(template)
    except (av.FFmpegError, ValueError, AttributeError) as error:
        _LOG.warning("the sound of a camera is not recorded: %s", type(error).__name__)
        return None
