"""Any stretch of a camera's recordings as one ordinary MP4 file, copied, not encoded anew."""

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container

from marengocam.core.errors import BadInputError, NotFoundError, StoreError
from marengocam.lasting import settle
from marengocam.media.disk_thread import still_answers
from marengocam.media.names import RecordingName
from marengocam.media.store import Store

GAP = timedelta(seconds=1)  # between recordings: longer is told, and closed up in the file
HALF_SUFFIX = ".half"
Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Export:
    """What was written; it begins with the keyframe at or before the moment asked for."""

    file: Path
    started_at: datetime
    ended_at: datetime
    size_bytes: int
    gaps: tuple[Stretch, ...]  # nothing was recorded then; the file runs on
    twice: tuple[Stretch, ...]  # comes again, as after our clock was set back; the file runs on, too


def export(store: Store, files: Sequence[Path], from_at: datetime, to_at: datetime, target: Path) -> Export:
    """Write what `files` (a camera's recordings as they were recorded, the growing one too) hold of a stretch.

    Raises NotFoundError when they hold nothing of it, BadInputError when the stream's format changed within it, and
    StoreError when the file cannot be written; no half file is left behind.
    """
    if to_at <= from_at:
        raise BadInputError("The end must lie after the beginning.")
    half = target.with_name(target.name + HALF_SUFFIX)
    try:
        with contextlib.ExitStack() as stack:
            writer = _Writer(half, stack)
            for file in files:
                writer.add(_Recording(store, file), from_at, to_at)
            done = writer.end()
        if done is None:
            raise NotFoundError("Nothing was recorded in that stretch of time.")
        settle(half, target)
    except (av.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StoreError(f"The video cannot be written: {reason}.") from error
    finally:
        half.unlink(missing_ok=True)
    started_at, ended_at, gaps, twice = done
    return Export(target, started_at, ended_at, target.stat().st_size, gaps, twice)


class _Recording:
    """One recording's packets with the times they were filmed."""

    def __init__(self, store: Store, file: Path) -> None:
        name = RecordingName.from_path(store.relative(file))
        if name is None:
            raise BadInputError(f"{file.name} is not named like a recording.")
        self.file = file
        self.started_at = name.started_at

    @contextlib.contextmanager
    def opened(self) -> Iterator[av.container.InputContainer | None]:
        """Yield its container, None when it is gone or holds no video (yet)."""
        try:
            container = av.open(str(self.file))
        except (av.FFmpegError, OSError):
            yield None
            return
        with container:
            yield container if container.streams.video else None

    def keyframe_before(self, at: datetime) -> datetime | None:
        """Return when the last keyframe at or before a moment was filmed; None when it ends before that."""
        found = last_at = None
        with self.opened() as container:
            if container is None:
                return None
            for packet in self._packets(container, sound=False):
                moment = self.moment(packet)
                if moment > at:
                    return found
                found = moment if packet.is_keyframe else found
                last_at = moment + timedelta(seconds=float((packet.duration or 0) * packet.time_base))
        return found if last_at is not None and last_at > at else None

    def moment(self, packet: Any) -> datetime:
        return self.started_at + timedelta(seconds=float(packet.pts * packet.time_base))

    def packets(self, container: av.container.InputContainer) -> Iterator[Any]:
        return self._packets(container, sound=True)

    @staticmethod
    def _packets(container: av.container.InputContainer, *, sound: bool) -> Iterator[Any]:
        streams = [container.streams.video[0], *(container.streams.audio[:1] if sound else ())]
        try:
            for packet in container.demux(*streams):
                still_answers()
                if packet.size and packet.pts is not None and packet.dts is not None:
                    yield packet
        except av.InvalidDataError:
            return  # the torn end of a growing file


class _Writer:
    def __init__(self, file: Path, stack: contextlib.ExitStack) -> None:
        self._file = file
        self._stack = stack
        self._container: av.container.OutputContainer | None = None
        self._streams: dict[str, Any] = {}
        self._formats: dict[str, tuple[Any, ...]] = {}
        self._last_dts_s: dict[str, Fraction] = {}  # recordings may count in different ticks
        self._started_at: datetime | None = None
        self._end_at: datetime | None = None
        self._closed_up = timedelta(0)
        self._gaps: list[Stretch] = []
        self._twice: list[Stretch] = []

    def add(self, recording: _Recording, from_at: datetime, to_at: datetime) -> None:
        """Copy what a recording holds of the stretch."""
        if recording.started_at >= to_at:
            return
        begin_at = from_at
        if self._started_at is None and recording.started_at < from_at:
            begin_at = recording.keyframe_before(from_at) or from_at
        with recording.opened() as container:
            if container is None:
                return
            begun = False
            for packet in recording.packets(container):
                kind, moment = packet.stream.type, recording.moment(packet)
                if moment >= to_at and kind == "video" and not _reordered(packet):
                    break
                if not begun and kind == "video" and packet.is_keyframe and moment >= begin_at:
                    begun = True
                    self._run_on(moment)
                if not begun or moment < begin_at or moment >= to_at:
                    continue
                if self._container is None:
                    self._begin(container, moment)
                self._check(container, moment)
                self._write(packet, kind, moment)

    def _run_on(self, begins_at: datetime) -> None:
        """Let a recording follow that begins before the end of what is written."""
        if self._end_at is not None and self._end_at - begins_at > GAP:
            self._twice.append((begins_at, self._end_at))
            self._closed_up += begins_at - self._end_at
            self._end_at = begins_at

    def end(self) -> tuple[datetime, datetime, tuple[Stretch, ...], tuple[Stretch, ...]] | None:
        """Finish the file; return begin, end, gaps and what comes twice; None when nothing was written."""
        if self._container is None or self._started_at is None or self._end_at is None:
            return None
        self._container.close()
        ended_at = max([self._end_at, *(to_at for _, to_at in self._twice)])
        return self._started_at, ended_at, tuple(self._gaps), tuple(self._twice)

    def _begin(self, source: av.container.InputContainer, at: datetime) -> None:
        self._container = av.open(str(self._file), "w", format="mp4", options={"movflags": "+faststart"})
        self._stack.callback(self._close_quietly)
        for stream in (source.streams.video[0], *source.streams.audio[:1]):
            self._streams[stream.type] = self._container.add_stream_from_template(stream)
            self._formats[stream.type] = _format(stream)
        self._started_at = self._end_at = at

    def _check(self, source: av.container.InputContainer, at: datetime) -> None:
        """Refuse a change of the picture's format; sound of another format is left out."""
        if _format(source.streams.video[0]) != self._formats["video"]:
            moment = at.isoformat(timespec="seconds")
            raise BadInputError(f"The camera's format changed at {moment}: export what is before and after it apart.")
        for stream in source.streams.audio[:1]:
            if "audio" in self._streams and _format(stream) != self._formats["audio"]:
                del self._streams["audio"]

    def _write(self, packet: Any, kind: str, moment: datetime) -> None:
        assert self._container is not None
        assert self._started_at is not None
        assert self._end_at is not None
        stream = self._streams.get(kind)
        if stream is None:
            return
        duration = timedelta(seconds=float((packet.duration or 0) * packet.time_base))
        if kind == "video":
            if moment - self._end_at > GAP:
                self._gaps.append((self._end_at, moment))
                self._closed_up += moment - self._end_at
            self._end_at = max(self._end_at, moment + duration)
        base = packet.time_base
        shown = round((moment - self._started_at - self._closed_up).total_seconds() / base)
        dts = shown - (packet.pts - packet.dts)
        if kind in self._last_dts_s:
            dts = max(dts, math.floor(self._last_dts_s[kind] / base) + 1)
        self._last_dts_s[kind] = dts * base
        copy = av.Packet(bytes(packet))
        copy.stream, copy.time_base = stream, base
        copy.dts, copy.pts = dts, max(shown, dts)
        copy.duration, copy.is_keyframe = packet.duration, packet.is_keyframe
        self._container.mux(copy)

    def _close_quietly(self) -> None:
        if self._container is not None:
            with contextlib.suppress(av.FFmpegError, OSError):
                self._container.close()


def _format(stream: Any) -> tuple[Any, ...]:
    context = stream.codec_context
    return (context.name, context.extradata, getattr(context, "width", 0), getattr(context, "height", 0))


def _reordered(packet: Any) -> bool:
    """Return whether pictures that are shown earlier may still follow."""
    return bool(packet.pts != packet.dts)
