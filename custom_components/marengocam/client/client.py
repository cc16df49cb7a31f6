"""Calls of the backend's API."""

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
    IncompatibleVersionError,
    InvalidTokenError,
    MarengoCamClientError,
    UnexpectedAnswerError,
)
from .models import Camera, EventPage, Health, Info, Person, Replay
from .reading import JsonObject

API_VERSION: Final = 1
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


@dataclass(frozen=True, slots=True)
class LiveStream:
    """A signed HLS address and until when its signature holds."""

    url: str
    expires_at: datetime | None


class MarengoCamClient:
    """The API of one backend; every call raises MarengoCamClientError and has a time limit."""

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

    async def info(self) -> Info:
        """Return who the backend is; raises IncompatibleVersionError when it speaks another API version."""
        source = await self._json("GET", "/info")
        version = source.integer("api_version")
        if version != API_VERSION:
            raise IncompatibleVersionError(source.text("version"), version, API_VERSION)
        return Info.parse(source)

    async def cameras(self) -> tuple[Camera, ...]:
        return (await self._json("GET", "/cameras")).objects("cameras", Camera.parse)

    async def persons(self) -> tuple[Person, ...]:
        return (await self._json("GET", "/persons")).objects("persons", Person.parse)

    async def health(self) -> Health:
        return Health.parse(await self._json("GET", "/health"))

    async def events(self, *, after: int | None = None, limit: int | None = None) -> EventPage:
        """Return events numbered higher than `after`, in order."""
        wanted = {"after": after, "limit": limit}
        query = {key: str(value) for key, value in wanted.items() if value is not None}
        return EventPage.parse(await self._json("GET", "/events", query=query))

    async def snapshot(self, camera_id: str) -> bytes:
        """Return the newest picture of a camera as JPEG."""
        async with self._answer("GET", f"/cameras/{quote(camera_id, safe='')}/snapshot.jpg") as answer:
            return await _read(answer, PICTURE_LIMIT_BYTES)

    async def live_stream(self, camera_id: str) -> LiveStream:
        """Return a signed HLS address of a camera's live picture."""
        path = (await self._json("POST", f"/cameras/{quote(camera_id, safe='')}/stream")).text("url")
        if not path.startswith("/") or path.startswith("//"):
            raise UnexpectedAnswerError("The address of the live picture is not a path of the backend.")
        try:
            url = URL(f"{self._address}{path}", encoded=True)
            expires_s = float(url.query["expires"]) if "expires" in url.query else None
            expires_at = None if expires_s is None else datetime.fromtimestamp(expires_s, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise UnexpectedAnswerError("The address of the live picture cannot be read.") from error
        return LiveStream(str(url), expires_at)

    async def request_replay(self, camera_id: str, from_at: datetime, to_at: datetime, *, debug: bool) -> Replay:
        """Ask for a stretch of a camera's recording to be run through the current code once more."""
        body = {"camera_id": camera_id, "from_at": _rfc3339(from_at), "to_at": _rfc3339(to_at), "debug": debug}
        return Replay.parse(await self._json("POST", "/replays", body=body))

    async def replay(self, run_id: str) -> Replay:
        return Replay.parse(await self._json("GET", f"/replays/{quote(run_id, safe='')}"))

    @asynccontextmanager
    async def event_socket(self, after: int | None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open the event stream from the number after `after`; `EventStream` reads it."""
        url = self._url("/events/stream").with_query({} if after is None else {"after": str(after)})
        try:
            async with asyncio.timeout(self._limits.connect_s):
                socket = await self._session.ws_connect(
                    url,
                    headers=self._headers,
                    heartbeat=self._limits.heartbeat_s,
                    timeout=aiohttp.ClientWSTimeout(ws_close=self._limits.close_s),
                    max_msg_size=MESSAGE_LIMIT_BYTES,
                )
        except aiohttp.WSServerHandshakeError as error:
            raise _refusal(error.status, b"") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self.address, error) from error
        try:
            yield socket
        finally:
            await socket.close()

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _url(self, path: str) -> URL:
        return URL(f"{self._address}{PREFIX}{path}", encoded=True)

    async def _json(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> JsonObject:
        async with self._answer(method, path, query=query, body=body) as answer:
            return JsonObject.from_text(await _read(answer, ANSWER_LIMIT_BYTES), path)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with (
                asyncio.timeout(self._limits.call_s),
                self._session.request(
                    method,
                    self._url(path),
                    params=query,
                    json=body,
                    headers=self._headers,
                    allow_redirects=False,  # the token goes to this address and no other
                ) as answer,
            ):
                if not 200 <= answer.status < 300:
                    raise _refusal(answer.status, await _read(answer, ANSWER_LIMIT_BYTES))
                yield answer
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _unreachable(self.address, error) from error


async def _read(answer: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_any():
        content += part
        if len(content) > limit_bytes:
            raise UnexpectedAnswerError(f"The answer is larger than {limit_bytes} bytes.")
    return bytes(content)


def _refusal(status: int, body: bytes) -> MarengoCamClientError:
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


def _unreachable(address: str, error: BaseException) -> CannotConnectError:
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
    return CannotConnectError(f"The backend at {address} cannot be reached: {reason}.")


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
