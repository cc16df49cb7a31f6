"""Where a camera's address may lead: not to this machine unless its owner allows that, never to what is no camera's."""

import ipaddress
import socket
from urllib.parse import urlsplit

from marengocam.core.camera_names import NETWORK_SCHEMES
from marengocam.media.faults import Fault, StreamError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Cloud machines answer there with credentials; the first lies among the link-local ones anyway.
METADATA = frozenset(ipaddress.ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200"))
BROADCAST = ipaddress.ip_address("255.255.255.255")
NAT64 = ipaddress.ip_network("64:ff9b::/96")


def check_destination(url: str, *, loopback: bool) -> None:
    """Raise StreamError(FORBIDDEN) when an address leads where no camera is; asks the name service if need be.

    A name counts by every address that it has now. What cannot be resolved leads nowhere, and is not refused here.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise StreamError(Fault.NOT_VIDEO, "this is no address") from None
    if parts.scheme not in NETWORK_SCHEMES or not host:
        return
    for address in resolved(host):
        reason = forbidden(address, loopback=loopback)
        if reason:
            raise StreamError(Fault.FORBIDDEN, reason)


def resolved(host: str) -> set[Address]:
    """Return the addresses of a host, written in any of the ways that the system understands."""
    try:
        found = socket.getaddrinfo(host.partition("%")[0], None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()
    return {ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found}


def forbidden(address: Address, *, loopback: bool) -> str:
    """Return why no camera has this address, empty when one may."""
    address = _plain(address)
    if address.is_loopback or address.is_unspecified:
        return (
            "" if loopback and address.is_loopback else "it leads to this machine itself: see setting loopback_cameras"
        )
    if address in METADATA or address.is_link_local:
        return "it is link-local: give the camera an address of your network"
    if address.is_multicast or address == BROADCAST:
        return "it is a group of machines"
    return ""


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
