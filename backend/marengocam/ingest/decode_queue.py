"""Packets waiting to be decoded: bounded, and when analysis falls behind the oldest group of pictures goes."""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from marengocam.media.stream import StreamInfo, StreamPacket

MAX_PACKETS = 600
MAX_WAIT_S = 8.0  # longer than the lag at which survival mode begins, whatever the frame rate


@dataclass(frozen=True, slots=True)
class QueuedPacket:
    """A packet and the stream session it belongs to; decoders live as long as a session."""

    packet: StreamPacket
    session: int
    info: StreamInfo
    template: Any
    queued_at_s: float | None = None  # by the monotonic clock


class DecodeQueue:
    """From the reader's thread to the analysis thread; the reader never waits."""

    def __init__(self, max_packets: int = MAX_PACKETS) -> None:
        self._max_packets = max_packets
        self._packets: deque[QueuedPacket] = deque()
        self._changed = threading.Condition()
        self._until_keyframe = False
        self.lost = 0

    def offer(self, queued: QueuedPacket) -> None:
        """Add a packet; when the queue is full its oldest group of pictures is dropped and counted."""
        with self._changed:
            if self._until_keyframe and not queued.packet.keyframe:
                self.lost += 1
                return
            self._until_keyframe = False
            self._packets.append(queued)
            if len(self._packets) > self._max_packets or self._span_s() > MAX_WAIT_S:
                self._drop_oldest_group()
            self._changed.notify()

    def take(self, timeout_s: float) -> QueuedPacket | None:
        """Return the next packet, or None when none came in time."""
        with self._changed:
            if not self._packets:
                self._changed.wait(timeout_s)
            return self._packets.popleft() if self._packets else None

    def waiting_since_s(self) -> float | None:
        """Return since when the packet waits that is taken next, by the monotonic clock; None: none waits."""
        with self._changed:
            return self._packets[0].queued_at_s if self._packets else None

    def __len__(self) -> int:
        return len(self._packets)

    def _span_s(self) -> float:
        first, last = self._packets[0].queued_at_s, self._packets[-1].queued_at_s
        return 0.0 if first is None or last is None else last - first

    def _drop_oldest_group(self) -> None:
        self._packets.popleft()
        self.lost += 1
        while self._packets and not self._packets[0].packet.keyframe:
            self._packets.popleft()
            self.lost += 1
        # What follows refers to pictures that are gone now, and would decode to smears.
        self._until_keyframe = not self._packets
