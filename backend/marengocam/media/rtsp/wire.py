"""A camera's RTSP connection: messages, and between them the interleaved frames that carry RTP (RFC 2326, 10.12).

All that the system has is taken at once. FFmpeg asks it three times for each packet of 1.4 kB, which was two thirds of
what reading a camera cost.
"""

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import replace

from marengocam.core.clock import Clock
from marengocam.media.faults import Fault, StreamError, fault_of
from marengocam.media.rtsp.messages import HEAD_END, MAX_HEAD_BYTES, Answer, MessageError, head_of

FRAME_MARK = 0x24  # "$"
FRAME_HEAD_BYTES = 4
FRAME_MAX_BYTES = FRAME_HEAD_BYTES + 0xFFFF
BUFFER_BYTES = 2 * FRAME_MAX_BYTES
RUBBISH_MAX_BYTES = 4 * 1024 * 1024  # between frames, in one connection
LOOK_UP_S = 0.25  # a read that nothing comes for is left so often, to see whether it has lasted too long
Frame = tuple[int, memoryview]


class Wire:
    """One connection; raises StreamError when it cannot be made, ends, or carries something else."""

    def __init__(self, host: str, port: int, limit_s: float, clock: Clock) -> None:
        self._clock = clock
        fault = None
        try:
            self._socket = socket.create_connection((host, port), limit_s)
        except TimeoutError:
            fault = Fault.UNREACHABLE
        except (OSError, UnicodeError) as error:
            fault = Fault.UNREACHABLE if isinstance(error, (socket.gaierror, UnicodeError)) else fault_of(error)
        if fault is not None:  # out here: the error's own text would name the address
            raise StreamError(fault)
        self._socket.settimeout(None)
        interval = struct.pack("ll", int(LOOK_UP_S), round(LOOK_UP_S % 1 * 1_000_000))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, interval)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._buffer = bytearray(BUFFER_BYTES)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0
        self._rubbish_bytes = 0
        self.plays = False  # until it does, whatever is no message is no camera's

    def send(self, content: bytes) -> None:
        """Send a message, which is small: a camera that does not even take that has ended."""
        if self._sent(content) < len(content):
            raise StreamError(Fault.ENDED)

    def offer(self, content: bytes) -> None:
        """Send a message that may be missed: some cameras read nothing while they send, until there is no more room."""
        if self._sent(content) not in (0, len(content)):
            raise StreamError(Fault.ENDED)  # half a message: the next would not be understood

    def _sent(self, content: bytes) -> int:
        with contextlib.suppress(OSError):
            return self._socket.send(content, socket.MSG_DONTWAIT)
        return 0

    def close(self) -> None:
        """Let the camera go."""
        self._socket.close()

    def items(self) -> Iterator[Frame | Answer | None]:
        """Yield what comes, without an end; a frame's payload holds until the next.

        None comes in between, each LOOK_UP_S at least: for who has something else to look at.
        """
        buffer, view = self._buffer, self._view
        while True:
            while (space := self._end - self._start) >= FRAME_HEAD_BYTES:
                start = self._start
                if buffer[start] != FRAME_MARK:
                    answer = self._message()
                    if answer is not None:
                        yield answer
                        continue
                    if self._start == start:  # not whole yet
                        break
                    continue
                end = FRAME_HEAD_BYTES + (buffer[start + 2] << 8 | buffer[start + 3])
                if space < end:
                    break
                self._start = start + end
                yield buffer[start + 1], view[start + FRAME_HEAD_BYTES : start + end]
            self._fill()
            yield None

    def answer(self, until_s: float) -> tuple[Answer, list[tuple[int, bytes]]]:
        """Return the next answer, and the frames that came before it; raises StreamError if there is none in time."""
        early: list[tuple[int, bytes]] = []
        for item in self.items():
            if isinstance(item, Answer):
                if item.status:
                    return item, early
            elif item is not None:
                early.append((item[0], bytes(item[1])))
            if self._clock.monotonic_s() >= until_s:
                break
        raise StreamError(Fault.STALLED)

    def _fill(self) -> None:
        """Take what the system has; if it has nothing, wait for LOOK_UP_S."""
        if self._start == self._end:
            self._start = self._end = 0
        elif BUFFER_BYTES - self._start < FRAME_MAX_BYTES:
            rest = self._end - self._start
            self._view[:rest] = self._view[self._start : self._end]
            self._start, self._end = 0, rest
        fault, count = None, 0
        try:
            count = self._socket.recv_into(self._view[self._end :])
            if count == 0:
                fault = Fault.ENDED if self.plays or self._start == self._end else Fault.NOT_VIDEO
        except BlockingIOError:
            return
        except OSError as error:
            fault = fault_of(error)
            fault = Fault.ENDED if fault is Fault.OTHER else fault
        if fault is not None:
            raise StreamError(fault)
        self._end += count

    def _message(self) -> Answer | None:
        """Take a message; None: it is not whole yet, or was rubbish, of which at least a byte has been taken."""
        start = self._start
        found = self._buffer.find(HEAD_END, start, min(self._end, start + MAX_HEAD_BYTES))
        if bytes(self._view[start : start + 1]).isalpha():
            if found < 0 and self._end - start < MAX_HEAD_BYTES:
                return None
            with contextlib.suppress(MessageError):
                answer, size = head_of(bytes(self._view[start : max(found, start)]))
                body_start = found + len(HEAD_END)
                if self._end < body_start + size:
                    return None
                self._start = body_start + size
                return replace(answer, body=bytes(self._view[body_start : self._start]))
        if not self.plays:
            raise StreamError(Fault.NOT_VIDEO)
        following = self._buffer.find(FRAME_MARK, start + 1, self._end)
        self._start = following if following >= 0 else self._end
        self._rubbish_bytes += self._start - start
        if self._rubbish_bytes > RUBBISH_MAX_BYTES:
            raise StreamError(Fault.NOT_VIDEO)
        return None
