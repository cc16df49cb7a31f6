"""WS-Discovery: ask the local network who is an ONVIF camera.

The messages are WSDiscovery's; the sockets are ours, because the library's threads end with the first answer whose
instance number is no number, keep everything they hear, and cannot be pointed at another group or interface.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import ifaddr
from wsdiscovery import QName
from wsdiscovery.actions import NS_ACTION_PROBE_MATCH, constructProbe
from wsdiscovery.message import createSOAPMessage, parseSOAPMessage

from marengocam.core.errors import BadInputError
from marengocam.discovery.addresses import DEVICE_PATH, WEB_PORTS, OnvifAddress

DISCOVERY_TIMEOUT_S = 3.0
DISCOVERY_TIMEOUTS_S = (0.2, 15.0)  # least and most that may be asked for
GROUP, PORT = "239.255.255.250", 3702  # WS-Discovery's own
MULTICAST_TTL = 4
ROUNDS, ROUND_PAUSE_S = 3, 0.15  # UDP loses; the same question again is answered by who missed it
MAX_ANSWERS = 1024  # of one search: a flood ends it, it does not fill the memory
MAX_ANSWER_BYTES = 32 << 10
MAX_SCOPES, MAX_TEXT = 64, 200
_SCOPE = "onvif://www.onvif.org/"
# A camera answers to the first, a device that is more than a camera only to the second.
_TYPES = (
    QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter", "dn"),
    QName("http://www.onvif.org/ver10/device/wsdl", "Device", "tds"),
)
_LOG = logging.getLogger(__name__)
logging.getLogger("wsdiscovery.message").setLevel(logging.ERROR)  # it logs strangers' datagrams in full


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who answered; all but `host` is what the device says of itself."""

    name: str
    host: str
    onvif_url: str
    model: str | None
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Where to ask: the group, its port, and the own addresses to ask from (None: all of IPv4)."""

    group: str = GROUP
    port: int = PORT
    interfaces: tuple[str, ...] | None = None


async def discover(timeout_s: float = DISCOVERY_TIMEOUT_S, where: Neighbourhood | None = None) -> list[Found]:
    """Return who answered within `timeout_s`, by host; raises BadInputError."""
    where = where or Neighbourhood()
    least, most = DISCOVERY_TIMEOUTS_S
    if not least <= timeout_s <= most:
        raise BadInputError(f"Search for {least:g} to {most:g} seconds.")
    listener = _Listener()
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        transports = []
        for sock in _sockets(where):
            stack.callback(sock.close)
            transport, _ = await loop.create_datagram_endpoint(lambda: listener, sock=sock)
            stack.callback(transport.close)
            transports.append(transport)
        if not transports:
            raise BadInputError("No network interface can be searched: connect this machine to the cameras' network.")
        asking = loop.create_task(_ask(transports, (where.group, where.port)))
        stack.callback(asking.cancel)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await listener.full.wait()
    return sorted(listener.found.values(), key=lambda one: (one.host, one.onvif_url))


async def _ask(transports: list[asyncio.DatagramTransport], group: tuple[str, int]) -> None:
    probes = [createSOAPMessage(constructProbe([kind], [])).encode() for kind in _TYPES]
    for _ in range(ROUNDS):
        for probe in probes:
            for transport in transports:
                transport.sendto(probe, group)
        await asyncio.sleep(ROUND_PAUSE_S)


class _Listener(asyncio.DatagramProtocol):
    """Keeps one entry for every address that answered."""

    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self.full = asyncio.Event()
        self._answers = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._answers += 1
        if self._answers > MAX_ANSWERS:
            self.full.set()
            return
        for one in read_answer(data, addr[0]):
            known = self.found.get(one.onvif_url)
            if known is None or len(one.scopes) > len(known.scopes):
                self.found[one.onvif_url] = one

    def error_received(self, exc: Exception) -> None:
        _LOG.debug("an interface cannot search: %s", exc)  # such as a tunnel without multicast: the others do


def read_answer(data: bytes, sender: str) -> list[Found]:
    """Return the devices an answer names, always at the address it came from; garbage names none."""
    if len(data) > MAX_ANSWER_BYTES or b"<!DOCTYPE" in data:
        return []
    try:
        envelope = parseSOAPMessage(data, sender)
        if envelope is None or envelope.getAction() != NS_ACTION_PROBE_MATCH:
            return []
        return [
            one
            for match in envelope.getProbeResolveMatches()
            if (one := _found(match.getXAddrs(), [scope.getValue() for scope in match.getScopes()], sender))
        ]
    except Exception as error:  # noqa: BLE001 - the library lets through whatever a strange answer provokes
        _LOG.debug("answer of %s not understood: %s", sender, type(error).__name__)
        return []


def _found(addresses: list[str], told_scopes: list[str], sender: str) -> Found | None:
    address = _at_sender(addresses, sender)
    if address is None:
        return None
    scopes = tuple(scope[:MAX_TEXT] for scope in told_scopes[:MAX_SCOPES])
    model = _scope_value(scopes, "hardware/")
    return Found(
        name=_scope_value(scopes, "name/") or model or sender,
        host=sender,
        onvif_url=address.url,
        model=model,
        scopes=scopes,
    )


def _at_sender(addresses: list[str], sender: str) -> OnvifAddress | None:
    """Return the device's service at the address it answered from: what it names may be stale, 0.0.0.0 or NAT."""
    usable = []
    for text in addresses:
        with contextlib.suppress(ValueError):
            parts = urlsplit(text[:MAX_TEXT])
            if parts.scheme in WEB_PORTS and parts.hostname:
                port = parts.port or WEB_PORTS[parts.scheme]
                path = parts.path if parts.path not in {"", "/"} else DEVICE_PATH
                usable.append((parts.hostname != sender, OnvifAddress(parts.scheme, sender, port, path)))
    return min(usable, key=lambda one: one[0])[1] if usable else None


def _scope_value(scopes: tuple[str, ...], kind: str) -> str | None:
    for scope in scopes:
        if scope.lower().startswith(_SCOPE + kind):
            text = unquote(scope[len(_SCOPE + kind) :]).replace("_", " ")
            return "".join(letter for letter in text if letter.isprintable()).strip() or None
    return None


def _sockets(where: Neighbourhood) -> Iterator[socket.socket]:
    for address in where.interfaces if where.interfaces is not None else _own_addresses():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, MULTICAST_TTL)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            sock.bind((address, 0))
        except OSError as error:
            _LOG.debug("interface %s cannot search: %s", address, error)
            sock.close()
            continue
        yield sock


def _own_addresses() -> tuple[str, ...]:
    addresses = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str))
    return tuple(one for one in addresses if not ipaddress.ip_address(one).is_loopback)
