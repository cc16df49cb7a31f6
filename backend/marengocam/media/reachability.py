"""Whether a camera answers at all: asked cheaply and often while it is away, so that its return is noticed at once."""

import socket
from urllib.parse import urlsplit

from marengocam.media.faults import Fault

ANSWER_LIMIT_S = 1.0
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


def absence(url: str, limit_s: float = ANSWER_LIMIT_S) -> Fault | None:
    """Return why nothing accepts connections where `url` points; None: something does, or it is not on a network."""
    parts = urlsplit(url)
    default = DEFAULT_PORTS.get(parts.scheme)
    if default is None or parts.hostname is None:
        return None
    try:
        socket.create_connection((parts.hostname, parts.port or default), limit_s).close()
    except ConnectionRefusedError:
        return Fault.REFUSED
    except (OSError, ValueError):
        return Fault.UNREACHABLE
    return None
