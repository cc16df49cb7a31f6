"""A decoder in a process of its own, as the one that decodes here sees it: a stream that breaks it breaks only it."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import Any

import av
import msgspec
import numpy as np

from marengocam.ingest.decoder_process import Begin, Compressed, Decoded, Drain
from marengocam.ingest.decoding import DecoderLostError

MEMORY_BYTES = 768 << 20  # of data: a decoder of 8K video needs about half
TAKE_LIMIT_S = 8.0  # a child that is just starting takes nothing yet; with the answer still less than the watchdog's
ANSWER_LIMIT_S = 5.0
END_LIMIT_S = 1.0
_TOLD: msgspec.msgpack.Decoder[list[Decoded]] = msgspec.msgpack.Decoder(list[Decoded])


class IsolatedDecoder:
    """Decodes one session of a stream in a child process; `decode` raises DecoderLostError when that ended or hangs."""

    def __init__(self, codec: str, extradata: bytes, memory_bytes: int = MEMORY_BYTES) -> None:
        self.skip_frame = "DEFAULT"
        child_read, write = _limited_pipe(socket.SO_SNDTIMEO, TAKE_LIMIT_S)
        child_write, read = _limited_pipe(socket.SO_RCVTIMEO, ANSWER_LIMIT_S)
        self._questions, self._answers = Connection(write, readable=False), Connection(read, writable=False)
        command = (sys.executable, "-m", "marengocam.ingest.decoder_process")
        self.process = subprocess.Popen(
            (*command, str(child_read), str(child_write), str(memory_bytes)),
            pass_fds=(child_read, child_write),
            stdin=subprocess.DEVNULL,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        os.close(child_read)
        os.close(child_write)
        self._ask(Begin(codec, extradata))

    def decode(self, packet: Any) -> list[Any]:
        """Return the frames that a packet completes; with None those that are held back."""
        if packet is None:
            self._ask(Drain())
        else:
            self._ask(Compressed(packet.pts, packet.dts, self.skip_frame), bytes(packet))
        return [_frame(told, self._answer()) for told in _TOLD.decode(self._answer())]

    def flush_buffers(self) -> None:
        """Be ready for a keyframe; the child is so after each Drain."""

    def close(self) -> None:
        """End the child."""
        for pipe in (self._questions, self._answers):
            with contextlib.suppress(OSError):
                pipe.close()
        try:
            self.process.wait(END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def _ask(self, message: Begin | Compressed | Drain, content: bytes | None = None) -> None:
        try:
            self._questions.send_bytes(msgspec.msgpack.encode(message))
            if content is not None:
                self._questions.send_bytes(content)
        except OSError as error:
            self.process.send_signal(signal.SIGKILL)  # it ended, or stands still
            self.close()
            raise DecoderLostError from error

    def _answer(self) -> bytes:
        try:
            return self._answers.recv_bytes()
        except BlockingIOError:
            self.process.send_signal(signal.SIGKILL)
        except (EOFError, OSError):
            pass  # it ended
        self.close()
        raise DecoderLostError


def _limited_pipe(option: int, limit_s: float) -> tuple[int, int]:
    """Return the child's end and ours of a pipe on which we wait for so long at most, to send or to receive.

    A plain pipe has no such limit: whoever writes a large picture to a child that stands still would stand still too.
    """
    childs, ours = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", *divmod(int(limit_s * 1e6), 1_000_000)))
    return childs.detach(), ours.detach()


def _frame(told: Decoded, planes: bytes) -> Any:
    rows = told.height_px if told.pixels == "gray" else told.height_px * 3 // 2
    picture = np.frombuffer(planes, np.uint8).reshape(rows, told.width_px)
    frame = av.VideoFrame.from_ndarray(picture, format=told.pixels)
    frame.pts = told.pts
    return frame
