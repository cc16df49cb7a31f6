"""Cameras of GStreamer's RTSP server: every codec, transport, login and sound that owners' cameras use."""

import asyncio
import itertools
import signal
import threading

import pytest
from tests.support.certificates import write_certificate
from tests.support.gst_camera import gst_camera
from tests.support.watching import watch

from marengocam.core.camera_options import Transport
from marengocam.core.secret import Secret
from marengocam.media.faults import Fault, StreamError
from marengocam.media.stream import StreamOptions

FPS = 15
BEGIN_LIMIT_S = 20.0
PASSWORD = "p@ss:w/rd"
LOGIN = ("--login", f"me:{PASSWORD}")


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize(("codec", "told"), [("h264", "h264"), ("h265", "hevc"), ("mjpeg", "mjpeg")])
async def test_every_codec_comes_over_tcp_and_udp_in_order(codec, told, transport):
    async with gst_camera("--codec", codec) as camera:
        seen = await asyncio.to_thread(watch, camera.url, StreamOptions(transport=transport))
    assert (seen.info.codec, seen.info.width_px, seen.info.height_px) == (told, 320, 240)
    assert seen.runs_smoothly
    assert sum(seen.steps_s) / len(seen.steps_s) == pytest.approx(1 / FPS, rel=0.1)
    keyframes = [number for number, one in enumerate(seen.pictures) if one.keyframe]
    assert {b - a for a, b in itertools.pairwise(keyframes)} == {1 if codec == "mjpeg" else FPS}


@pytest.mark.parametrize(
    ("sound", "told", "rate_hz"),
    [("aac", "aac", 16_000), ("pcmu", "pcm_mulaw", 8_000), ("pcma", "pcm_alaw", 8_000)],
)
async def test_sound_comes_between_the_pictures_on_their_clock(sound, told, rate_hz):
    async with gst_camera("--sound", sound) as camera:
        seen = await asyncio.to_thread(watch, camera.url, None, 60)
    assert seen.info.audio == told
    heard = sum(one.packet.duration * one.packet.time_base for one in seen.sounds[:-1])
    assert seen.sounds[0].packet.time_base.denominator == rate_hz
    assert float(heard) == pytest.approx(seen.sounds[-1].stream_s - seen.sounds[0].stream_s, abs=0.2)
    heard_s = [one.stream_s for one in seen.sounds]
    assert heard_s == sorted(set(heard_s))
    film_s = (seen.pictures[0].stream_s, seen.pictures[-1].stream_s)
    assert heard_s[0] == pytest.approx(film_s[0], abs=0.5)
    assert heard_s[-1] == pytest.approx(film_s[1], abs=0.5)
    assert max(b - a for a, b in itertools.pairwise(heard_s)) < 0.3, "without a hole"


@pytest.mark.parametrize("method", ["basic", "digest"])
async def test_the_password_opens_the_camera_and_no_other_does(method):
    async with gst_camera("--auth", method, *LOGIN) as camera:
        seen = await asyncio.to_thread(watch, camera.url, StreamOptions("me", Secret(PASSWORD)), 5)
        assert len(seen.pictures) == 5
        for wrong in (StreamOptions(), StreamOptions("me", Secret("wr0ng")), StreamOptions("you", Secret(PASSWORD))):
            with pytest.raises(StreamError) as caught:
                await asyncio.to_thread(watch, camera.url, wrong, 5)
            assert caught.value.kind is Fault.AUTH
            assert "wr0ng" not in str(caught.value)


async def test_an_encrypted_camera_with_a_certificate_of_its_own_is_read(tmp_path):
    certificate = write_certificate(tmp_path / "camera.pem")
    async with gst_camera("--certificate", str(certificate), "--auth", "digest", *LOGIN) as camera:
        assert camera.url.startswith("rtsps://")
        seen = await asyncio.to_thread(watch, camera.url, StreamOptions("me", Secret(PASSWORD)))
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(watch, camera.url, StreamOptions("me", Secret("wr0ng")))
    assert seen.runs_smoothly
    assert caught.value.kind is Fault.AUTH


@pytest.mark.parametrize(("offered", "asked"), [("udp", Transport.TCP), ("tcp", Transport.UDP)])
async def test_a_camera_that_offers_only_the_other_transport_is_told_so(offered, asked):
    async with gst_camera("--only", offered) as camera:
        with pytest.raises(StreamError) as caught:
            await asyncio.to_thread(watch, camera.url, StreamOptions(transport=asked))
    assert caught.value.kind is Fault.TRANSPORT


async def test_a_codec_that_cannot_be_recorded_is_named():
    async with gst_camera("--codec", "vp8") as camera:
        with pytest.raises(StreamError, match="vp8") as caught:
            await asyncio.to_thread(watch, camera.url)
    assert caught.value.kind is Fault.CODEC


@pytest.mark.parametrize("transport", list(Transport))
async def test_silence_is_noticed_when_its_limit_is_over_and_not_after_twice_that(transport):
    options = StreamOptions(transport=transport, stall_timeout_s=2)
    async with gst_camera() as camera:
        begun = threading.Event()
        watching = asyncio.create_task(asyncio.to_thread(watch, camera.url, options, 10 * FPS, begun))
        assert await asyncio.to_thread(begun.wait, BEGIN_LIMIT_S)
        camera.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(1.7 * options.stall_timeout_s)
        camera.process.send_signal(signal.SIGCONT)
        with pytest.raises(StreamError) as caught:
            await watching
    assert caught.value.kind is Fault.STALLED


@pytest.mark.parametrize("transport", list(Transport))
async def test_a_camera_that_loses_its_power_is_noticed(transport):
    async with gst_camera() as camera:
        begun, options = threading.Event(), StreamOptions(transport=transport, stall_timeout_s=2)
        watching = asyncio.create_task(asyncio.to_thread(watch, camera.url, options, 10_000, begun))
        assert await asyncio.to_thread(begun.wait, BEGIN_LIMIT_S)
        await camera.kill()
        with pytest.raises(StreamError) as caught:
            await watching
    assert caught.value.kind in {Fault.ENDED, Fault.STALLED}
