"""Our own reader of RTSP over TCP: what FFmpeg would give, a picture earlier, from whatever cameras put on the wire."""

import asyncio
import gc
import itertools
import re

import av
import pytest
from tests.support import bad_cameras as bad
from tests.support.clips import write_counter_clip
from tests.support.watching import watch

from marengocam.core.clock import SystemClock
from marengocam.media import stream
from marengocam.media.rtsp.session import NotOursError
from marengocam.media.rtsp.source import RtspSource
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

FPS = 15
GIVEN_UP_WITHIN_S = 30.0
PICTURES = 60


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_counter_clip(tmp_path_factory.mktemp("clip") / "counter.mp4", frames=150)


@pytest.fixture(scope="module")
def clip(file):
    return bad.load(file)


def write_reordered(file, codec, options):
    """Write a clip whose pictures are sent in another order than they are shown."""
    with av.open(str(file), "w") as container:
        track = container.add_stream(codec, rate=FPS, options=options)
        track.width, track.height, track.pix_fmt = 320, 240, "yuv420p"
        for number in range(PICTURES + 40):
            frame = av.VideoFrame(320, 240, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes((number * 7 + place // 64) % 256 for place in range(plane.buffer_size)))
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return file


@pytest.fixture(scope="module", params=["h264", "h265"])
def reordered(request, tmp_path_factory):
    codec = "libx265" if request.param == "h265" else "libx264"
    options = {"x265-params": "bframes=3:keyint=20:log-level=none"} if codec == "libx265" else {"bf": "3", "g": "20"}
    file = write_reordered(tmp_path_factory.mktemp("reordered") / "film.mp4", codec, options)
    return bad.load(file)


async def read(url, monkeypatch, *, ffmpeg):
    """Read pictures by FFmpeg or by our own reader, and see to it that it is that one."""
    made = []

    def chosen(*arguments, **named):
        if ffmpeg:
            raise NotOursError
        made.append(RtspSource(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(stream, "RtspSource", chosen)
    seen = await asyncio.to_thread(watch, url, None, PICTURES)
    assert len(made) == (0 if ffmpeg else 1)
    return seen


async def both(clip, monkeypatch):
    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(bad.steady(clip)) as url:
        return [await read(url, monkeypatch, ffmpeg=ffmpeg) for ffmpeg in (False, True)]


def times_of(seen):
    """Return when pictures are shown; FFmpeg has no right time yet for the first ones."""
    shown = [one.packet.pts for one in seen.pictures[2:]]
    return [one - shown[0] for one in shown]


async def test_it_gives_the_pictures_that_ffmpeg_gives(clip, monkeypatch):
    ours, theirs = await both(clip, monkeypatch)
    assert [bytes(one.packet) for one in ours.pictures] == [bytes(one.packet) for one in theirs.pictures]
    assert [one.keyframe for one in ours.pictures] == [one.keyframe for one in theirs.pictures]
    assert times_of(ours) == times_of(theirs)
    told = [(one.info.codec, one.info.width_px, one.info.height_px, one.info.audio) for one in (ours, theirs)]
    assert told[0] == told[1]
    assert ours.runs_smoothly
    assert [bytes(one.packet) for one in ours.sounds[:40]] == [bytes(one.packet) for one in theirs.sounds[:40]]


async def test_pictures_that_are_reordered_are_decoded_before_they_are_shown(reordered, monkeypatch):
    ours, theirs = await both(reordered, monkeypatch)
    assert [bytes(one.packet) for one in ours.pictures] == [bytes(one.packet) for one in theirs.pictures]
    shown, sent = [[getattr(one.packet, name) for one in ours.pictures] for name in ("pts", "dts")]
    assert times_of(ours) == times_of(theirs)
    assert shown != sorted(shown), "the clip is what it is meant to be"
    settled = [*zip(sent, shown, strict=True)][12:]
    assert all(one <= at for one, at in settled)
    assert [one for one, _ in settled] == sorted({one for one, _ in settled})


async def test_a_picture_is_handed_over_when_it_has_come_not_when_the_next_one_has(clip):
    handed = asyncio.Semaphore(0)
    begin, late = 10, 20

    async def then(_reader, writer):
        for number, picture in enumerate(bad.interleaved(clip)):
            writer.write(picture)
            await writer.drain()
            if number < begin:
                await asyncio.sleep(1 / FPS)
            else:
                await handed.acquire()

    loop = asyncio.get_running_loop()

    def pictures(url):
        with StreamReader(url, StreamOptions(), SystemClock()) as reader:
            for number, _ in zip(range(begin + late), reader, strict=False):
                if number >= begin - 1:
                    loop.call_soon_threadsafe(handed.release)
        return number + 1

    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(bad.after_play(clip, then)) as url:
        assert await asyncio.to_thread(pictures, url) == begin + late


async def test_what_else_is_on_the_wire_harms_no_picture(clip, monkeypatch):
    between = [
        b"RTSP/1.0 200 OK\r\nCSeq: 99\r\nContent-Length: 5\r\n\r\n$\x00\x00\x01x",  # its body looks like a frame
        b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"$\x09\x00\x03abc",  # a track that nobody asked for
        b"$\x00\x00\x00",  # an empty frame
        b"$\x00\x00\x05\x80\x60abc",  # a packet of RTP without a header
        b"\x00\x01\x02 rubbish ",
        b"$\x01\x00\x04\x80\xc8\x00\x06",  # half a report
    ]

    async def then(_reader, writer):
        for number, picture in enumerate(bad.interleaved(clip)):
            content = picture + between[number % len(between)]
            for begin in range(0, len(content), 700):
                writer.write(content[begin : begin + 700])
                await writer.drain()
            await asyncio.sleep(1 / FPS)

    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(bad.after_play(clip, then)) as url:
        seen = await read(url, monkeypatch, ffmpeg=False)
    sent = [b"".join(b"\0\0\0\1" + nal for nal in unit.nal_units) for unit in clip.units]
    assert [bytes(one.packet) for one in seen.pictures] == sent[:PICTURES]


async def test_the_camera_hears_now_and_then_that_somebody_looks_and_at_the_end_that_nobody_does(clip):
    heard = bytearray()

    async def then(reader, writer):
        async def listen():
            while content := await reader.read(4096):
                heard.extend(content)

        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(listen())
            for picture in itertools.islice(bad.interleaved(clip), 70):
                writer.write(picture)
                await asyncio.sleep(1 / FPS)

    clock = SystemClock()

    def pictures(url):
        with StreamReader(url, StreamOptions(), clock) as reader:
            began_s = clock.monotonic_s()
            for number, packet in enumerate(reader):
                assert isinstance(packet, StreamPacket)
                if number >= 45:
                    break
            return clock.monotonic_s() - began_s

    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(bad.after_play(clip, then, timeout_s=2)) as url:
        read_s = await asyncio.to_thread(pictures, url)
        while b"TEARDOWN" not in heard:
            await asyncio.sleep(0.02)
    signs = re.findall(rb"OPTIONS \S+ RTSP/1.0\r\n(?:.*\r\n)*?Session: 1\r\n", bytes(heard))
    assert 2 <= len(signs) <= round(read_s), "each second, for the three seconds that 45 pictures take, or longer"
    assert heard.count(b"$\x01\x00\x20\x81\xc9") == len(signs), "receiver reports"


async def test_a_camera_that_our_own_questions_fail_at_is_read_by_ffmpeg(clip):
    behaviours = [bad.hangs_up, bad.steady(clip)]

    async def camera(reader, writer):
        await behaviours.pop(0)(reader, writer)

    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(camera) as url:
        seen = await asyncio.to_thread(watch, url)
    assert seen.runs_smoothly
    assert behaviours == []


async def test_pictures_that_come_before_the_answer_to_play_are_kept(clip, monkeypatch):
    pictures = [*bad.interleaved(clip)]
    plain = bad.after_play(clip, lambda _reader, writer: later(writer))

    async def later(writer):
        for picture in pictures[5:]:
            writer.write(picture)
            await writer.drain()
            await asyncio.sleep(1 / FPS)

    class Hasty:
        """Sends the first pictures in front of the answer to PLAY."""

        def __init__(self, writer):
            self._writer, self._answers = writer, 0

        def write(self, content):
            if content.startswith(b"RTSP/1.0"):
                self._answers += 1
                if self._answers == 4:
                    self._writer.write(b"".join(pictures[:5]))
            self._writer.write(content)

        def __getattr__(self, name):
            return getattr(self._writer, name)

    async def camera(reader, writer):
        await plain(reader, Hasty(writer))

    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(camera) as url:
        seen = await read(url, monkeypatch, ffmpeg=False)
    first = b"".join(b"\0\0\0\1" + nal for nal in clip.units[0].nal_units)
    assert bytes(seen.pictures[0].packet) == first


async def test_what_came_before_the_first_keyframe_is_not_kept_once_it_was_handed_over(clip):
    async def then(_reader, writer):
        for picture in itertools.islice(bad.interleaved(clip), 3, None):  # the next keyframe is the 15th
            writer.write(picture)
            await writer.drain()
            await asyncio.sleep(1 / FPS)

    def pictures(url):
        with StreamReader(url, StreamOptions(), SystemClock()) as reader:
            for number, picture in enumerate(reader):
                if number == 30:
                    return picture, [one for one in gc.get_objects() if isinstance(one, av.Packet)]
        return None

    before = sum(isinstance(one, av.Packet) for one in gc.get_objects())
    async with asyncio.timeout(GIVEN_UP_WITHIN_S), bad.tcp_camera(bad.after_play(clip, then)) as url:
        last, living = await asyncio.to_thread(pictures, url)
    assert any(one is last.packet for one in living)
    assert len(living) - before <= 3
