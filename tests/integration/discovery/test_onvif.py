"""Cameras found in the network and asked for their streams, those included that lie, hang or are something else."""

import asyncio
from datetime import timedelta

import pytest
from tests.support.onvif_device import OnvifDevice, Responder, probe_match, serving

from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, MediaError
from marengocam.core.secret import Secret
from marengocam.discovery.addresses import onvif_address
from marengocam.discovery.faults import OnvifLoginError
from marengocam.discovery.lookup import look_up
from marengocam.discovery.search import Neighbourhood, discover
from marengocam.discovery.soap import Login

OWNER = Login("owner", Secret("s3cret"))
MAIN = ("main", "H264", 1920, 1080, "rtsp://127.0.0.1:554/main")
SUB = ("sub", "H264", 640, 360, "rtsp://127.0.0.1:554/sub")


async def ask(device: OnvifDevice, login: Login = OWNER, timeout_s: float = 5.0):
    async with serving(device) as address:
        return await look_up(onvif_address(address), login, SystemClock(), timeout_s=timeout_s)


async def test_a_camera_tells_who_it_is_and_its_streams_are_chosen():
    camera = await ask(OnvifDevice(profiles=[SUB, MAIN]))
    assert (camera.manufacturer, camera.model) == ("Lens & Sons", "Eye 3")
    assert camera.main.url == "rtsp://127.0.0.1:554/main"
    assert camera.sub is not None
    assert camera.sub.url == "rtsp://127.0.0.1:554/sub"
    assert (camera.main.codec, camera.main.width_px, camera.main.fps) == ("h264", 1920, 15.0)


async def test_addresses_of_another_host_or_with_a_login_are_made_ours_and_plain():
    elsewhere = ("main", "H264", 1920, 1080, "rtsp://owner:s3cret@192.168.99.7:554/main")
    camera = await ask(OnvifDevice(profiles=[elsewhere]))
    assert camera.main.url == "rtsp://127.0.0.1:554/main"
    assert "s3cret" not in repr(camera)


async def test_a_camera_whose_clock_is_wrong_is_logged_into_and_its_owner_told():
    camera = await ask(OnvifDevice(profiles=[MAIN], clock_ahead=timedelta(hours=3, minutes=2, seconds=30)))
    assert "3 h 2 min ahead" in camera.notes[0]


async def test_a_wrong_password_is_told_and_not_shown():
    with pytest.raises(OnvifLoginError) as refused:
        await ask(OnvifDevice(profiles=[MAIN]), Login("owner", Secret("wr0ng")))
    assert "wr0ng" not in str(refused.value)


async def test_a_camera_that_hangs_costs_a_limited_wait():
    with pytest.raises(MediaError, match="did not answer ONVIF in time"):
        await ask(OnvifDevice(hangs=True), timeout_s=0.5)


async def test_what_is_no_camera_is_told():
    with pytest.raises(MediaError, match="does not speak ONVIF"):
        await ask(OnvifDevice(page="<html>router</html>"))
    with pytest.raises(MediaError, match="offers no H"):
        await ask(OnvifDevice(profiles=[]))
    with pytest.raises(MediaError, match="cannot be reached"):
        await look_up(onvif_address("onvif://127.0.0.1:9"), OWNER, SystemClock())


@pytest.mark.parametrize("address", ["ftp://cam.lan", "onvif://", "onvif://owner:s3cret@cam.lan", "onvif://cam:port"])
def test_addresses_that_cannot_be_asked_are_refused_without_their_password(address):
    with pytest.raises(BadInputError) as refused:
        onvif_address(address)
    assert "s3cret" not in str(refused.value)


async def found(*answers: bytes):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Responder(list(answers)), local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        return await discover(0.6, Neighbourhood(group="127.0.0.1", port=port, interfaces=("127.0.0.1",)))
    finally:
        transport.close()


async def test_who_answers_a_search_is_found_once_at_the_address_it_answered_from():
    (one,) = await found(probe_match("http://192.168.99.7/onvif/device_service", "Front_Door"))
    assert (one.name, one.model, one.host) == ("Front Door", "Eye 3", "127.0.0.1")
    assert one.onvif_url == "http://127.0.0.1:80/onvif/device_service"


async def test_strange_answers_are_passed_over():
    good = probe_match("http://127.0.0.1:8080/onvif/device_service", "Yard")
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    (one,) = await found(b"", b"\xff" * 900, bomb, b"<a/>", good.replace(b'InstanceId="1"', b'InstanceId="x"'), good)
    assert one.name == "Yard"


async def test_a_search_of_senseless_length_is_refused():
    with pytest.raises(BadInputError, match="Search for"):
        await discover(600)
