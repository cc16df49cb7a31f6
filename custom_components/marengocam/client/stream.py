"""The backend's events in order, across disconnections and restarts of either side."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import TypeAlias

import aiohttp

from .client import MarengoCamClient
from .errors import CannotConnectError, MarengoCamClientError, UnexpectedAnswerError
from .models import Event
from .reading import JsonObject

HELLO_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is open; the backend's newest event has this number."""

    last_number: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The stream is closed and will be opened again."""

    error: MarengoCamClientError


@dataclass(frozen=True, slots=True)
class Changed:
    """A hint that what is stored under cameras, persons, tracks or health changed."""

    what: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An event that cannot be read; the stream goes on behind it."""

    number: int
    reason: str


StreamMessage: TypeAlias = Connected | Disconnected | Changed | Skipped | Event


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait before each new try; doubled each time, between half of it and all of it by chance."""

    first_s: float = 0.5
    longest_s: float = 10.0
    steady_s: float = 20.0  # a connection that held this long starts over with the first pause

    def after(self, failures: int, chance: Callable[[], float]) -> float:
        whole = min(self.longest_s, self.first_s * 2.0 ** min(failures, 16))
        return whole * (0.5 + chance() / 2)


class EventStream:
    """Reads the event stream for ever; `last_number` is the newest number handed out."""

    def __init__(
        self,
        client: MarengoCamClient,
        last_number: int,
        *,
        pauses: Pauses | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._pauses = pauses or Pauses()
        self._chance = chance
        self.last_number = last_number

    async def messages(self) -> AsyncGenerator[StreamMessage]:
        """Yield what the backend says, each event once and in order; ends only when closed."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            opened_at = loop.time()
            try:
                async with self._client.event_socket(self.last_number) as socket:
                    yield await self._hello(socket)
                    while (content := await _receive(socket)) is not None:
                        if (message := self._understand(content)) is not None:
                            yield message
                error: MarengoCamClientError = CannotConnectError("The backend closed the event stream.")
            except MarengoCamClientError as failure:
                error = failure
            yield Disconnected(error)
            if loop.time() - opened_at > self._pauses.steady_s:
                failures = 0
            await asyncio.sleep(self._pauses.after(failures, self._chance))
            failures += 1

    async def _hello(self, socket: aiohttp.ClientWebSocketResponse) -> Connected:
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                content = await _receive(socket)
        except TimeoutError as error:
            raise CannotConnectError("The event stream opened but said nothing.") from error
        if content is None:
            raise CannotConnectError("The backend closed the event stream.")
        if content.text("kind") != "hello":
            raise UnexpectedAnswerError("The event stream does not begin with hello.")
        newest = content.integer("last_number")
        if newest < self.last_number:
            # The backend's store was restored from an older copy: its numbers go on from there.
            self.last_number = newest
            raise CannotConnectError("The backend's event numbers went back.")
        return Connected(newest)

    def _understand(self, content: JsonObject) -> StreamMessage | None:
        kind = content.text("kind")
        if kind == "changed":
            return Changed(content.text("what"))
        if kind != "event":
            return None
        source = content.child("event")
        number = source.integer("number")
        if number <= self.last_number:
            return None
        try:
            message: StreamMessage = Event.parse(source)
        except UnexpectedAnswerError as error:
            message = Skipped(number, str(error))
        self.last_number = number
        return message


async def _receive(socket: aiohttp.ClientWebSocketResponse) -> JsonObject | None:
    """Return the next message, None when the stream was closed."""
    message = await socket.receive()
    if message.type is aiohttp.WSMsgType.TEXT:
        return JsonObject.from_text(message.data, "message")
    if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
        return None
    raise CannotConnectError("The event stream broke off.")
