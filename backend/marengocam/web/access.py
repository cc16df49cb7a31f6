"""Who may do what: bearer tokens with scopes, and a limit on guessing."""

import math
import re
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from marengocam.core.clock import Clock
from marengocam.core.errors import HubUnavailableError
from marengocam.db.access import Token
from marengocam.db.hub import Hub
from marengocam.web.limits import Limit, Meter, peer_key, too_many

CACHE_S = 5.0
TOUCH_EVERY_S = 60.0
MAX_FAILURES = 20
FAILURE_WINDOW_S = 60.0
MAX_KNOWN = 1024  # tokens, good and bad, that are not looked up anew for CACHE_S
SCOPE_ORDER = ("read", "write", "admin")
BEARER = "Bearer "
TOKEN_FORM = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(slots=True)
class _Known:
    token: Token | None
    until_s: float


class Gate:
    """Decides whether a request may pass."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._touched: dict[UUID, float] = {}
        self._failures = Meter(Limit(MAX_FAILURES, FAILURE_WINDOW_S), clock)

    async def check(self, request: web.Request, scope: str) -> str:
        """Return the name of the token of a request that may pass.

        Raises HTTPUnauthorized, HTTPForbidden or HTTPTooManyRequests unless it opens `scope`.
        """
        peer = peer_key(request)
        header = request.headers.get("Authorization", "")
        text = header.removeprefix(BEARER).strip() if header.startswith(BEARER) else ""
        # Behind a proxy all clients share one address: somebody's guessing must not shut out who is known already.
        wait_s = self._failures.wait_s(peer)
        if wait_s > 0 and not self._was_good(text):
            raise too_many(wait_s, f"Too many wrong tokens from this address: wait {math.ceil(wait_s)} s.")
        token = await self._find(text) if TOKEN_FORM.fullmatch(text) else None
        if token is None:
            if header:
                self._failures.count(peer)
            reason = "The token is not valid: make a new one." if header else "A bearer token is needed."
            raise web.HTTPUnauthorized(reason=reason, headers={"WWW-Authenticate": "Bearer"})
        if not opens(token.scopes, scope):
            raise web.HTTPForbidden(reason=f"This token lacks the scope {scope!r}.")
        return token.name

    def forget(self, token_id: UUID) -> None:
        """Look a token up anew at its next use: it was revoked."""
        self._known = {
            text: one for text, one in self._known.items() if one.token is None or one.token.token_id != token_id
        }

    def _was_good(self, text: str) -> bool:
        known = self._known.get(text)
        return known is not None and known.token is not None

    async def _find(self, text: str) -> Token | None:
        now_s = self._clock.monotonic_s()
        known = self._known.get(text)
        if known is None or known.until_s < now_s:
            known = _Known(await self._hub.tokens.find(text), now_s + CACHE_S)
            self._known.pop(text, None)
            self._known[text] = known
            if len(self._known) > MAX_KNOWN:
                self._make_room()
        if known.token is not None and now_s - self._touched.get(known.token.token_id, -TOUCH_EVERY_S) >= TOUCH_EVERY_S:
            self._touched[known.token.token_id] = now_s
            try:
                await self._hub.tokens.touch(known.token.token_id, self._clock.now())
            except HubUnavailableError:
                del self._touched[known.token.token_id]
        return known.token

    def _make_room(self) -> None:
        """Forget half: wrong tokens first, then who was not asked about for longest."""
        held = sorted(self._known.items(), key=lambda entry: (entry[1].token is not None, entry[1].until_s))
        self._known = dict(held[len(held) - MAX_KNOWN // 2 :])


def opens(scopes: frozenset[str], wanted: str) -> bool:
    """Return whether scopes open what asks for `wanted`: each scope includes those before it."""
    return any(SCOPE_ORDER.index(scope) >= SCOPE_ORDER.index(wanted) for scope in scopes if scope in SCOPE_ORDER)
