"""How often one peer may do something: counted in bounded memory, and refused with the time to wait."""

import ipaddress
import math
from collections import OrderedDict, deque
from dataclasses import dataclass

from aiohttp import web

from marengocam.core.clock import Clock

MAX_PEERS = 4096  # of whom anything is remembered; who was not seen longest is forgotten first
IPV6_PREFIX = 64  # what one household or machine is given: all its addresses count as one


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls within so many seconds."""

    calls: int
    window_s: float = 60.0

    def __str__(self) -> str:
        return f"{self.calls} in {self.window_s:.0f} s"


class Meter:
    """Counts what each peer did within a limit's window."""

    def __init__(self, limit: Limit, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._done: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, peer: str) -> float:
        """Return how long a peer has to wait until its next call, 0 when it need not."""
        done = self._done.get(peer)
        if done is None or len(done) < self._limit.calls:
            return 0.0
        return max(0.0, done[0] + self._limit.window_s - self._clock.monotonic_s())

    def count(self, peer: str) -> None:
        """Count one call of a peer."""
        done = self._done.setdefault(peer, deque(maxlen=self._limit.calls))
        done.append(self._clock.monotonic_s())
        self._done.move_to_end(peer)
        if len(self._done) > MAX_PEERS:
            self._done.popitem(last=False)

    def take(self, peer: str) -> None:
        """Count one call, or raise HTTPTooManyRequests."""
        wait_s = self.wait_s(peer)
        if wait_s > 0:
            raise too_many(wait_s, f"That costs much and may be asked {self._limit}: wait {math.ceil(wait_s)} s.")
        self.count(peer)

    def __len__(self) -> int:
        return len(self._done)


def too_many(wait_s: float, reason: str) -> web.HTTPTooManyRequests:
    """Return the refusal that tells when to come again."""
    return web.HTTPTooManyRequests(reason=reason, headers={"Retry-After": str(math.ceil(wait_s))})


def peer_of(request: web.Request) -> str:
    """Return the address at the other end of the connection, never what a header says; empty when it is gone."""
    name = request.transport.get_extra_info("peername") if request.transport else None
    return str(name[0]) if isinstance(name, tuple) and name else ""


def peer_key(request: web.Request) -> str:
    """Return what counts as one peer: an IPv4 address, or the network of an IPv6 address."""
    address = peer_of(request)
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, IPV6_PREFIX), strict=False))
