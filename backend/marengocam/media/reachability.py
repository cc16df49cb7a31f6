"""Whether a camera answers at all: asked cheaply and often while it is away, so that its return is noticed at once."""

import socket
from urllib.parse import urlsplit

ANSWER_LIMIT_S = 1.0
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def answers(url: str, limit_s: float = ANSWER_LIMIT_S) -> bool:
    """Return whether something accepts connections where `url` points; True for what is not on a network."""
    parts = urlsplit(url)
    default = DEFAULT_PORTS.get(parts.scheme)
    if default is None or parts.hostname is None:
        return True
    try:
        socket.create_connection((parts.hostname, parts.port or default), limit_s).close()
    except (OSError, ValueError):
        return False
    return True
