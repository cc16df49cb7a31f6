"""The supervisor of `marengocam up`: no trouble of its own leaves a service ended, or standing still."""

import asyncio
import contextlib
import errno
import os
import signal
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


async def test_a_service_whose_orphan_holds_its_output_is_started_again_and_the_orphan_is_heard(
    supervising, monkeypatch, capfdbinary
):
    """As a decoder that hangs does after the death of ingest."""
    start, orphans = asyncio.create_subprocess_exec, 0
    again = asyncio.Event()
    monkeypatch.setattr(supervisor, "LAST_WORDS_LIMIT_S", 0.2)

    async def leaves_an_orphan(*_arguments, **given):
        nonlocal orphans
        orphans += 1
        if orphans == 2:
            again.set()
        script = "(sleep 2; echo the orphan speaks; exec sleep 60) & echo last words; exit 1"
        return await start("sh", "-c", script, stdout=given["stdout"], start_new_session=True)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", leaves_an_orphan)
    (child,) = supervising._children
    keeping = asyncio.create_task(supervising._keep(child, None))
    groups, said = set(), b""
    try:
        async with asyncio.timeout(30):
            while not again.is_set() or b"the orphan speaks\n" not in said:
                groups |= {child.process.pid} if child.process is not None else set()
                said += capfdbinary.readouterr().err
                await asyncio.sleep(0.05)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        for group in groups | {child.process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
        await asyncio.gather(*supervising._listening)
    assert said.count(b"last words\n") >= 1
