"""An owner's own tests, replayed before a model or a setting is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marengocam.core.clock import Clock
from marengocam.core.errors import NotFoundError
from marengocam.db.cases import ReplayCase
from marengocam.db.hub import Hub
from marengocam.media.names import RECORDINGS
from marengocam.replay.control import Control
from marengocam.replay.expectation import judge, parse
from marengocam.replay.eyes import EyesLoader, load_eyes
from marengocam.replay.memory import MEMORY
from marengocam.replay.places import case_place
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.settings import Settings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run of one case saw."""

    case: ReplayCase
    passed: bool
    seen: str
    detector: str = ""
    problem: str = ""

    def told(self) -> dict[str, Any]:
        return {
            "name": self.case.name,
            "camera_id": self.case.camera_id,
            "from_at": self.case.from_at.isoformat(),
            "to_at": self.case.to_at.isoformat(),
            "expected": self.case.expected,
            "seen": self.seen,
            "passed": self.passed,
            "problem": self.problem,
            "detector": self.detector,
        }


async def run_cases(
    hub: Hub,
    settings: Settings,
    clock: Clock,
    cases: Sequence[ReplayCase],
    overrides: dict[str, str],
    eyes_of: EyesLoader = load_eyes,
    control: Control | None = None,
) -> list[Outcome]:
    """Replay each case and judge it; results are noted where nothing was overridden, so that they tell of today.

    A `control` that is given is steered by who gave it.
    """
    outcomes = []
    for case in cases:
        outcome = await _run(settings, clock, case, overrides, eyes_of, control)
        if not overrides:
            await hub.cases.note(case.case_id, clock.now(), passed=outcome.passed, seen=outcome.problem or outcome.seen)
        outcomes.append(outcome)
    return outcomes


async def _run(
    settings: Settings,
    clock: Clock,
    case: ReplayCase,
    overrides: dict[str, str],
    eyes_of: EyesLoader,
    control: Control | None,
) -> Outcome:
    kept = case_place(settings.media_dir, case.case_id)
    request = ReplayRequest(
        source=(kept / RECORDINGS / case.camera_id).as_uri(),
        camera_id=case.camera_id,
        from_at=case.from_at,
        to_at=case.to_at,
        overrides=overrides,
        footage_root=kept,
        memory=kept / MEMORY,
    )
    try:
        replayed = await replay_source(settings, request, eyes_of=eyes_of, clock=clock, control=control)
    except NotFoundError:
        return Outcome(case, passed=False, seen="", problem="its recording is gone: remove the case and add it again")
    passed, seen = judge(parse(case.expected), replayed.report, case.from_at, case.to_at)
    return Outcome(case, passed, seen, str(replayed.report["detector"]))
