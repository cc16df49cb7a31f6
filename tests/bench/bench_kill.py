"""Ingest with 4 cameras killed again and again (-9): seconds of video lost per kill, then `marengocam check`."""

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.bench.measuring import arguments_of, at_most, moving_picture, tell
from tests.bench.peers import cameras, end, hub_settings, start_service

from marengocam.check.invariants import findings_of
from marengocam.core.clock import SystemClock
from marengocam.core.model import Camera
from marengocam.db.hub import Hub, open_hub
from marengocam.media.names import GROWING_SUFFIX
from marengocam.media.store import Store
from marengocam.settings import Settings

CAMERAS = 4
FPS = 15
LIVES_S = (3.0, 5.0)  # how long ingest records before it is killed, first and last of a cycle
SHOWN_GAP_S = 0.5  # a shorter one is no loss: pictures come one by one
RECORDING_LIMIT_S = 60.0
TIDY_S = 8.0  # at the end: what was growing is adopted and indexed


def main() -> int:
    parser = arguments_of(__doc__, rounds=100)
    arguments = parser.parse_args()
    figures = asyncio.run(measure(arguments.rounds))
    targets = [at_most("kill", "broken invariants after the last kill", figures["broken_invariants"], 0)]
    tell("kill", arguments.json, figures, targets, [])
    return 0


async def measure(rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="mc-kill-") as folder:
        clip = moving_picture(Path(folder) / "camera.mp4", 640, 360, FPS, 6, 1000)
        mounts = {f"camera{number}": clip for number in range(CAMERAS)}
        async with hub_settings(detector="hog", chunk_s=10.0) as settings, open_hub(settings, "bench", 2) as hub:
            with cameras(mounts) as urls:
                for name, url in urls.items():
                    await hub.cameras.add(Camera(name, name, url))
                kills = await kill_again_and_again(settings, rounds)
            broken = await broken_invariants(hub, settings)
            lost = [loss for name in urls for loss in await losses(hub, name, kills)]
    return {
        "rounds": rounds,
        "cameras": CAMERAS,
        "lost_s_per_kill_median": round(statistics.median(lost), 2) if lost else None,
        "lost_s_per_kill_worst": round(max(lost), 2) if lost else None,
        "gaps_counted": len(lost),
        "broken_invariants": broken,
    }


async def kill_again_and_again(settings: Settings, rounds: int) -> list[datetime]:
    """Kill ingest while it records, start it again at once; return when it was killed."""
    store, log, kills = Store(settings.media_dir), settings.data_dir / "ingest.log", []
    for number in range(rounds):
        process = start_service("ingest", settings, log)
        await all_record(store)
        await asyncio.sleep(LIVES_S[0] + (LIVES_S[1] - LIVES_S[0]) * (number % 7) / 6)
        kills.append(datetime.now(UTC))  # noqa: TID251 - the moment of the kill, by the clock recordings use
        process.kill()
        process.wait()
    last = start_service("ingest", settings, log)
    await all_record(store)
    await asyncio.sleep(TIDY_S)
    end(last)
    return kills


async def all_record(store: Store) -> None:
    """Return when each camera has a growing file that has grown since we began to wait."""
    before = sizes(store)
    give_up_s = time.monotonic() + RECORDING_LIMIT_S
    while True:
        now = sizes(store)
        if all(any(now[f] > before.get(f, 0) for f in now if f"camera{n}" in str(f)) for n in range(CAMERAS)):
            return
        if time.monotonic() > give_up_s:
            raise TimeoutError("ingest does not record; see its log")
        await asyncio.sleep(0.1)


def sizes(store: Store) -> dict[Path, int]:
    found = {}
    for number in range(CAMERAS):
        for file in store.recordings(f"camera{number}"):
            if not file.name.endswith(GROWING_SUFFIX):
                continue
            try:
                found[file] = file.stat().st_size
            except FileNotFoundError:
                continue  # renamed in this moment
    return found


async def losses(hub: Hub, camera_id: str, kills: list[datetime]) -> list[float]:
    """Return for each kill how much of the camera is missing around it."""
    if not kills:
        return []
    chunks = await hub.chunks.span(camera_id, kills[0] - timedelta(hours=1), kills[-1] + timedelta(hours=1))
    gaps = [(a.ended_at, b.started_at) for a, b in pairwise(sorted(chunks, key=lambda one: one.started_at))]
    found = []
    for killed_at in kills:
        near = [(b - a).total_seconds() for a, b in gaps if a - timedelta(seconds=2) <= killed_at <= b]
        found.append(max([gap for gap in near if gap > SHOWN_GAP_S], default=0.0))
    return found


async def broken_invariants(hub: Hub, settings: Settings) -> int:
    findings = await findings_of(hub, Store(settings.media_dir), SystemClock(), deep=False)
    for finding in findings:
        for problem in finding.problems[:5]:
            print(f"{finding.name}: {problem}")
    return sum(len(finding.problems) for finding in findings)


if __name__ == "__main__":
    sys.exit(main())
