"""Addresses that cameras and their owners give: what is allowed, and how they are made safe to use and to show."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from marengocam.core.errors import BadInputError

ONVIF_SCHEME = "onvif"  # our own: `onvif://host[:port]`, asked over http
WEB_PORTS = {"http": 80, "https": 443}
DEVICE_PATH = "/onvif/device_service"
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
_LOGIN_KEYS = frozenset({"user", "username", "usr", "login", "password", "passwd", "pass", "pwd", "psw"})
_LOGIN_IN_PATH = re.compile(r"(?:^|[/_&;?,])(?:password|passwd|pass|pwd|psw)=", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,253}")


@dataclass(frozen=True, slots=True)
class OnvifAddress:
    """Where a camera's ONVIF device service answers."""

    scheme: str
    host: str
    port: int
    path: str = DEVICE_PATH

    @property
    def url(self) -> str:
        return urlunsplit((self.scheme, f"{bracketed(self.host)}:{self.port}", self.path, "", ""))


def onvif_address(text: str, port: int | None = None) -> OnvifAddress:
    """Return where to ask; raises BadInputError.

    Allowed is a host (`cam.lan`), `onvif://host[:port]`, or an http(s) address of a host, without user and password.
    Everything that follows is asked of this host alone: no redirect, no address in an answer leads elsewhere.
    """
    try:
        parts = urlsplit(text if "://" in text else f"{ONVIF_SCHEME}://{text}")
        host, given_port = parts.hostname, parts.port
    except ValueError:
        raise BadInputError("The address cannot be read: write it as onvif://host or onvif://host:port.") from None
    scheme = "http" if parts.scheme == ONVIF_SCHEME else parts.scheme
    if scheme not in WEB_PORTS:
        raise BadInputError("An ONVIF address begins with onvif://, http:// or https://.")
    if not host or not _HOST.fullmatch(host):
        raise BadInputError("The address has no host: write it as onvif://host or onvif://host:port.")
    if parts.username is not None or parts.password is not None:
        raise BadInputError("Give user and password in their own fields, not inside the address.")
    chosen = given_port or port or WEB_PORTS[scheme]
    return OnvifAddress(scheme, host, chosen, parts.path if parts.path not in {"", "/"} else DEVICE_PATH)


def service_url(told: str, asked: OnvifAddress) -> str:
    """Return the address of one of the camera's services, on the host that was asked.

    A camera behind NAT, or one that does not know its own address, names another host; its port is then as wrong.
    """
    try:
        parts = urlsplit(told.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return asked.url
    if host == asked.host and parts.scheme in WEB_PORTS:
        there = OnvifAddress(parts.scheme, asked.host, port or WEB_PORTS[parts.scheme], parts.path or DEVICE_PATH)
    else:
        there = OnvifAddress(asked.scheme, asked.host, asked.port, parts.path or DEVICE_PATH)
    return urlunsplit(urlsplit(there.url)._replace(query=parts.query))


def media_url(told: str, host: str, password: str = "") -> str | None:
    """Return the address of a stream or picture on `host` without login, or None if it cannot be used without."""
    try:
        parts = urlsplit(told.strip())
        port = parts.port
    except ValueError:
        return None
    if parts.scheme.lower() not in STREAM_SCHEMES or not parts.hostname:
        return None
    path = unquote(parts.path)
    if _LOGIN_IN_PATH.search(path) or (password and password in path.split("/")):
        return None
    shown = bracketed(host)
    plain = parts._replace(netloc=f"{shown}:{port}" if port else shown, query=_without_login(parts.query), fragment="")
    return None if password and f"={password}" in unquote(plain.query) else urlunsplit(plain)


def bracketed(host: str) -> str:
    """Return a host as it stands in an address."""
    return f"[{host}]" if ":" in host else host


def _without_login(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    if not any(key.lower() in _LOGIN_KEYS for key, _ in pairs):
        return query  # left as it was told: some cameras insist on their own spelling
    return urlencode([(key, value) for key, value in pairs if key.lower() not in _LOGIN_KEYS])
