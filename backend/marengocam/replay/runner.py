"""Runs that somebody asked for: each in a niced process of its own, so that live cameras do not notice."""

import asyncio
import contextlib
import logging
import os
import sys

from marengocam.core.errors import HubUnavailableError
from marengocam.db.replays import ReplayRun
from marengocam.media.store import RECORDINGS
from marengocam.runtime.context import ServiceContext

NICENESS = 15
RUN_LIMIT_S = 4 * 3600.0
POLL_S = 2.0
REASON_LIMIT_CHARS = 500
_LOG = logging.getLogger(__name__)


class ReplayRunner:
    """Takes one requested run at a time."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def run(self) -> None:
        """Take runs until cancelled."""
        while True:
            try:
                run = await self._context.hub.replays.claim(self._context.clock.now())
            except HubUnavailableError:
                run = None
            if run is None:
                await self._context.bus.wait("replay", POLL_S)
                continue
            await self._carry_out(run)

    async def _carry_out(self, run: ReplayRun) -> None:
        _LOG.info("replay %s of camera %s", run.run_id, run.camera_id)
        process = await asyncio.create_subprocess_exec(
            *self._command(run),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            preexec_fn=lambda: os.nice(NICENESS),  # noqa: PLW1509,RUF100 - one system call, safe after a fork
        )
        try:
            _, output = await asyncio.wait_for(process.communicate(), RUN_LIMIT_S)
        except TimeoutError:
            await self._fail(run, f"It took longer than {RUN_LIMIT_S / 3600:.0f} hours.")
            return
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            lines = output.decode(errors="replace").strip().splitlines()
            await self._fail(run, lines[-1][-REASON_LIMIT_CHARS:] if lines else f"status {process.returncode}")

    def _command(self, run: ReplayRun) -> list[str]:
        folder = self._context.settings.media_dir / RECORDINGS / run.camera_id
        command = [sys.executable, "-m", "marengocam.cli", "ingest", f"--source={run.source or f'file://{folder}'}"]
        command += ["--camera", run.camera_id, "--run-id", str(run.run_id)]
        if run.from_at is not None:
            command += ["--from", run.from_at.isoformat()]
        if run.to_at is not None:
            command += ["--to", run.to_at.isoformat()]
        return [*command, *(["--debug"] if run.debug else [])]

    async def _fail(self, run: ReplayRun, reason: str) -> None:
        _LOG.warning("replay %s failed: %s", run.run_id, reason)
        with contextlib.suppress(HubUnavailableError):
            await self._context.hub.replays.fail(run.run_id, reason, self._context.clock.now())
