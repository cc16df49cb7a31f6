"""One backend's address and token, and the calls that go there: time limits, sizes and errors are kept here."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from .errors import (
    ApiError,
    CannotConnectError,
    InvalidTokenError,
    MarengoCamClientError,
    UnexpectedAnswerError,
)
from .reading import JsonObject

PREFIX: Final = "/api/v1"
ANSWER_LIMIT_BYTES: Final = 32 * 1024 * 1024
PICTURE_LIMIT_BYTES: Final = 16 * 1024 * 1024
MESSAGE_LIMIT_BYTES: Final = 4 * 1024 * 1024
# What a proxy says when the backend behind it is away.
AWAY_STATUSES: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each call may take."""

    call_s: float = 10.0
    connect_s: float = 5.0
    close_s: float = 2.0  # how long a WebSocket's goodbye may take
    heartbeat_s: float = 15.0  # a WebSocket is dead when its ping has no answer for half of this
    camera_s: float = 30.0  # what the backend has to ask a camera for first
    clip_s: float = 300.0  # a clip of an hour is put together before its first byte


class Connection:
    """Sends requests with the token; everything raised is a MarengoCamClientError."""

    def __init__(
        self, session: aiohttp.ClientSession, address: str, token: str, *, limits: Limits | None = None
    ) -> None:
        self._session = session
        self._address = address.rstrip("/")
        self._token = token
        self._limits = limits or Limits()

    @property
    def address(self) -> str:
        return self._address

    async def answers(self) -> bool:
        """Return whether a backend answers at the address; the token is not sent."""
        try:
            async with (
                asyncio.timeout(self._limits.connect_s),
                self._session.get(URL(f"{self._address}/health", encoded=True), allow_redirects=False) as answer,
            ):
                JsonObject.from_text(await read(answer, ANSWER_LIMIT_BYTES), "/health").text("status")
        except (aiohttp.ClientError, OSError, TimeoutError, UnexpectedAnswerError):
            return False
        return True

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _url(self, path: str) -> URL:
        return URL(f"{self._address}{PREFIX}{path}", encoded=True)

    async def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Any = None,
        limit_s: float | None = None,
    ) -> JsonObject:
        async with self._answer(method, path, query=query, body=body, limit_s=limit_s) as answer:
            return JsonObject.from_text(await read(answer, ANSWER_LIMIT_BYTES), path)

    async def _done(self, method: str, path: str, *, body: Any = None) -> None:
        """Call a route that answers nothing."""
        async with self._answer(method, path, body=body):
            pass

    async def _picture(self, path: str, query: Mapping[str, str | None] | None = None) -> bytes:
        async with self._answer("GET", path, query=query) as answer:
            return await read(answer, PICTURE_LIMIT_BYTES)

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | None] | None = None,
        body: Any = None,
        form: aiohttp.FormData | None = None,
        limit_s: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with (
                asyncio.timeout(limit_s or self._limits.call_s),
                self._session.request(
                    method,
                    self._url(path),
                    params={key: value for key, value in (query or {}).items() if value is not None},
                    json=body,
                    data=form,
                    headers=self._headers,
                    allow_redirects=False,  # the token goes to this address and no other
                    timeout=aiohttp.ClientTimeout(total=None),  # the limit above is the one that counts
                ) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise refusal(answer.status, await read(answer, ANSWER_LIMIT_BYTES))
                yield answer
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise unreachable(self.address, error) from error


async def read(answer: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Return an answer's content; raises UnexpectedAnswerError when there is more than that."""
    content = bytearray()
    async for part in answer.content.iter_any():
        content += part
        if len(content) > limit_bytes:
            raise UnexpectedAnswerError(f"The answer is larger than {limit_bytes} bytes.")
    return bytes(content)


def refusal(status: int, body: bytes) -> MarengoCamClientError:
    """Return the error that a status outside 2xx means."""
    if status == 401:
        return InvalidTokenError("The backend does not accept the token.")
    try:
        error = JsonObject.from_text(body, "answer").child("error")
        code, message = error.text("code"), error.text("message")
        return ApiError(code, message, status=status, field=error.optional("field", error.text))
    except UnexpectedAnswerError:
        if status in AWAY_STATUSES:
            return CannotConnectError(f"The backend is away: what stands before it answers {status}.")
        return UnexpectedAnswerError(f"This does not answer as a MarengoCam backend does (status {status}).")


def unreachable(address: str, error: BaseException) -> CannotConnectError:
    """Return the error that a broken or missing connection means."""
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return CannotConnectError(f"The backend at {address} cannot be reached: {reason}.")


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def part(text: str) -> str:
    """Return a text as one part of a path."""
    return quote(text, safe="")
