"""Which addresses a webhook may have; what the name stands for is looked at again at every call."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from marengocam.core.errors import BadInputError

MAX_URL_CHARS = 2000


def checked_url(given: Any) -> str:
    """Return an address; raises BadInputError that says what is wrong with it."""
    if not isinstance(given, str) or len(given) > MAX_URL_CHARS or any(one.isspace() or ord(one) < 32 for one in given):
        raise BadInputError("an address such as https://example.org/hook is wanted.")
    try:
        parts = urlsplit(given)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadInputError("an address such as https://example.org/hook is wanted.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise BadInputError("an address such as https://example.org/hook is wanted.")
    if parts.username is not None or parts.password is not None:
        raise BadInputError("an address must not carry user and password.")
    if parts.fragment:
        raise BadInputError("an address must not carry a #fragment.")
    return given


def origin(url: str) -> str:
    """Return scheme, host and port: what may be told of an address, since the rest often is a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def refusal(host: str, address: str, listed: frozenset[str]) -> str | None:
    """Return why a host at an IP address must not be called, None when it may.

    What is not on the internet may be called only when the owner has listed the host in the settings; an address that
    only ever means this very network's own machinery (link-local, which holds clouds' metadata) never.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return f"{host} has no usable address"
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or (ip.is_reserved and not ip.is_loopback):
        return f"{host} stands for {ip}, which webhooks never call"
    if not ip.is_global and host.casefold() not in listed and str(ip) not in listed:
        return f"{host} stands for {ip}, which is not on the internet: list it in the setting webhook_hosts"
    return None
