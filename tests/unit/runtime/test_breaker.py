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
    return Breaker(
        "The engine", clock, failures=3, retry_s=30, on_change=lambda state, _, tries: told.append((state, tries))
    )


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
    assert told == [(BreakerState.OPEN, 0)]
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
    assert told == [
        (BreakerState.OPEN, 0),
        (BreakerState.HALF_OPEN, 1),
        (BreakerState.OPEN, 1),
        (BreakerState.HALF_OPEN, 2),
        (BreakerState.CLOSED, 2),
    ]
    assert breaker.tries == 0


async def test_while_one_tries_no_other_call_goes_through_and_a_late_failure_of_before_moves_nothing(breaker, clock):
    begun, go = asyncio.Event(), asyncio.Event()

    async def late():
        begun.set()
        await go.wait()
        raise ConnectionResetError

    before = asyncio.create_task(breaker.call(late, 5))
    await begun.wait()
    await fail(breaker, 3)
    clock.advance(29)
    go.set()
    with pytest.raises(FaceEngineError):
        await before
    assert breaker.state is BreakerState.OPEN
    clock.advance(1)
    answer = asyncio.Event()

    async def trying():
        await answer.wait()
        return "seen"

    careful = asyncio.create_task(breaker.call(trying, 5))
    await asyncio.sleep(0)
    assert (breaker.state, breaker.ready) == (BreakerState.HALF_OPEN, False)
    with pytest.raises(FaceEngineError, match="cut off"):
        await breaker.call(well, 1)
    answer.set()
    assert await careful == "seen"
    assert breaker.state is BreakerState.CLOSED


async def test_a_careful_try_that_ends_in_a_surprise_is_made_again(breaker, clock):
    async def surprising():
        raise KeyError("an answer that nobody foresaw")

    await fail(breaker, 3)
    clock.advance(30)
    with pytest.raises(KeyError):
        await breaker.call(surprising, 1)
    assert await breaker.call(well, 1) == "seen"
    assert breaker.state is BreakerState.CLOSED
