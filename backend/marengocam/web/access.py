"""Who may do what: bearer tokens with scopes, and a limit on guessing."""

import re
from collections import deque
from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from marengocam.core.clock import Clock
from marengocam.core.errors import HubUnavailableError
from marengocam.db.access import Token
from marengocam.db.hub import Hub

CACHE_S = 5.0
TOUCH_EVERY_S = 60.0
MAX_FAILURES = 20
FAILURE_WINDOW_S = 60.0
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
        self._failures: dict[str, deque[float]] = {}

    async def check(self, request: web.Request, scope: str) -> str:
        """Return the name of the token of a request that may pass.

        Raises HTTPUnauthorized, HTTPForbidden or HTTPTooManyRequests unless it opens `scope`.
        """
        address = request.remote or ""
        now_s = self._clock.monotonic_s()
        failures = self._failures.get(address, deque())
        while failures and now_s - failures[0] > FAILURE_WINDOW_S:
            failures.popleft()
        if not failures:
            self._failures.pop(address, None)
        header = request.headers.get("Authorization", "")
        text = header.removeprefix(BEARER).strip() if header.startswith(BEARER) else ""
        # Behind a proxy all clients share one address: somebody's guessing must not shut out who is known already.
        if len(failures) >= MAX_FAILURES and not self._was_good(text):
            raise web.HTTPTooManyRequests(reason="Too many wrong tokens from this address: wait a minute.")
        token = await self._find(text) if TOKEN_FORM.fullmatch(text) else None
        if token is None:
            if header:
                failures.append(now_s)
                self._failures[address] = failures
            reason = "The token is not valid: make a new one." if header else "A bearer token is needed."
            raise web.HTTPUnauthorized(reason=reason, headers={"WWW-Authenticate": "Bearer"})
        if not opens(token.scopes, scope):
            raise web.HTTPForbidden(reason=f"This token lacks the scope {scope!r}.")
        return token.name

    def _was_good(self, text: str) -> bool:
        known = self._known.get(text)
        return known is not None and known.token is not None

    async def _find(self, text: str) -> Token | None:
        now_s = self._clock.monotonic_s()
        known = self._known.get(text)
        if known is None or known.until_s < now_s:
            known = _Known(await self._hub.tokens.find(text), now_s + CACHE_S)
            self._known = {key: one for key, one in self._known.items() if one.token or one.until_s >= now_s}
            self._known[text] = known
        if known.token is not None and now_s - self._touched.get(known.token.token_id, -TOUCH_EVERY_S) >= TOUCH_EVERY_S:
            self._touched[known.token.token_id] = now_s
            try:
                await self._hub.tokens.touch(known.token.token_id, self._clock.now())
            except HubUnavailableError:
                del self._touched[known.token.token_id]
        return known.token


def opens(scopes: frozenset[str], wanted: str) -> bool:
    """Return whether scopes open what asks for `wanted`: each scope includes those before it."""
    return any(SCOPE_ORDER.index(scope) >= SCOPE_ORDER.index(wanted) for scope in scopes if scope in SCOPE_ORDER)
