"""The limit of a read ends who waits too long for pictures, and nobody else: not a neighbour, not who is at work."""

import asyncio
import itertools
import threading
import time

import pytest
from tests.support import bad_cameras as bad
from tests.support.clips import write_counter_clip

from marengocam.core.clock import SystemClock
from marengocam.media import ffmpeg_source, stream
from marengocam.media.faults import Fault, StreamError
from marengocam.media.rtsp.session import NotOursError
from marengocam.media.rtsp.source import RtspSource
from marengocam.media.sound import SoundPacket
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

LIMIT_S, LONG_LIMIT_S = 1.5, 20.0
WORK_S = 2.5  # more than LIMIT_S
GIVEN_UP_WITHIN_S = 30.0
PICTURES, FPS = 45, 15
AT = 10  # the picture after which there is something to do


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return bad.load(write_counter_clip(tmp_path_factory.mktemp("clip") / "counter.mp4", frames=300))


def left_to_ffmpeg(*_arguments: object, **_named: object) -> RtspSource:
    raise NotOursError


@pytest.fixture(params=["our own reader", "FFmpeg"])
def reads(request, monkeypatch):
    """Read RTSP over TCP by the one, then by the other."""
    if request.param == "FFmpeg":
        monkeypatch.setattr(stream, "RtspSource", left_to_ffmpeg)


def steps_s(
    url: str, limit_s: float = LIMIT_S, work_on: type | None = None, until: threading.Event | None = None
) -> list[float]:
    """Read pictures with their sound, `until` it is set; work long on one packet of that kind. Return their steps."""
    seen_s: list[float] = []
    with StreamReader(url, StreamOptions(stall_timeout_s=limit_s), SystemClock()) as reader:
        for packet in reader.packets(sound=True):
            if isinstance(packet, StreamPacket):
                seen_s.append(packet.stream_s)
            if work_on is not None and isinstance(packet, work_on) and len(seen_s) >= AT:
                time.sleep(WORK_S)
                work_on = None
            if len(seen_s) >= PICTURES and (until is None or until.is_set()):
                break
    return [after - before for before, after in itertools.pairwise(seen_s)]


@pytest.mark.usefixtures("reads")
async def test_of_two_readers_of_one_server_only_the_one_without_pictures_is_ended(clip):
    behaviours = [bad.steady(clip), bad.tires(clip, AT, b"$", 0.2)]

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await behaviours.pop(0)(reader, writer)

    async with bad.tcp_camera(server) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        cut = threading.Event()
        good = asyncio.create_task(asyncio.to_thread(steps_s, url, LONG_LIMIT_S, until=cut))
        while len(behaviours) > 1:
            await asyncio.sleep(0.01)
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(steps_s, url)
        cut.set()
        steps = await good
    assert steps == pytest.approx([1 / FPS] * len(steps))
    assert caught.value.kind is Fault.STALLED


@pytest.mark.usefixtures("reads")
@pytest.mark.parametrize("packet", [StreamPacket, SoundPacket])
async def test_work_on_what_came_is_no_waiting(clip, packet):
    async with bad.tcp_camera(bad.steady(clip)) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        assert await asyncio.to_thread(steps_s, url, work_on=packet) == pytest.approx([1 / FPS] * (PICTURES - 1))


async def test_where_it_is_not_known_how_to_end_a_read_pyav_does_it(clip, monkeypatch):
    monkeypatch.setattr(stream, "RtspSource", left_to_ffmpeg)
    monkeypatch.setattr(
        ffmpeg_source, "place_of_limit", lambda: None
    )  # a PyAV that keeps it elsewhere cannot be had here
    async with bad.tcp_camera(bad.tires(clip, AT, b"$", 0.2)) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(steps_s, url)
    assert caught.value.kind is Fault.STALLED
