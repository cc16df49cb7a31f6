"""A decoder in a process of its own: `python -m marengocam.ingest.decoder_process READ_FD WRITE_FD MEMORY_BYTES`.

It ends when its parent closes the pipe, or when a stream makes it take more memory than it may; where it hangs, with
the thread that started it.
"""

import resource
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any

import av
import msgspec

from marengocam.ingest.decoding import local_decoder
from marengocam.orphans import end_with_parent


class Begin(msgspec.Struct, tag=True, frozen=True):
    """What stream is decoded; the first message."""

    codec: str
    extradata: bytes


class Compressed(msgspec.Struct, tag=True, frozen=True):
    """One packet; its bytes are the next message."""

    pts: int | None
    dts: int | None
    skip_frame: str


class Drain(msgspec.Struct, tag=True, frozen=True):
    """Hand over what is held back; a keyframe comes next."""


class Decoded(msgspec.Struct, frozen=True):
    """One picture; its planes are the next message. A list of these answers each packet."""

    pts: int | None
    width_px: int
    height_px: int
    pixels: str  # FFmpeg's name of their format


READER: msgspec.msgpack.Decoder[Begin | Compressed | Drain] = msgspec.msgpack.Decoder(Begin | Compressed | Drain)
PLANAR = ("yuv420p", "yuvj420p", "gray")  # sent as they are; everything else as yuv420p


def main(arguments: list[str]) -> int:
    """Serve one stream until the pipe is closed."""
    read_fd, write_fd, memory_bytes = (int(argument) for argument in arguments)
    end_with_parent(signal.SIGKILL)  # one that hangs hears of no pipe
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    questions, answers = Connection(read_fd, writable=False), Connection(write_fd, readable=False)
    context: Any = None
    while True:
        try:
            message = READER.decode(questions.recv_bytes())
            if isinstance(message, Begin):
                context = local_decoder(message.codec, message.extradata)
                continue
            if isinstance(message, Drain):
                _answer(answers, _drain(context))
                continue
            _answer(answers, _decode(context, message, questions.recv_bytes()))
        except (EOFError, OSError):
            return 0
        except MemoryError:
            return 1


def _decode(context: Any, message: Compressed, content: bytes) -> list[Any]:
    packet = av.Packet(content)
    packet.pts, packet.dts = message.pts, message.dts
    if context.skip_frame != message.skip_frame:
        context.skip_frame = message.skip_frame
    try:
        return list(context.decode(packet))
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        return []


def _drain(context: Any) -> list[Any]:
    frames = list(context.decode(None))
    context.flush_buffers()
    return frames


def _answer(answers: Connection, frames: list[Any]) -> None:
    sent = [_planar(frame) for frame in frames]
    told = [Decoded(one.pts, one.width, one.height, one.format.name) for one in sent]
    answers.send_bytes(msgspec.msgpack.encode(told))
    for one in sent:
        answers.send_bytes(one.to_ndarray().tobytes())


def _planar(frame: Any) -> Any:
    """Return a frame whose planes can be sent: planar, of even size."""
    even = (frame.width & ~1, frame.height & ~1)
    if frame.format.name in PLANAR and (frame.width, frame.height) == even:
        return frame
    return frame.reformat(width=even[0], height=even[1], format=PLANAR[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
