"""Decoding a stream's packets into frames with their wall times."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import av

from marengocam.ingest.decode_queue import QueuedPacket
from marengocam.media.opening import SIZE_LIMIT

KEPT_TIMES = 256


class SessionDecoder:
    """A decoder that starts anew with every session of its stream; damaged pictures are passed over."""

    def __init__(self) -> None:
        self._session: int | None = None
        self._context: Any = None
        self._times: dict[int, datetime] = {}
        self._started = False
        self.skip_frame = "DEFAULT"  # FFmpeg's AVDiscard: what is passed over from the next packet on
        self.decoded = 0
        self.damaged = 0

    def frames(self, queued: QueuedPacket) -> Iterator[tuple[Any, datetime]]:
        """Yield (frame, when it was filmed) for one packet."""
        if queued.session != self._session:
            self._begin(queued)
        packet = queued.packet.packet
        if not self._started and not queued.packet.keyframe:
            return
        self._started = True
        if packet.pts is not None:
            self._times[packet.pts] = queued.packet.at
            for stamp in list(itertools.islice(self._times, max(0, len(self._times) - KEPT_TIMES))):
                del self._times[stamp]
        if self._context.skip_frame != self.skip_frame:
            self._context.skip_frame = self.skip_frame
        try:
            decoded = self._context.decode(packet)
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in decoded:
            self.decoded += 1
            yield frame, self._times.pop(frame.pts, queued.packet.at)

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

    def _begin(self, queued: QueuedPacket) -> None:
        context = av.CodecContext.create(queued.info.codec, "r")
        context.options = dict(SIZE_LIMIT)
        if queued.info.extradata:
            context.extradata = queued.info.extradata
        # One thread: more of them hold frames back for hundreds of milliseconds.
        context.thread_type = "NONE"
        context.thread_count = 1
        self._context, self._session = context, queued.session
        self._times.clear()
        self._started = False
