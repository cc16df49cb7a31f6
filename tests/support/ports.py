"""Ports for what is started later: none that the kernel gives to somebody else in between."""

import random
import socket
from pathlib import Path

LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_CHANCE = random.SystemRandom()  # of tests that run beside each other, each has its own


def free_port() -> int:
    """Return a loopback port that nobody has, below those that the kernel hands out.

    One of the kernel's may be an outgoing connection's a moment later; and whoever connects to such a port while nobody
    listens there may find himself at the other end.
    """
    while True:
        port = _CHANCE.randrange(LOWEST, _first_of_the_kernel())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def _first_of_the_kernel() -> int:
    return int(_RANGE.read_text().split()[0])
