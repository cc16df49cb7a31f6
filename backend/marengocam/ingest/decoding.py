"""Decoding a stream's packets into frames with their wall times."""

import itertools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import av

from marengocam.ingest.decode_queue import QueuedPacket
from marengocam.media.opening import SIZE_LIMIT

KEPT_TIMES = 256
B_FRAMES, UNREFERENCED = "BIDIR", "NONREF"


class DecoderLostError(Exception):
    """A decoder in a process of its own ended or hangs."""


class SessionDecoder:
    """A decoder that starts anew with every session of its stream; damaged pictures are passed over."""

    def __init__(self, make: Callable[[str, bytes], Any] | None = None) -> None:
        self._make = make or local_decoder  # from codec and extradata
        self._session: int | None = None
        self._context: Any = None
        self._times: dict[int, datetime] = {}
        self.skip_frame = "DEFAULT"  # FFmpeg's AVDiscard: what is passed over from the next packet on
        self.decoded = 0
        self.damaged = 0
        self.lost = 0  # times the decoder itself broke and was begun anew

    def frames(self, queued: QueuedPacket, *, alone: bool = False) -> Iterator[tuple[Any, datetime]]:
        """Yield (frame, when it was filmed) for one packet.

        `alone`: none of its group follows this keyframe, which is not held back for pictures that would be shown first.
        """
        if queued.session != self._session and not queued.packet.keyframe:
            return  # nothing can be decoded before a keyframe
        try:
            if queued.session != self._session:
                self._begin(queued)
        except DecoderLostError:
            self.lost += 1
            return
        packet = queued.packet.packet
        if packet.pts is not None:
            self._times[packet.pts] = queued.packet.at
            for stamp in list(itertools.islice(self._times, max(0, len(self._times) - KEPT_TIMES))):
                del self._times[stamp]
        self._skip_frames_of(queued.info.codec)
        try:
            decoded = self._decoded(packet, alone=alone)
        except av.FFmpegError:
            self.damaged += 1
            return
        except DecoderLostError:
            self.lost += 1
            self.close()
            return
        for frame in decoded:
            self.decoded += 1
            yield frame, self._times.pop(frame.pts, queued.packet.at)

    def _skip_frames_of(self, codec: str) -> None:
        # P-pictures of H.264 may refer to B-pictures, and would be damaged without.
        skip_frame = UNREFERENCED if codec == "h264" and self.skip_frame == B_FRAMES else self.skip_frame
        if self._context.skip_frame != skip_frame:
            self._context.skip_frame = skip_frame

    def _decoded(self, packet: Any, *, alone: bool) -> list[Any]:
        decoded = list(self._context.decode(packet))
        if alone:
            decoded += self._context.decode(None)
            self._context.flush_buffers()
        return decoded

    def rest(self) -> Iterator[tuple[Any, datetime]]:
        """Yield the frames that the decoder still holds back, at the end of a file."""
        if self._context is None:
            return
        try:
            decoded = self._context.decode(None)
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in decoded:
            at = self._times.pop(frame.pts, None)
            if at is not None:
                self.decoded += 1
                yield frame, at

    def close(self) -> None:
        """Let go of the decoder."""
        if self._context is not None and hasattr(self._context, "close"):
            self._context.close()
        self._context = self._session = None

    def _begin(self, queued: QueuedPacket) -> None:
        self.close()
        self._context = self._make(queued.info.codec, queued.info.extradata)
        self._session = queued.session
        self._times.clear()


def local_decoder(codec: str, extradata: bytes) -> Any:
    """Return a decoder in this process."""
    context = av.CodecContext.create(codec, "r")
    context.options = dict(SIZE_LIMIT)
    if extradata:
        context.extradata = extradata
    # One thread: more of them hold frames back for hundreds of milliseconds.
    context.thread_type = "NONE"
    context.thread_count = 1
    return context
