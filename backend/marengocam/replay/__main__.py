"""The process of one run: `python -m marengocam.replay RUN_ID`, started by ingest."""

import asyncio
import sys
from uuid import UUID

from marengocam.core.clock import SystemClock
from marengocam.core.errors import MarengoCamError
from marengocam.db.hub import open_hub
from marengocam.replay.control import CancelledRunError
from marengocam.replay.explained import explain_run
from marengocam.replay.politeness import be_polite
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.replay.suite_run import run_suite
from marengocam.runtime.logs import start_logging
from marengocam.settings import Settings, load_settings


async def carry_out(settings: Settings, run_id: UUID) -> None:
    """Carry a claimed run out to its end; raises MarengoCamError when it cannot be."""
    async with open_hub(settings, "replay", pool_size=1) as hub:
        run = await hub.replays.get(run_id)
    start_logging("replay", "DEBUG" if run.debug else settings.log_level, as_json=settings.log_json)
    try:
        if run.why_at is not None:
            await explain_run(settings, run)
        elif run.case_ids is not None:
            await run_suite(settings, run)
        else:
            await replay_source(settings, ReplayRequest.of(run))
    except CancelledRunError:
        await _note_cancelled(settings, run_id)


async def _note_cancelled(settings: Settings, run_id: UUID) -> None:
    async with open_hub(settings, "replay", pool_size=1) as hub:
        await hub.replays.fail(run_id, "", SystemClock().now(), state="cancelled")


def main() -> int:
    """Return the exit status: 0 when the run has ended in the hub, 2 with a reason on stderr."""
    be_polite()
    try:
        asyncio.run(carry_out(load_settings(), UUID(sys.argv[1])))
    except MarengoCamError as error:
        sys.stderr.write(f"marengocam: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
