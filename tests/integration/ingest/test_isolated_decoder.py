"""A decoder in a process of its own: the same pictures, and trouble that stays its own."""

import os
import signal
import socket
import struct
import subprocess
import sys
import time
from datetime import UTC, datetime

import av
import psutil
import pytest
from tests.support.clips import read_number, write_counter_clip

from marengocam.core.clock import SystemClock
from marengocam.ingest import isolated_decoder
from marengocam.ingest.decode_queue import QueuedPacket
from marengocam.ingest.decoding import DecoderLostError, SessionDecoder
from marengocam.ingest.frames import luma_of
from marengocam.ingest.isolated_decoder import IsolatedDecoder
from marengocam.media.stream import StreamOptions, StreamReader

FRAMES, FPS = 60, 15
LARGE_BYTES = 4 << 20
GONE_LIMIT_S = 30.0
OWNER = """
import os
from marengocam.ingest import isolated_decoder
isolated_decoder.ANSWER_LIMIT_S = 30
decoder = isolated_decoder.IsolatedDecoder("mjpeg", b"")
decoder.decode(None)
print(decoder.process.pid, flush=True)
os.read(0, 1)
"""


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """What starts on a busy machine is no hang."""
    monkeypatch.setattr(isolated_decoder, "ANSWER_LIMIT_S", 30)


@pytest.fixture
def queued(tmp_path):
    return packets_of(write_counter_clip(tmp_path / "counter.mp4", frames=FRAMES, fps=FPS))


def packets_of(clip):
    started_at = datetime(2026, 1, 1, tzinfo=UTC)
    with StreamReader(f"file://{clip}", StreamOptions(), SystemClock(), started_at) as reader:
        return [QueuedPacket(packet, 1, reader.info, None) for packet in reader]


def numbers(decoder: SessionDecoder, packets) -> list[int]:
    return [read_number(luma_of(frame)) for packet in packets for frame, _ in decoder.frames(packet)]


def test_it_decodes_the_same_pictures_with_the_same_times(queued):
    isolated, local = SessionDecoder(IsolatedDecoder), SessionDecoder()
    try:
        for packet in queued:
            theirs, ours = list(isolated.frames(packet)), list(local.frames(packet))
            assert [at for _, at in theirs] == [at for _, at in ours]
            for (one, _), (other, _) in zip(theirs, ours, strict=True):
                assert (luma_of(one) == luma_of(other)).all()
    finally:
        isolated.close()
    assert isolated.decoded >= FRAMES - 2


def test_one_that_is_killed_is_begun_anew_at_the_next_keyframe(queued):
    made = []
    decoder = SessionDecoder(lambda codec, extradata: made.append(IsolatedDecoder(codec, extradata)) or made[-1])
    try:
        assert numbers(decoder, queued[:5]) == [0, 1, 2, 3, 4]
        made[0].process.kill()
        made[0].process.wait()
        assert numbers(decoder, queued[5:FPS]) == []
        assert numbers(decoder, queued[FPS : FPS + 3]) == [FPS, FPS + 1, FPS + 2]
        assert decoder.lost == 1
    finally:
        decoder.close()


def test_one_that_hangs_is_given_up(queued):
    made = []
    decoder = SessionDecoder(lambda codec, extradata: made.append(IsolatedDecoder(codec, extradata)) or made[-1])
    try:
        assert numbers(decoder, queued[:2]) == [0, 1]
        answers = socket.socket(fileno=os.dup(made[0]._answers.fileno()))
        with answers:
            answers.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))
        os.kill(made[0].process.pid, signal.SIGSTOP)
        assert numbers(decoder, queued[2:4]) == []
        assert decoder.lost == 1
        assert made[0].process.returncode is not None, "nothing of it is left"
    finally:
        decoder.close()


def test_one_that_hangs_while_it_is_given_a_large_picture_is_given_up(monkeypatch):
    monkeypatch.setattr(isolated_decoder, "TAKE_LIMIT_S", 0.3)
    decoder = IsolatedDecoder("mjpeg", b"")
    os.kill(decoder.process.pid, signal.SIGSTOP)
    with pytest.raises(DecoderLostError):
        decoder.decode(av.Packet(bytes(LARGE_BYTES)))
    assert decoder.process.returncode is not None, "nothing of it is left"


def test_one_that_hangs_when_its_owner_is_killed_does_not_stay():
    """It would keep its memory, and the pipe of the log."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        decoder = psutil.Process(int(owner.stdout.readline()))
        decoder.suspend()
        owner.kill()
    deadline_s = time.monotonic() + GONE_LIMIT_S
    while decoder.is_running() and decoder.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def test_one_that_wants_too_much_memory_is_not_given_it(tmp_path):
    packets = packets_of(write_counter_clip(tmp_path / "large.mp4", frames=20, fps=5, width=1920, height=1080))
    decoder = SessionDecoder(lambda codec, extradata: IsolatedDecoder(codec, extradata, memory_bytes=8 << 20))
    try:
        assert numbers(decoder, packets) == []
    finally:
        decoder.close()
    assert numbers(SessionDecoder(), packets), "there is nothing wrong with the stream"
