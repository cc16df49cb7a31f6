"""Webhooks: signed, limited in time and size, never to where they must not go; a dead one delays only itself."""

import asyncio
import logging
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from marengocam import __version__
from marengocam.automation.messages import Ended
from marengocam.core.clock import Clock
from marengocam.core.rules.webhook_address import origin, refusal
from marengocam.core.secret import Secret
from marengocam.db.webhook_key import signature

ATTEMPT_LIMIT_S = 10.0
CONNECT_LIMIT_S = 5.0
RETRY_PAUSES_S = (1.0, 5.0)
LANE_DELIVERIES = 50  # waiting for one host
MAX_LANES = 50
MAX_BODY_BYTES = 65_536
WORTH_A_RETRY = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call; its id stays over retries, so that a receiver may tell one from the next."""

    delivery_id: str
    url: str
    body: bytes
    secret: Secret


class RefusedHostError(OSError):
    """The name stands for an address that must not be called."""


class _CheckedResolver(AbstractResolver):
    """Looks names up and refuses addresses at the moment of the call, so that a name cannot change in between."""

    def __init__(self, listed: frozenset[str]) -> None:
        self._resolver = aiohttp.ThreadedResolver()
        self._listed = listed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            reason = refusal(host, one["host"], self._listed)
            if reason is not None:
                raise RefusedHostError(0, reason)
        return found

    async def close(self) -> None:
        await self._resolver.close()


class Webhooks:
    """Calls addresses, one at a time for each host; use `running`."""

    def __init__(self, clock: Clock, hosts: str) -> None:
        self._clock = clock
        self._listed = frozenset(one.strip().casefold() for one in hosts.split(",") if one.strip())
        self._lanes: dict[str, asyncio.Queue[tuple[Delivery, Ended]]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None

    def put(self, delivery: Delivery, ended: Ended) -> None:
        """Have an address called soon; `ended` is told at once when too much waits, else how it went."""
        key = origin(delivery.url)
        if len(delivery.body) > MAX_BODY_BYTES:
            ended(f"the body is longer than {MAX_BODY_BYTES} bytes")
            return
        if key not in self._lanes:
            if len(self._lanes) >= MAX_LANES:
                ended("too many different hosts are called")
                return
            self._lanes[key] = asyncio.Queue(LANE_DELIVERIES)
            self._tasks[key] = asyncio.create_task(self._serve(key))
        if self._lanes[key].full():
            ended("too much waits for this host")
        else:
            self._lanes[key].put_nowait((delivery, ended))

    async def close(self) -> None:
        """End at once; what waits is told that it was cut off."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for lane in self._lanes.values():
            while not lane.empty():
                lane.get_nowait()[1]("automation ended before it was called")
        if self._session is not None:
            await self._session.close()

    async def _serve(self, key: str) -> None:
        """Work one host's lane off, and end with it."""
        lane = self._lanes[key]
        while not lane.empty():
            delivery, ended = lane.get_nowait()
            try:
                reason = await self._deliver(delivery)
            except BaseException:
                ended("automation ended before it was answered")
                raise
            ended(reason)
        del self._lanes[key], self._tasks[key]

    async def _deliver(self, delivery: Delivery) -> str:
        """Call until it is taken or all attempts are used up; return why it failed, or ""."""
        for pause_s in (*RETRY_PAUSES_S, None):
            reason, again = await self._attempt(delivery)
            if not reason or not again or pause_s is None:
                return reason
            await asyncio.sleep(pause_s)
        raise AssertionError

    async def _attempt(self, delivery: Delivery) -> tuple[str, bool]:
        """Call once; return why it failed and whether it is worth another try."""
        host = urlsplit(delivery.url).hostname or ""
        refused = refusal(host, host, self._listed) if _is_address(host) else None
        if refused is not None:
            return refused, False
        timestamp = int(self._clock.now().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"MarengoCam/{__version__}",
            "webhook-id": delivery.delivery_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(delivery.secret, delivery.delivery_id, timestamp, delivery.body),
        }
        try:
            # The answer's body is not wanted: leaving the block without reading it closes the connection.
            async with self._opened().post(
                delivery.url, data=delivery.body, headers=headers, allow_redirects=False
            ) as answer:
                return _judged(answer.status)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return _trouble(error)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=_CheckedResolver(self._listed), force_close=True),
                timeout=aiohttp.ClientTimeout(total=ATTEMPT_LIMIT_S, connect=CONNECT_LIMIT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session


def _judged(status: int) -> tuple[str, bool]:
    if status < 300:
        return "", False
    if status < 400:
        return f"it answers {status}, a redirect, and those are not followed: give the final address", False
    return f"it answers {status}", status in WORTH_A_RETRY


def _trouble(error: Exception) -> tuple[str, bool]:
    """Return what kept a call from an answer and whether that may pass; without the address, which may be a key."""
    if isinstance(error, TimeoutError):
        return f"no answer within {ATTEMPT_LIMIT_S:g} s", True
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate cannot be trusted", False
    if isinstance(error, aiohttp.ClientConnectorError):
        reason = error.os_error.strerror or type(error).__name__
        refused = isinstance(error.os_error, RefusedHostError)
        return (reason, False) if refused else (f"it cannot be reached ({reason})", True)
    return f"the call failed ({type(error).__name__})", True


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
