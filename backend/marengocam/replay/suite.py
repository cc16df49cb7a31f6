"""An owner's own tests: marked moments, their recordings kept, replayed before a model or a setting is changed."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from marengocam.core.clock import Clock
from marengocam.core.errors import NotFoundError
from marengocam.core.ids import new_id
from marengocam.db.cases import ReplayCase
from marengocam.db.hub import Hub
from marengocam.media.store import RECORDINGS, RecordingName, Store
from marengocam.replay.expectation import judge, parse
from marengocam.replay.eyes import EyesLoader, load_eyes
from marengocam.replay.pieces import Piece, Stretch, find_pieces
from marengocam.replay.places import case_place
from marengocam.replay.run import ReplayRequest, replay_source
from marengocam.replay.units import LEAD_IN
from marengocam.settings import Settings

BEFORE, AFTER = timedelta(seconds=10), timedelta(seconds=20)  # around a moment, unless told otherwise


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


async def add_case(
    hub: Hub,
    settings: Settings,
    clock: Clock,
    *,
    name: str,
    camera_id: str,
    from_at: datetime,
    to_at: datetime,
    expected: str,
) -> ReplayCase:
    """Add a case and keep its recording from retention; raises BadInputError, NotFoundError, ConflictError."""
    parse(expected)
    now = clock.now()
    case = ReplayCase(new_id(now), name, camera_id, from_at, to_at, expected, now)
    place = settings.media_dir / RECORDINGS / camera_id
    stretch = Stretch(from_at, to_at)
    try:
        find_pieces(place, settings.media_dir, stretch)
        pieces = find_pieces(place, settings.media_dir, stretch.earlier(LEAD_IN))
    except (NotFoundError, OSError):
        raise NotFoundError(f"{camera_id} has no recording of that time: a case needs one to look at.") from None
    await hub.cases.add(case)
    try:
        await asyncio.to_thread(_keep, pieces, settings, case_place(settings.media_dir, case.case_id))
    except OSError:
        await hub.cases.remove(case.case_id)
        raise
    return case


async def remove_case(hub: Hub, settings: Settings, case: ReplayCase) -> None:
    """Remove a case and its recording."""
    await hub.cases.remove(case.case_id)
    await asyncio.to_thread(shutil.rmtree, case_place(settings.media_dir, case.case_id), ignore_errors=True)


async def run_cases(
    hub: Hub,
    settings: Settings,
    clock: Clock,
    cases: Sequence[ReplayCase],
    overrides: dict[str, str],
    eyes_of: EyesLoader = load_eyes,
) -> list[Outcome]:
    """Replay each case and judge it; results are noted where nothing was overridden, so that they tell of today."""
    outcomes = []
    for case in cases:
        outcome = await _run(settings, clock, case, overrides, eyes_of)
        if not overrides:
            await hub.cases.note(case.case_id, clock.now(), passed=outcome.passed, seen=outcome.problem or outcome.seen)
        outcomes.append(outcome)
    return outcomes


async def _run(
    settings: Settings, clock: Clock, case: ReplayCase, overrides: dict[str, str], eyes_of: EyesLoader
) -> Outcome:
    kept = case_place(settings.media_dir, case.case_id)
    request = ReplayRequest(
        source=(kept / RECORDINGS / case.camera_id).as_uri(),
        camera_id=case.camera_id,
        from_at=case.from_at,
        to_at=case.to_at,
        overrides=overrides,
        footage_root=kept,
    )
    try:
        replayed = await replay_source(settings, request, eyes_of=eyes_of, clock=clock)
    except NotFoundError:
        return Outcome(case, passed=False, seen="", problem="its recording is gone: remove the case and add it again")
    passed, seen = judge(parse(case.expected), replayed.report, case.from_at, case.to_at)
    return Outcome(case, passed, seen, str(replayed.report["detector"]))


def _keep(pieces: Sequence[Piece], settings: Settings, place: Path) -> None:
    """Keep recordings under their own names: as links where that is possible, else as copies."""
    store = Store(settings.media_dir)
    for piece in pieces:
        name = RecordingName.from_path(store.relative(piece.file))
        if name is None:
            continue
        file = place / name.path
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            os.link(piece.file, file)
        except OSError:
            shutil.copyfile(piece.file, file)
