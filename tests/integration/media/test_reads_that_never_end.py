"""A camera that sends pictures and then goes on sending, but no pictures, is given up in time."""

import asyncio

import pytest
from tests.support import bad_cameras as bad
from tests.support.certificates import write_certificate
from tests.support.clips import write_counter_clip

from marengocam.core.camera_options import Transport
from marengocam.core.clock import SystemClock
from marengocam.media.faults import Fault, StreamError
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

STALL_LIMIT_S = 1.5
GIVEN_UP_WITHIN_S = 30.0  # on a machine that other tests keep busy; without a limit it would be never
PICTURES = 30
NO_PICTURES = {
    "a byte at a time": (b"$", 0.2),
    "rubbish, well packed": (b"$\x00\x04\xb0" + bytes(1200), 0.05),
    "only reports of its clock": (b"$\x01\x00\x1c\x80\xc8\x00\x06" + bytes(24), 0.2),
}


def read(url: str, *, sound: bool = False, transport: Transport = Transport.TCP) -> tuple[int, Fault]:
    """Read until the stream ends; return how many pictures came and what was wrong."""
    pictures = 0
    options = StreamOptions(transport=transport, stall_timeout_s=STALL_LIMIT_S, sound=sound)
    try:
        with StreamReader(url, options, SystemClock()) as reader:
            for packet in reader.packets(sound=sound):
                pictures += isinstance(packet, StreamPacket)
    except StreamError as error:
        return pictures, error.kind
    raise AssertionError("a live stream ended without a word")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_counter_clip(tmp_path_factory.mktemp("clip") / "counter.mp4", frames=300)


@pytest.mark.parametrize("rest", NO_PICTURES.values(), ids=NO_PICTURES.keys())
async def test_who_sends_but_no_pictures_has_stalled(clip, rest):
    async with bad.tcp_camera(bad.tires(bad.load(clip), PICTURES, *rest)) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        pictures, fault = await asyncio.to_thread(read, url)
    assert fault is Fault.STALLED
    assert pictures >= PICTURES - 1  # FFmpeg hands a picture over when the next one begins


@pytest.mark.parametrize("rest", NO_PICTURES.values(), ids=NO_PICTURES.keys())
async def test_nor_does_encryption_hide_it(clip, rest, tmp_path):
    certificate = write_certificate(tmp_path / "camera.pem")
    behaviour = bad.tires(bad.load(clip), PICTURES, *rest)
    async with bad.tcp_camera(behaviour, certificate) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        pictures, fault = await asyncio.to_thread(read, url)
    assert fault is Fault.STALLED
    assert pictures >= PICTURES - 1


@pytest.mark.parametrize("what", ["rubbish, well packed", "only reports of its clock"])
async def test_who_sends_but_no_pictures_over_udp_has_stalled(clip, what):
    behaviour = bad.tires(bad.load(clip), PICTURES, *NO_PICTURES[what])
    async with bad.tcp_camera(behaviour) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        pictures, fault = await asyncio.to_thread(read, url, transport=Transport.UDP)
    assert fault is Fault.STALLED
    assert pictures >= PICTURES - 1


@pytest.mark.parametrize(("source", "fault"), [(1, Fault.ENDED), (2, Fault.STALLED)], ids=["its own", "another's"])
async def test_a_camera_that_says_goodbye_and_stays_connected_has_ended(clip, source, fault):
    goodbye = b"$\x01\x00\x08\x81\xcb\x00\x01" + source.to_bytes(4, "big")
    async with bad.tcp_camera(bad.tires(bad.load(clip), PICTURES, goodbye, 0.2)) as url:
        async with asyncio.timeout(GIVEN_UP_WITHIN_S):
            assert await asyncio.to_thread(read, url) == (PICTURES, fault)


@pytest.mark.parametrize("sound", [True, False], ids=["sound is recorded", "sound is not asked for"])
async def test_a_camera_that_goes_dark_has_stalled_though_its_sound_goes_on(clip, sound):
    async with bad.tcp_camera(bad.goes_dark(bad.load(clip), PICTURES)) as url, asyncio.timeout(GIVEN_UP_WITHIN_S):
        pictures, fault = await asyncio.to_thread(read, url, sound=sound)
    assert fault is Fault.STALLED
    assert pictures >= PICTURES - 1
