"""The supervisor of `marengocam up`: no trouble of its own leaves a service ended, or standing still."""

import asyncio
import contextlib
import errno
import os
import sys

import pytest

from marengocam.runtime import supervisor
from marengocam.settings import Settings

LONG_LINE = "print('x' * 300_000); print('and what comes after it')"


async def test_a_line_too_long_for_the_log_does_not_hold_the_child_up(capfdbinary):
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", LONG_LINE, stdout=asyncio.subprocess.PIPE)
    await supervisor._relay(child.stdout)
    assert await child.wait() == 0
    assert b"and what comes after it\n" in capfdbinary.readouterr().err


async def test_a_log_that_nobody_reads_any_more_does_not_hold_the_child_up(monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "w") as nobody_reads:
        monkeypatch.setattr(sys, "stderr", nobody_reads)
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", LONG_LINE, stdout=asyncio.subprocess.PIPE)
        await supervisor._relay(child.stdout)
        assert await child.wait() == 0


@pytest.fixture
def supervising(tmp_path):
    return supervisor._Supervisor(Settings(data_dir=tmp_path, media_dir=tmp_path), None, ["web"])


async def test_a_service_that_cannot_be_started_now_is_started_later(supervising, monkeypatch):
    start, tries = asyncio.create_subprocess_exec, []
    started = asyncio.Event()

    async def short_of_memory(*_arguments, **given):
        tries.append(given)
        if len(tries) == 1:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        process = await start("sleep", "60", stdout=given["stdout"], start_new_session=True)
        started.set()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", short_of_memory)
    (child,) = supervising._children
    keeping = asyncio.create_task(supervising._keep(child, None))
    await started.wait()
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await supervising._stop(child)
