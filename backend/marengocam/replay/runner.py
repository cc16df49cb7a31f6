"""Runs that somebody asked for: each in a niced process of its own, so that live cameras do not notice."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO

from marengocam.core.errors import MarengoCamError
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.db.replays import ReplayRun
from marengocam.media.store import RECORDINGS
from marengocam.runtime.context import ServiceContext

NICENESS = 15
RUN_LIMIT_S = 4 * 3600.0
POLL_S = 2.0
GOODBYE_LIMIT_S = 1.5
REASON_LIMIT_CHARS = 500
TAIL_BYTES = 4096
LOGS_FOLDER = "replays"  # under the data folder; the log of a run with debug is kept there
RUNS_LOOKED_AT = 200
STOPPED_REASON = "MarengoCam was stopped during the replay: ask for it again."
LOST_REASON = "The process of the replay ended without a word: ask for it again."
_LOG = logging.getLogger(__name__)


class ReplayRunner:
    """Takes one requested run at a time."""

    def __init__(self, context: ServiceContext, run_limit_s: float = RUN_LIMIT_S) -> None:
        self._context = context
        self._run_limit_s = run_limit_s

    async def run(self) -> None:
        """Take runs until cancelled."""
        tidy = False
        while True:
            run = None
            try:
                if not tidy:
                    await self._give_up_lost()
                    tidy = True
                run = await self._context.hub.replays.claim(self._context.clock.now())
            except MarengoCamError as error:
                _LOG.debug("no replay is taken: %s", error)
            if run is None:
                await self._context.bus.wait("replay", POLL_S)
                continue
            try:
                await self._carry_out(run)
            except asyncio.CancelledError:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._fail(run, STOPPED_REASON), GOODBYE_LIMIT_S)
                raise
            except OSError as error:
                await self._fail(run, f"The replay could not be started: {error.strerror}.")

    async def _carry_out(self, run: ReplayRun) -> None:
        _LOG.info("replay %s of camera %s", run.run_id, run.camera_id)
        with self._log_of(run) as log:
            process = await asyncio.create_subprocess_exec(
                *self._command(run),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log,
                preexec_fn=lambda: os.nice(NICENESS),  # noqa: PLW1509,RUF100 - one system call, safe after a fork
            )
            try:
                status = await asyncio.wait_for(process.wait(), self._run_limit_s)
            except TimeoutError:
                await self._fail(run, f"It took longer than {self._run_limit_s / 3600:.0f} hours: ask for less.")
                return
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            if status != 0:
                await self._fail(run, last_line(log) or f"The replay's process ended with status {status}.")

    @contextlib.contextmanager
    def _log_of(self, run: ReplayRun) -> Iterator[IO[bytes]]:
        """Lend the file that a run logs into; it stays when somebody asked for the decisions."""
        folder = self._context.settings.data_dir / LOGS_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{run.run_id}.log"
        with file.open("w+b") as log:
            yield log
        if not run.debug:
            file.unlink(missing_ok=True)

    def _command(self, run: ReplayRun) -> list[str]:
        folder = self._context.settings.media_dir / RECORDINGS / run.camera_id
        command = [sys.executable, "-m", "marengocam.cli", "ingest", f"--source={run.source or _address(folder)}"]
        command += ["--camera", run.camera_id, "--run-id", str(run.run_id)]
        if run.from_at is not None:
            command += ["--from", run.from_at.isoformat()]
        if run.to_at is not None:
            command += ["--to", run.to_at.isoformat()]
        return [*command, *(["--debug"] if run.debug else [])]

    async def _give_up_lost(self) -> None:
        """Fail runs whose process cannot be alive any more, such as after a power cut."""
        before = self._context.clock.now() - timedelta(seconds=self._run_limit_s)
        for run in await self._context.hub.replays.list(RUNS_LOOKED_AT):
            if run.state == "running" and run.started_at is not None and run.started_at < before:
                await self._fail(run, LOST_REASON)

    async def _fail(self, run: ReplayRun, reason: str) -> None:
        _LOG.warning("replay %s failed: %s", run.run_id, reason)
        now = self._context.clock.now()
        data = {"run_id": str(run.run_id), "state": "failed", "reason": reason}
        event = NewEvent(new_id(now), EventType.REPLAY_FINISHED, now, camera_id=run.camera_id, data=data)
        try:
            await self._context.hub.replays.fail(run.run_id, reason, now)
            await self._context.hub.events.append([event])
        except MarengoCamError as error:
            _LOG.warning("that the replay failed could not be noted: %s", error)


def last_line(log: IO[bytes]) -> str:
    """Return the last line of a log, as the reason why its process failed."""
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - TAIL_BYTES))
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("marengocam: ")[-REASON_LIMIT_CHARS:] if lines else ""


def _address(folder: Path) -> str:
    return folder.absolute().as_uri()
