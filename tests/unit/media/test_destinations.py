"""Where a camera's address may lead."""

import ipaddress
import socket

import pytest

from marengocam.media.destinations import check_destination, forbidden
from marengocam.media.faults import Fault, StreamError

NEVER = [
    "169.254.169.254", "169.254.1.1", "fe80::1", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "::",
    "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
]  # fmt: skip
OWN = ["127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"]
CAMERAS = ["192.168.1.20", "10.0.0.4", "172.30.33.9", "fd12:3456::9", "2001:db8::9", "203.0.113.7"]


@pytest.mark.parametrize("address", NEVER)
def test_no_camera_is_at_an_address_that_is_nobodys_own(address):
    assert forbidden(ipaddress.ip_address(address), loopback=True)


@pytest.mark.parametrize("address", OWN)
def test_this_machine_is_asked_only_when_its_owner_allows_it(address):
    assert "loopback_cameras" in forbidden(ipaddress.ip_address(address), loopback=False)
    assert not forbidden(ipaddress.ip_address(address), loopback=True)


@pytest.mark.parametrize("address", CAMERAS)
def test_addresses_of_networks_are_cameras(address):
    assert not forbidden(ipaddress.ip_address(address), loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://127.0.0.1/x", "rtsp://127.1:554/", "http://2130706433/", "http://0x7f000001/video", "http://0177.0.0.1/",
        "rtsp://localhost/x", "http://[::1]:8080/", "http://[::ffff:127.0.0.1]/", "https://me:secret@127.0.0.1/x",
        "http://169.254.169.254/latest/meta-data/", "http://[fe80::1%25lo]/",
    ],
)  # fmt: skip
def test_no_way_of_writing_an_address_gets_around_it(url):
    with pytest.raises(StreamError) as refused:
        check_destination(url, loopback=False)
    assert refused.value.kind is Fault.FORBIDDEN
    assert "secret" not in str(refused.value)


def test_a_name_counts_by_every_address_it_has(monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 0)) for text in ("192.168.1.20", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answers)
    with pytest.raises(StreamError):
        check_destination("rtsp://camera.example/x", loopback=True)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answers[:1])
    check_destination("rtsp://camera.example/x", loopback=False)


@pytest.mark.parametrize("url", ["file:///media/x.mp4", "rtsp://camera.invalid/x", "rtsp://[::1/x"])
def test_what_leads_nowhere_is_left_to_whoever_opens_it(url):
    if "[::1/" in url:
        with pytest.raises(StreamError, match="no address"):
            check_destination(url, loopback=False)
    else:
        check_destination(url, loopback=False)
