"""Home Assistant's ingress: the API without a token, for whom the Supervisor has logged in, from its address alone."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from marengocam.settings import Network
from marengocam.web.access import opens
from marengocam.web.answers import Handler
from marengocam.web.limits import peer_of

INGRESS_SCOPES = frozenset({"write"})  # the Supervisor does not say who is an administrator: nobody is
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
USER_NAME = "X-Remote-User-Display-Name"  # set by the Supervisor, which strips it from what browsers send
USER_NAME_MAX = 100
NAMELESS = "Home Assistant"
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class IngressGate:
    """Lets a session of the Supervisor's in; what another site's page makes a browser send is refused."""

    async def check(self, request: web.Request, scope: str) -> str:
        """Return who speaks; raises HTTPForbidden for another site's request and for what needs more than `write`."""
        if not from_own_page(request):
            raise web.HTTPForbidden(
                reason="This request does not come from MarengoCam's own page: open it in Home Assistant's sidebar. "
                "Behind a reverse proxy, let it hand on Host or X-Forwarded-Host."
            )
        if not opens(INGRESS_SCOPES, scope):
            raise web.HTTPForbidden(reason=f"This needs a token with the scope {scope!r}: it cannot be done here.")
        name = "".join(sign for sign in request.headers.get(USER_NAME, "") if sign.isprintable()).strip()
        return name[:USER_NAME_MAX] or NAMELESS

    def forget(self, token_id: UUID) -> None:
        """Nothing is known of tokens here."""


def from_own_page(request: web.Request) -> bool:
    """Return whether a browser sent this for a page of the same origin.

    Browsers say so themselves (Sec-Fetch-Site) over HTTPS; else whatever changes something, and every WebSocket, has to
    carry an Origin that is the host the browser asked. Reading without either is left to Cross-Origin-Resource-Policy.
    """
    changes = request.method not in SAFE_METHODS or hdrs.UPGRADE in request.headers
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin" or (site == "none" and not changes)
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return not changes
    asked = request.headers.get(hdrs.X_FORWARDED_HOST, request.headers.get(hdrs.HOST, "")).split(",")[0].strip()
    parts = urlsplit(origin)
    usual = _DEFAULT_PORTS.get(parts.scheme)
    return usual is not None and parts.netloc.lower().removesuffix(usual) == asked.lower().removesuffix(usual)


def only_from(peers: Sequence[Network]) -> Middleware:
    """Return what refuses everybody else: the connection's own address counts, no header."""

    @web.middleware
    async def checked(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_peer(peer_of(request), peers):
            raise web.HTTPForbidden(reason="This port serves Home Assistant's Supervisor only: use the API's own port.")
        return await handler(request)

    return checked


def is_peer(address: str, peers: Sequence[Network]) -> bool:
    """Return whether an address is one of the peers'; IPv4 inside IPv6 counts as IPv4."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return any((mapped or found) in network for network in peers)
