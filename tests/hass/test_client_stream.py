"""The event stream: each event once and in order, whatever happens to the connection."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import aiohttp
import pytest
from contract_server import TOKEN, ContractServer
from custom_components.marengocam.client import (
    Changed,
    Connected,
    Disconnected,
    Event,
    EventStream,
    InvalidTokenError,
    Limits,
    MarengoCamClient,
    Pauses,
    Skipped,
    StreamMessage,
    stream,
)

QUICK = Pauses(first_s=0.01, longest_s=0.02)
PATIENCE_S = 40.0


@pytest.fixture
def expected_lingering_timers() -> bool:
    """aiohttp sets its heartbeat's timer once more when the closing frame comes in; it fires once and does nothing."""
    return True


class Reader:
    """Takes messages one by one, with a time limit."""

    def __init__(self, messages: AsyncGenerator[StreamMessage]) -> None:
        self._messages = messages

    async def next(self) -> StreamMessage:
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._messages)

    async def until(self, kind: type[StreamMessage]) -> StreamMessage:
        while not isinstance(message := await self.next(), kind):
            pass
        return message


@asynccontextmanager
async def reading(server: ContractServer, after: int, limits: Limits | None = None) -> AsyncIterator[Reader]:
    async with aiohttp.ClientSession() as session:
        backend = MarengoCamClient(session, server.address, TOKEN, limits=limits)
        async with aclosing(EventStream(backend, after, pauses=QUICK).messages()) as messages:
            yield Reader(messages)


async def test_events_come_once_and_in_order_across_a_disconnection(server: ContractServer) -> None:
    for _ in range(3):
        server.event()
    async with reading(server, after=1) as reader:
        assert await reader.next() == Connected(3)
        numbers = [(await reader.next()).number for _ in range(2)]  # type: ignore[union-attr]  # events only
        await server.drop_sockets()
        server.event()
        assert isinstance(await reader.until(Disconnected), Disconnected)
        assert await reader.next() == Connected(4)
        numbers.append((await reader.until(Event)).number)  # type: ignore[union-attr]  # an event
    assert numbers == [2, 3, 4]
    assert server.resumed_from == [1, 3]


async def test_a_backend_that_dies_and_returns_loses_nothing(server: ContractServer) -> None:
    async with reading(server, after=0) as reader:
        await reader.until(Connected)
        await server.stop()
        await reader.until(Disconnected)
        server.event()
        await server.start()
        assert (await reader.until(Event)).number == 1  # type: ignore[union-attr]  # an event


async def test_an_event_that_was_seen_is_not_handed_out_again(server: ContractServer) -> None:
    async with reading(server, after=0) as reader:
        await reader.until(Connected)
        first = await server.happen()
        await server.say({"kind": "event", "event": first})
        await server.happen()
        assert [(await reader.until(Event)).number for _ in range(2)] == [1, 2]  # type: ignore[union-attr]  # events


async def test_an_event_that_cannot_be_read_does_not_hold_up_the_rest(server: ContractServer) -> None:
    server.event(occurred_at="yesterday")
    server.event()
    async with reading(server, after=0) as reader:
        await reader.until(Connected)
        skipped = await reader.next()
        assert isinstance(skipped, Skipped)
        assert skipped.number == 1
        assert "occurred_at" in skipped.reason
        assert (await reader.until(Event)).number == 2  # type: ignore[union-attr]  # an event


async def test_hints_come_through_and_unknown_messages_do_not(server: ContractServer) -> None:
    async with reading(server, after=0) as reader:
        await reader.until(Connected)
        while not server.sockets:
            await asyncio.sleep(0.01)
        await server.say({"kind": "from_the_future", "event": 1})
        await server.changed("persons")
        assert await reader.next() == Changed("persons")


@pytest.mark.parametrize("rubbish", ["{", "[]", '{"kind": 7}', '{"kind": "event"}', '{"kind": "event", "event": {}}'])
async def test_rubbish_ends_the_connection_and_the_next_one_goes_on(server: ContractServer, rubbish: str) -> None:
    async with reading(server, after=0) as reader:
        await reader.until(Connected)
        while not server.sockets:
            await asyncio.sleep(0.01)
        await server.say(rubbish)
        await reader.until(Disconnected)
        server.event()
        assert (await reader.until(Event)).number == 1  # type: ignore[union-attr]  # an event


async def test_a_store_that_was_restored_from_an_older_copy_is_followed_from_there(server: ContractServer) -> None:
    server.event()
    async with reading(server, after=50) as reader:
        assert isinstance(await reader.next(), Disconnected)
        assert await reader.next() == Connected(1)
        await server.happen()
        assert (await reader.until(Event)).number == 2  # type: ignore[union-attr]  # an event
    assert server.resumed_from == [50, 1]


@pytest.mark.parametrize("greeting", ["nothing", "goodbye", "welcome"])
async def test_a_stream_that_does_not_begin_with_hello_is_left(
    server: ContractServer, monkeypatch: pytest.MonkeyPatch, greeting: str
) -> None:
    monkeypatch.setattr(stream, "HELLO_LIMIT_S", 0.05)
    server.greeting = greeting
    async with reading(server, after=0) as reader:
        assert isinstance(await reader.next(), Disconnected)
        server.greeting = "hello"
        assert await reader.until(Connected) == Connected(0)


async def test_a_stream_that_held_for_long_is_opened_again_at_once(server: ContractServer) -> None:
    patient = Pauses(first_s=0.01, longest_s=60, steady_s=0.0)
    async with aiohttp.ClientSession() as session:
        backend = MarengoCamClient(session, server.address, TOKEN)
        async with aclosing(EventStream(backend, 0, pauses=patient).messages()) as messages:
            reader = Reader(messages)
            for _ in range(15):
                await reader.until(Connected)
                await server.drop_sockets()


async def test_a_peer_that_answers_no_ping_is_left(server: ContractServer) -> None:
    server.mute = True
    async with reading(server, after=0, limits=Limits(heartbeat_s=0.1)) as reader:
        await reader.until(Connected)
        await reader.until(Disconnected)


async def test_a_revoked_token_is_told_and_tried_again(server: ContractServer) -> None:
    server.token = "another"
    async with reading(server, after=0) as reader:
        message = await reader.next()
        assert isinstance(message, Disconnected)
        assert isinstance(message.error, InvalidTokenError)
        server.token = TOKEN
        assert await reader.until(Connected) == Connected(0)


def test_pauses_grow_to_a_limit_and_differ_by_chance() -> None:
    pauses = Pauses(first_s=1, longest_s=8)
    assert [pauses.after(failures, lambda: 1.0) for failures in range(6)] == [1, 2, 4, 8, 8, 8]
    assert pauses.after(3, lambda: 0.0) == 4
    assert pauses.after(10**9, lambda: 1.0) == 8
