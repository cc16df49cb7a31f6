"""Packets into fragmented MP4 files, without re-encoding: what is on disk can be read up to the last fragment."""

import contextlib
import errno
import fcntl
import io
import logging
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import av.container

from marengocam.core.errors import StoreError
from marengocam.core.ids import new_id
from marengocam.core.model import Chunk
from marengocam.media.adoption import whole_part
from marengocam.media.names import RecordingName
from marengocam.media.sound import SoundPacket, SoundTrack
from marengocam.media.store import Store
from marengocam.media.stream import StreamInfo, StreamPacket

FRAGMENT_S = 1.0
CONTAINER_OPTIONS = {
    "movflags": "+frag_keyframe+empty_moov+default_base_moof",
    "frag_duration": str(int(FRAGMENT_S * 1_000_000)),
    "flush_packets": "1",
    "use_editlist": "0",
    # A microphone that falls silent must not hold the picture back.
    "max_interleave_delta": str(int(FRAGMENT_S / 2 * 1_000_000)),
}
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Open:
    """The file that is being written."""

    name: RecordingName
    file: Path
    lock: io.BufferedReader
    container: av.container.OutputContainer
    stream: Any
    first_dts: int
    time_base: Fraction
    tick_s: float  # the same as a number: fractions are slow
    last_dts: int
    first_s: float
    sound: Any | None = None
    sound_end_s: float = 0.0
    end_s: float = 0.0
    step: int = 0  # from the picture before the last to the last, in ticks of time_base
    shift: int = 0  # added to the camera's times since its clock jumped, so that the file's go on
    ends_at_keyframe: bool = False


