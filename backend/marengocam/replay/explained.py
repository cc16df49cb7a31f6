"""A run that only explains one moment: its answer becomes the run's report."""

import asyncio

from marengocam.core.clock import SystemClock
from marengocam.db.hub import open_hub
from marengocam.db.replays import ReplayRun
from marengocam.replay.control import Control
from marengocam.replay.folder import RunFolder
from marengocam.replay.steering import Progress, steered
from marengocam.replay.why import why
from marengocam.replay.why_page import explanation_page
from marengocam.settings import Settings

PICTURE = "frame.jpg"


async def explain_run(settings: Settings, run: ReplayRun) -> None:
    """Explain the run's moment, keep answer, picture and page in its folder, and note it as finished.

    Raises NotFoundError when the moment was not recorded, ModelError.
    """
    assert run.why_at is not None
    clock = SystemClock()
    folder = RunFolder(settings.media_dir, run.run_id)
    await asyncio.to_thread(folder.prepare)
    control = Control(clock)
    progress = Progress((), control, clock)
    async with open_hub(settings, "replay", pool_size=2) as hub, steered(hub, run, control, progress, clock):
        explanation = await why(
            hub, settings, run.camera_id, run.why_at, overrides=run.overrides, source=run.source, clock=clock
        )
        pictures = {PICTURE: explanation.picture} if explanation.picture is not None else {}
        await asyncio.to_thread(folder.conclude, explanation.told, pictures)
        await asyncio.to_thread(folder.keep_page, explanation_page(explanation))
        await hub.replays.finish(run.run_id, explanation.told, clock.now())
