"""A run of an owner's own tests: the outcomes become the run's report and page."""

import asyncio
from collections.abc import Sequence
from html import escape
from typing import Any

from marengocam.core.clock import SystemClock
from marengocam.core.errors import NotFoundError
from marengocam.db.hub import open_hub
from marengocam.db.replays import ReplayRun
from marengocam.replay.control import FAST, Control
from marengocam.replay.eyes import EyesLoader, load_eyes
from marengocam.replay.folder import RunFolder
from marengocam.replay.page import whole_page
from marengocam.replay.steering import Progress, steered
from marengocam.replay.suite import Outcome, run_cases
from marengocam.replay.units import Unit
from marengocam.settings import Settings


async def run_suite(settings: Settings, run: ReplayRun, eyes_of: EyesLoader = load_eyes) -> None:
    """Run the cases that a run names and are still there; keep report and page, and note it as finished.

    Raises NotFoundError when none is there, CancelledRunError, ModelError. It is paused and cancelled at any frame.
    """
    clock = SystemClock()
    control = Control(clock)
    control.steer(paused=run.wish == "pause", cancelled=run.wish == "cancel", pace=FAST, steps=0)
    folder = RunFolder(settings.media_dir, run.run_id)
    await asyncio.to_thread(folder.prepare)
    async with open_hub(settings, "replay", pool_size=2) as hub:
        cases = [case for case in await hub.cases.list() if case.case_id in set(run.case_ids or ())]
        if not cases:
            raise NotFoundError("The tests were removed before they ran.")
        units = [Unit(number, case.from_at, case.to_at) for number, case in enumerate(cases)]
        outcomes: list[Outcome] = []
        progress = Progress(units, control, clock)
        async with steered(hub, run, control, progress, clock):
            for number, case in enumerate(cases):
                control.other_video()
                outcomes += await run_cases(hub, settings, clock, [case], run.overrides, eyes_of, control)
                progress.case_done(number)
        report = suite_report(outcomes)
        await asyncio.to_thread(folder.conclude, report, {})
        await asyncio.to_thread(folder.keep_page, suite_page(outcomes))
        await hub.replays.finish(
            run.run_id, report, clock.now(), {"passed": report["passed"], "failed": report["failed"]}
        )


def suite_report(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return how many passed and failed, and each outcome."""
    failed = sum(not one.passed for one in outcomes)
    return {"passed": len(outcomes) - failed, "failed": failed, "outcomes": [one.told() for one in outcomes]}


def suite_page(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a page of its own."""
    rows = "".join(
        f"<tr><td>{'passed' if one.passed else '<strong>FAILED</strong>'}</td><td>{escape(one.case.name)}</td>"
        f"<td>{escape(one.case.camera_id)}, {one.case.from_at:%Y-%m-%d %H:%M:%S}Z</td>"
        f"<td>{escape(one.case.expected)}</td><td>{escape(one.problem or one.seen)}</td></tr>"
        for one in outcomes
    )
    head = "<tr><th></th><th>test</th><th>moment</th><th>expected</th><th>saw</th></tr>"
    passed = sum(one.passed for one in outcomes)
    return whole_page("Your own tests", [f"<p>{passed} of {len(outcomes)} passed.</p>", f"<table>{head}{rows}</table>"])
