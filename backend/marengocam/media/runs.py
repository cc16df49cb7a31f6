"""Recordings in the order in which they were recorded, also where the machine's clock was set back.

What was recorded before and after such a step lies one over the other. Files that follow one another are a run and stay
together, or pieces of both would take turns.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from marengocam.core.errors import MediaError
from marengocam.media.disk_thread import still_answers
from marengocam.media.mp4.fragments import read_duration_s
from marengocam.media.names import LONGEST_CHUNK, RecordingName
from marengocam.media.store import EPOCH, Store

FOLLOWS_WITHIN = timedelta(seconds=1)  # of the end of the file before, or so much before that end
T = TypeVar("T")


@dataclass(slots=True)
class _Run(Generic[T]):
    started_at: datetime
    ended_at: datetime
    goes_on: bool = False
    pieces: list[T] = field(default_factory=list)


def in_runs(
    pieces: Sequence[T], span: Callable[[T], tuple[datetime, datetime]], from_at: datetime, to_at: datetime
) -> list[T]:
    """Return pieces (sorted by their beginnings) run by run: first what was there first, or else ended first.

    Only what lies within the stretch tells that: where it begins and ends amid two runs, their beginnings decide.
    """
    spans = [span(piece) for piece in pieces]
    before = _predecessors(spans)
    followed = set(before.values())
    runs: list[_Run[T]] = []
    run_of: list[_Run[T]] = []
    for number, (piece, (started_at, ended_at)) in enumerate(zip(pieces, spans, strict=True)):
        run = run_of[before[number]] if number in before else _over(runs, started_at)
        if run is None:
            run = _Run(started_at, ended_at)
            runs.append(run)
        run.pieces.append(piece)
        run.ended_at, run.goes_on = max(run.ended_at, ended_at), number in followed
        run_of.append(run)
    runs.sort(key=lambda run: (max(run.started_at, from_at), min(run.ended_at, to_at), run.started_at))
    return [piece for run in runs for piece in run.pieces]


def _predecessors(spans: Sequence[tuple[datetime, datetime]]) -> dict[int, int]:
    """Return which piece each one follows without a break: the nearest first, since those of one stream are nearest."""
    starts = [started_at for started_at, _ in spans]
    near = sorted(
        (abs(starts[number] - ended_at), earlier, number)
        for earlier, (_, ended_at) in enumerate(spans)
        for number in range(
            max(earlier + 1, bisect_left(starts, ended_at - FOLLOWS_WITHIN)),
            bisect_right(starts, ended_at + FOLLOWS_WITHIN),
        )
    )
    before: dict[int, int] = {}
    followed: set[int] = set()
    for _, earlier, number in near:
        if number not in before and earlier not in followed:
            before[number] = earlier
            followed.add(earlier)
    return before


def _over(runs: Sequence[_Run[T]], at: datetime) -> _Run[T] | None:
    """Return the run that was over last before a moment."""
    over = [run for run in runs if run.ended_at <= at and not run.goes_on]
    return max(over, key=lambda run: run.ended_at, default=None)


def earliest(from_at: datetime) -> datetime:
    """Return when a recording may have begun that reaches into what follows a moment."""
    return max(from_at, EPOCH + LONGEST_CHUNK) - LONGEST_CHUNK


def recordings_in(store: Store, camera_id: str, from_at: datetime, to_at: datetime) -> list[Path]:
    """Return a camera's recordings that hold something of a stretch of time, in the order of recording."""
    spans: dict[Path, tuple[datetime, datetime]] = {}
    for file in store.recordings_since(camera_id, earliest(from_at), to_at):
        still_answers()
        name = RecordingName.from_path(store.relative(file))
        if name is not None and name.started_at < to_at:
            started_at, ended_at = name.started_at, _end_of(file, name.started_at)
            if started_at >= from_at or ended_at > from_at:
                spans[file] = started_at, ended_at
    return in_runs(list(spans), lambda file: spans[file], from_at, to_at)


def _end_of(file: Path, started_at: datetime) -> datetime:
    try:
        return started_at + timedelta(seconds=read_duration_s(file))
    except (MediaError, OSError):
        return started_at  # damaged, or gone meanwhile: whoever opens it finds out
