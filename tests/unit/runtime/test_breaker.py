"""The breaker: cuts off after failures in a row, tries again carefully."""

import asyncio

import pytest

from marengocam.core.clock import ManualClock
from marengocam.core.errors import FaceEngineError
from marengocam.runtime.breaker import Breaker, BreakerState


async def well():
    return "seen"


async def broken():
    raise ConnectionRefusedError("nobody listens")


async def slow():
    await asyncio.sleep(5)


@pytest.fixture
def told():
    return []


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def breaker(clock, told):
    return Breaker("The engine", clock, failures=3, retry_s=30, on_change=lambda state, _reason: told.append(state))


async def fail(breaker, times, call=broken):
    for _ in range(times):
        with pytest.raises(FaceEngineError):
            await breaker.call(call, 0.02)


async def test_single_failures_do_not_open_it(breaker):
    for _ in range(5):
        await fail(breaker, 2)
        assert await breaker.call(well, 1) == "seen"
    assert breaker.state is BreakerState.CLOSED


async def test_it_opens_after_failures_in_a_row_and_then_asks_nobody(breaker, told):
    await fail(breaker, 2)
    await fail(breaker, 1, slow)
    assert told == [BreakerState.OPEN]
    asked = []

    async def count():
        asked.append(1)

    with pytest.raises(FaceEngineError, match="cut off"):
        await breaker.call(count, 1)
    assert not asked


async def test_one_try_after_a_while_closes_or_opens_it_again(breaker, clock, told):
    await fail(breaker, 3)
    clock.advance(31)
    await fail(breaker, 1)
    assert breaker.state is BreakerState.OPEN
    clock.advance(31)
    assert await breaker.call(well, 1) == "seen"
    assert told == [BreakerState.OPEN, BreakerState.CLOSED]


async def test_a_careful_try_that_ends_in_a_surprise_is_made_again(breaker, clock):
    async def surprising():
        raise KeyError("an answer that nobody foresaw")

    await fail(breaker, 3)
    clock.advance(30)
    with pytest.raises(KeyError):
        await breaker.call(surprising, 1)
    assert await breaker.call(well, 1) == "seen"
    assert breaker.state is BreakerState.CLOSED