class ChunkWriter:
    """Writes one camera's packets as chunks that begin with a keyframe.

    `write` and `close` return the chunk that they finished, if any. On a disk error they raise StoreError and abandon
    the file: what is whole in it is adopted later, and no Chunk is told.
    """

    def __init__(
        self,
        store: Store,
        camera_id: str,
        template: Any,
        info: StreamInfo,
        chunk_s: float,
        sound: SoundTrack | None = None,
    ) -> None:
        self._store = store
        self._camera_id = camera_id
        self._template = template
        self._info = info
        self._chunk_s = chunk_s
        self._sound = sound
        self._changed = False  # True: the stream's parameters are no longer the template's
        self._open: _Open | None = None
        self.silent = False  # True: without sound from the next keyframe on
        self.dropped = 0  # packets before the first keyframe

    def write(self, packet: StreamPacket) -> Chunk | None:
        """Add a packet.

        A new chunk begins at a keyframe after the chunk's length, after a jump of time, where the parameters changed.
        """
        finished = None
        if self._open is not None and self._ends_before(packet):
            finished = self.close()
        if packet.changed is not None:
            self.note_change(packet.changed)
        if self._open is None:
            if not packet.keyframe:
                self.dropped += 1
                return finished
            self._open = self._begin(packet)
        try:
            self._mux(self._open, packet)
        except (av.FFmpegError, OSError) as error:
            self._abandon()
            raise StoreError(f"The recording cannot be written: {_reason(error)}.") from error
        return finished

    def note_change(self, info: StreamInfo) -> None:
        """Take in what the stream carries from now on; a chunk that is open must have been closed before."""
        self._info, self._changed = info, True

    def write_sound(self, sound: SoundPacket) -> None:
        """Add sound to the present chunk; what comes before its first picture is left out."""
        chunk = self._open
        if chunk is None or chunk.sound is None or self._sound is None:
            return
        try:
            for content, at_s, duration_s in self._sound.packets(sound):
                shift_s = chunk.shift * chunk.tick_s
                self._mux_sound(chunk, content, at_s + shift_s - chunk.first_s, duration_s)
        except (av.ArgumentError, av.InvalidDataError) as error:
            _LOG.warning("camera %s: its sound is not recorded: %s", self._camera_id, _reason(error))
            self._sound = chunk.sound = None
        except (av.FFmpegError, OSError) as error:
            self._abandon()
            raise StoreError(f"The recording cannot be written: {_reason(error)}.") from error

    def close(self) -> Chunk | None:
        """Finish the present chunk: flush, fsync, rename."""
        chunk, self._open = self._open, None
        if chunk is None:
            return None
        try:
            chunk.container.close()
            finished = self._store.finish(chunk.file)
            size_bytes = finished.stat().st_size
        except (av.FFmpegError, OSError) as error:
            raise StoreError(f"The recording cannot be finished: {_reason(error)}.") from error
        finally:
            chunk.lock.close()
        return Chunk(
            chunk_id=chunk.name.chunk_id,
            camera_id=self._camera_id,
            started_at=chunk.name.started_at,
            duration_s=max(chunk.end_s, 0.001),
            size_bytes=size_bytes,
            path=self._store.relative(finished),
            codec=self._info.codec,
            width_px=self._info.width_px,
            height_px=self._info.height_px,
        )

    def _ends_before(self, packet: StreamPacket) -> bool:
        assert self._open is not None
        if not packet.keyframe:
            return False
        silenced = self.silent and self._open.sound is not None
        is_over = silenced or self._open.ends_at_keyframe or self._is_long(packet)
        return packet.jumped or packet.changed is not None or is_over

    def _is_long(self, packet: StreamPacket) -> bool:
        assert self._open is not None
        step_s = self._open.step * self._open.tick_s
        return (packet.at - self._open.name.started_at).total_seconds() >= self._chunk_s - step_s / 2

    def _begin(self, packet: StreamPacket) -> _Open:
        # The name keeps milliseconds; the row must say the same as the name.
        started_at = packet.at.replace(microsecond=packet.at.microsecond // 1000 * 1000)
        name = RecordingName(self._camera_id, started_at, new_id(packet.at))
        file = self._store.growing(name)
        lock = None
        try:
            file.touch()
            lock = file.open("rb")
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(lock.fileno()).st_nlink == 0:  # adopted as an empty one meanwhile: a new one would have no lock
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
            container = av.open(str(file), "w", format="mp4", options=dict(CONTAINER_OPTIONS))
            stream = self._stream_of(container)
            sound = self._sound.add_to(container) if self._sound is not None and not self.silent else None
        except (av.FFmpegError, OSError) as error:
            self._let_go(file, lock)
            raise StoreError(f"A recording cannot be begun: {_reason(error)}.") from error
        dts = _decode_stamp(packet.packet)
        time_base = packet.packet.time_base
        tick_s = float(time_base)
        return _Open(name, file, lock, container, stream, dts, time_base, tick_s, dts - 1, dts * tick_s, sound)

    def _stream_of(self, container: av.container.OutputContainer) -> Any:
        stream: Any = container.add_stream_from_template(self._template)
        if self._changed:
            context = stream.codec_context
            context.extradata = self._info.extradata
            context.width, context.height = self._info.width_px, self._info.height_px
        return stream

    @staticmethod
    def _mux(chunk: _Open, packet: StreamPacket) -> None:
        source = packet.packet
        sent, shown, told = _decode_stamp(source), source.pts, source.duration or 0
        if source.time_base != chunk.time_base:
            scale = source.time_base / chunk.time_base
            sent, told = round(sent * scale), round(told * scale)
            shown = round(shown * scale) if shown is not None else None
        if packet.jumped and chunk.last_dts >= chunk.first_dts:  # no keyframe, so the chunk has to go on
            chunk.shift = chunk.last_dts + max(chunk.step, 1) - sent
            chunk.ends_at_keyframe = True
        dts = max(sent + chunk.shift, chunk.last_dts + 1)
        pts = max(shown + chunk.shift if shown is not None else dts, dts)
        if chunk.last_dts >= chunk.first_dts:
            chunk.step = dts - chunk.last_dts
        chunk.last_dts = dts
        # Another packet of the same bytes, since muxing changes the times and the decoder needs the original's.
        copy = av.Packet(source)
        copy.stream = chunk.stream
        copy.time_base = chunk.time_base
        copy.dts, copy.pts = dts - chunk.first_dts, pts - chunk.first_dts
        copy.duration = _duration(told, chunk.step, round(FRAGMENT_S / chunk.tick_s))
        copy.is_keyframe = source.is_keyframe
        # By the order of decoding: shown they are later by as much as they are reordered, in this chunk and the next.
        chunk.end_s = max(chunk.end_s, (dts - chunk.first_dts + copy.duration) * chunk.tick_s)
        chunk.container.mux(copy)

    @staticmethod
    def _mux_sound(chunk: _Open, content: bytes, at_s: float, duration_s: float) -> None:
        # Never before the end of the last: decode times must rise, and a second voice would be worse than a short one.
        if at_s < 0 or at_s < chunk.sound_end_s - duration_s / 2:
            return
        stream = cast("Any", chunk.sound)
        rate_hz = stream.codec_context.sample_rate
        packet = av.Packet(content)
        packet.stream = stream
        packet.time_base = Fraction(1, rate_hz)
        at_s = max(at_s, chunk.sound_end_s)
        packet.pts = packet.dts = round(at_s * rate_hz)
        packet.duration = round(duration_s * rate_hz)
        chunk.sound_end_s = at_s + duration_s
        chunk.container.mux(packet)

    def _abandon(self) -> None:
        chunk, self._open = self._open, None
        if chunk is None:
            return
        with contextlib.suppress(av.FFmpegError, OSError):
            chunk.container.close()
        if self._let_go(chunk.file, chunk.lock):
            started_at = chunk.name.started_at.isoformat()
            _LOG.error("camera %s: the recording from %s is given up", self._camera_id, started_at)

    def _let_go(self, file: Path, lock: io.BufferedReader | None) -> bool:
        """Leave a file to be adopted; False: it held nothing and is removed, or a full disk would be littered."""
        if lock is None:
            return False
        with lock:
            try:
                if whole_part(file) is not None:
                    return True
                self._store.delete(self._store.relative(file))
            except (StoreError, OSError):
                return True  # a disk that cannot even be read now
            return False


def _decode_stamp(packet: Any) -> int:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return int(stamp or 0)


def _duration(told: int, step: int, longest: int) -> int:
    """Return how long a picture is shown: what its stream says may be a lie, so never longer than the step to it."""
    return min(told or longest, step or longest) if told or step else 0


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
