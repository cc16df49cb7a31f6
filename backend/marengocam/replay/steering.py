"""What keeps a run in touch with the hub: its progress there, its owner's wishes back, and live cameras first."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

from marengocam.core.clock import Clock
from marengocam.core.errors import HubUnavailableError
from marengocam.db.cameras import CameraStatus
from marengocam.db.hub import Hub
from marengocam.db.replays import ReplayRun
from marengocam.replay.control import Control
from marengocam.replay.findings import UnitFindings
from marengocam.replay.units import Unit

ROUND_S = 0.5
LIVE_EVERY_ROUNDS = 4
LAG_LIMIT_S = 1.0  # a live camera whose packets wait so long has the machine to itself
LAG_GONE_S = 0.5
STATUS_FRESH_S = 15.0  # an older status is nobody's
_LOG = logging.getLogger(__name__)


class Progress:
    """How far a run is."""

    def __init__(self, units: Sequence[Unit], control: Control, clock: Clock) -> None:
        self._units = units
        self._control = control
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._done: set[int] = set()
        self._tracks = 0
        self._stage = "looking"

    def unit_done(self, findings: UnitFindings) -> None:
        """Note a finished unit; may be called from any thread."""
        self._done.add(findings.number)
        self._tracks += len(findings.tracks)

    def case_done(self, number: int) -> None:
        """Note a finished test of an owner's own."""
        self._done.add(number)

    def identifying(self) -> None:
        """Note that all units are done."""
        self._stage = "deciding who it was"

    def told(self) -> dict[str, object]:
        """Return what is told of it."""
        total_s = sum(unit.length_s for unit in self._units)
        done_s = sum(unit.length_s for unit in self._units if unit.number in self._done)
        at = self._control.at
        current = next((unit for unit in self._units if at is not None and unit.from_at <= at < unit.to_at), None)
        if current is not None and at is not None and current.number not in self._done:
            done_s += (at - current.from_at).total_seconds()
        return {
            "units": len(self._units),
            "units_done": len(self._done),
            "total_s": round(total_s, 1),
            "done_s": round(done_s, 1),
            "at": at.isoformat() if at is not None else None,
            "tracks": self._tracks,
            "running_s": round(self._clock.monotonic_s() - self._began_s, 1),
            "stage": self._stage,
            "waits_for": self._control.waits_for,
        }


@contextlib.asynccontextmanager
async def steered(
    hub: Hub, run: ReplayRun | None, control: Control, progress: Progress, clock: Clock
) -> AsyncIterator[None]:
    """Keep hub and run in touch while the block runs; a run that nobody asked the hub for only makes way."""
    steering = asyncio.create_task(_steer(hub, run, control, progress, clock))
    try:
        yield
    finally:
        control.cancel()
        steering.cancel()
        await asyncio.gather(steering, return_exceptions=True)


async def _steer(hub: Hub, run: ReplayRun | None, control: Control, progress: Progress, clock: Clock) -> None:
    rounds = 0
    while True:
        try:
            if run is not None:
                wanted = await hub.replays.note_progress(run.run_id, progress.told(), clock.now())
                if wanted is None:
                    control.cancel()  # somebody ended or removed it
                else:
                    control.steer(
                        paused=wanted.wish == "pause",
                        cancelled=wanted.wish == "cancel",
                        pace=wanted.pace,
                        steps=wanted.steps,
                    )
            if rounds % LIVE_EVERY_ROUNDS == 0:
                control.make_way(behind(list((await hub.cameras.statuses()).values()), control.waits_for))
        except HubUnavailableError as error:
            _LOG.debug("the run goes on by itself: %s", error)
        rounds += 1
        await asyncio.sleep(ROUND_S)


def behind(statuses: Sequence[CameraStatus], waits_for: str = "") -> str:
    """Return why a replay should wait, empty when every live camera keeps up."""
    limit_s = LAG_GONE_S if waits_for.startswith("live camera") else LAG_LIMIT_S
    for status in statuses:
        if status.silent_s > STATUS_FRESH_S:
            continue
        lag_s = float(status.metrics.get("analysis_lag_s") or 0.0)
        if lag_s > limit_s or int(status.metrics.get("shed_level") or 0) > 0:
            return f"live camera {status.camera_id}, which lags behind"
    return ""
