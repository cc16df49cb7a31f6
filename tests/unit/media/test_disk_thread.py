"""A disk's thread: what takes long and goes on is no hang, what stands still is, and holds nobody."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from marengocam.media.disk_thread import DiskHangsError, DiskThread, still_answers

LIMIT_S = 0.8
HANG_S = 30.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[DiskThread]:
    thread = DiskThread(tmp_path, LIMIT_S)
    yield thread
    thread.close()


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def long_copy() -> str:
    for _ in range(8):
        time.sleep(LIMIT_S / 4)
        still_answers()
    return "copied"


async def test_a_long_work_that_goes_on_is_no_hang_for_itself_nor_for_who_waits_behind_it(disk: DiskThread) -> None:
    copying = asyncio.create_task(disk.run(long_copy))
    await asyncio.sleep(0.01)
    assert await disk.run(lambda: "looked") == "looked"
    assert (await copying, disk.hangs) == ("copied", False)


async def test_several_that_each_take_their_time_wait_for_each_other(disk: DiskThread) -> None:
    slow = [disk.run(time.sleep, LIMIT_S / 2) for _ in range(5)]
    assert await asyncio.gather(*slow) == [None] * 5


async def test_what_stands_still_is_told_to_all_who_wait_and_later_ones_are_refused_at_once(
    disk: DiskThread, released: threading.Event
) -> None:
    asked = [disk.run(released.wait, HANG_S) for _ in range(3)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in outcomes] == [DiskHangsError] * 3
    began_s = time.monotonic()
    with pytest.raises(DiskHangsError):
        await disk.run(lambda: None)
    assert (time.monotonic() - began_s < LIMIT_S / 2, disk.hangs) == (True, True)
    released.set()
    while disk.hangs:
        await asyncio.sleep(0.01)
    assert await disk.run(lambda: "again") == "again"


async def test_what_goes_on_after_it_was_given_up_is_waited_for_again(
    disk: DiskThread, released: threading.Event
) -> None:
    def copy() -> None:
        released.wait(HANG_S)
        long_copy()

    with pytest.raises(DiskHangsError):
        await disk.run(copy)
    assert disk.hangs
    released.set()
    while disk.hangs:
        await asyncio.sleep(0.01)
    assert await disk.run(lambda: "looked") == "looked"


async def test_who_left_leaves_no_hang_unseen(disk: DiskThread, released: threading.Event) -> None:
    begun = threading.Event()

    def stands_still() -> None:
        begun.set()
        released.wait(HANG_S)

    gone = asyncio.create_task(disk.run(stands_still))
    assert await asyncio.to_thread(begun.wait, HANG_S), "what has not begun would not be done"
    gone.cancel()
    with pytest.raises(DiskHangsError):
        await disk.run(lambda: None)
    assert disk.hangs, "the next is refused at once"


async def test_what_was_given_up_while_it_waited_is_not_done_later(disk: DiskThread, released: threading.Event) -> None:
    done: list[str] = []
    await asyncio.gather(disk.run(released.wait, HANG_S), disk.run(done.append, "late"), return_exceptions=True)
    released.set()
    while disk.hangs:
        await asyncio.sleep(0.01)
    await disk.run(lambda: None)
    assert done == []


async def test_a_work_s_own_errors_come_through(disk: DiskThread) -> None:
    for error in (TimeoutError, OSError, ValueError):

        def fails(kind: type[Exception] = error) -> None:
            raise kind("its own")

        with pytest.raises(Exception, match="its own") as raised:
            await disk.run(fails)
        assert not isinstance(raised.value, DiskHangsError)
    assert not disk.hangs


async def test_what_nobody_waits_for_is_done_though_nothing_was_asked_before(disk: DiskThread) -> None:
    done = threading.Event()
    disk.later(done.set)
    assert await asyncio.to_thread(done.wait, HANG_S)
