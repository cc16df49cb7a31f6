"""Runs that somebody asked for: each in a process of its own, so that live cameras do not notice."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from marengocam.core.errors import MarengoCamError
from marengocam.db.replays import ReplayRun
from marengocam.media.store import Store
from marengocam.replay.places import LOG, REPLAYS, folders, remove_folder, run_place
from marengocam.replay.politeness import THREADS
from marengocam.runtime.context import ServiceContext

RUNS_AT_ONCE = min(8, max(2, (os.cpu_count() or 1) // 2))
POLL_S = 2.0
GOODBYE_LIMIT_S = 1.5
REASON_LIMIT_CHARS = 500
TAIL_BYTES = 4096
_LOG = logging.getLogger(__name__)


class ReplayRunner:
    """Takes requested runs, and those whose process died; several at once share what live cameras leave."""

    def __init__(self, context: ServiceContext, runs_at_once: int = RUNS_AT_ONCE) -> None:
        self._context = context
        self._runs_at_once = runs_at_once
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Take runs until cancelled; those under way then wait for the next process, which goes on with them."""
        tidy = False
        try:
            with self._context.bus.subscribed("replay") as asked:
                while True:
                    run = None
                    try:
                        if not tidy:
                            tidy = await self._remove_orphans()
                        if len(self._tasks) < self._runs_at_once:
                            run = await self._context.hub.replays.claim(self._context.clock.now())
                    except MarengoCamError as error:
                        _LOG.debug("no replay is taken: %s", error)
                    if run is None:
                        await asked.wait(POLL_S)
                        continue
                    task = asyncio.create_task(self._look_after(run))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look_after(self, run: ReplayRun) -> None:
        try:
            await self._carry_out(run)
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError, MarengoCamError):
                async with asyncio.timeout(GOODBYE_LIMIT_S):
                    await self._context.hub.replays.give_back(run.run_id)
            raise
        except OSError as error:
            await self._fail(run, f"The replay could not be started: {error.strerror}.")
        except MarengoCamError as error:
            _LOG.warning("the replay %s is left to another process: %s", run.run_id, error)

    async def _carry_out(self, run: ReplayRun) -> None:
        _LOG.info("replay %s of camera %s, attempt %d", run.run_id, run.camera_id, run.attempts)
        with self._log_of(run) as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "marengocam.replay",
                str(run.run_id),
                env=os.environ | THREADS,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
            )
            try:
                status = await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if not await self._context.hub.replays.known([run.run_id]):
                # Removed while it ran, as when a person was erased: nothing of it may stay.
                await asyncio.to_thread(remove_folder, self._context.settings.media_dir, run.run_id)
            elif status < 0:
                _LOG.warning("the process of replay %s was killed by signal %d", run.run_id, -status)
                await self._context.hub.replays.give_back(run.run_id, crashed=True)
            elif status != 0:
                await self._fail(run, last_line(log) or f"The replay's process ended with status {status}.")

    @contextlib.contextmanager
    def _log_of(self, run: ReplayRun) -> Iterator[IO[bytes]]:
        """Lend the file that a run logs into."""
        place = run_place(self._context.settings.media_dir, run.run_id)
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (place / LOG).open("a+b") as log:
            yield log

    async def _remove_orphans(self) -> bool:
        """Delete what runs left that are gone: their removal was cut short; False while the disk is not ours."""
        media_dir: Path = self._context.settings.media_dir
        installation_id = await self._context.hub.settings_store.installation_id()
        if not await asyncio.to_thread(Store(media_dir).belongs_to, installation_id):
            return False  # nothing on another's disk is named here
        there = folders(media_dir)
        known = await self._context.hub.replays.known(there)
        for run_id in set(there) - known:
            _LOG.info("what replay %s left in %s is deleted: the replay was removed", run_id, media_dir / REPLAYS)
            await asyncio.to_thread(remove_folder, media_dir, run_id)
        return True

    async def _fail(self, run: ReplayRun, reason: str) -> None:
        _LOG.warning("replay %s failed: %s", run.run_id, reason)
        try:
            await self._context.hub.replays.fail(run.run_id, reason, self._context.clock.now())
        except MarengoCamError as error:
            _LOG.warning("that the replay failed could not be noted: %s", error)


def last_line(log: IO[bytes]) -> str:
    """Return the last line of a log, as the reason why its process failed."""
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - TAIL_BYTES))
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("marengocam: ")[-REASON_LIMIT_CHARS:] if lines else ""
