"""The main job for 1, 2 and 4 cameras: CPU seconds per camera-minute, memory by process, first sight to event."""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from marengocam.demo.performance import Performance
from marengocam.demo.worlds import World, build_world

CAMERA_COUNTS = (1, 2, 4)
RUN_S = 100.0  # after everything is up: two rounds of the programme
SETTLE_S = 12.0


def _service_name(process: psutil.Process) -> str:
    words = process.cmdline()
    if "marengocam.cli" in words:
        return words[words.index("marengocam.cli") + 1]
    if "marengocam.demo.rtsp" in words:
        return "cameras"
    if any("hass" in word for word in words[:2]):
        return "home_assistant"
    return "postgres" if "postgres" in process.name() else process.name()


def _snapshot() -> dict[str, dict[str, float]]:
    """Return user+sys CPU seconds and resident bytes of every descendant, by service."""
    found: dict[str, dict[str, float]] = {}
    for process in psutil.Process().children(recursive=True):
        try:
            times, memory = process.cpu_times(), process.memory_info()
            entry = found.setdefault(_service_name(process), {"cpu_s": 0.0, "rss_bytes": 0.0})
        except psutil.Error:
            continue
        entry["cpu_s"] += times.user + times.system
        entry["rss_bytes"] += memory.rss
    return found


async def _measure(world: World, hass: Path | None) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="marengocam-bench-", ignore_cleanup_errors=True) as folder:
        data = Path(folder)
        data.chmod(0o755)
        stopping = asyncio.Event()
        performance = Performance(world, data, hass, Path(os.environ["MARENGOCAM_COMPONENT"]), stopping)
        running = asyncio.create_task(performance.run(once_limit_s=None))
        await _until_set(running, performance)
        await asyncio.sleep(SETTLE_S)
        before = _snapshot()
        await asyncio.sleep(RUN_S)
        after = _snapshot()
        stopping.set()
        await running
    return _figures(before, after, len(world.cameras), performance.report)


async def _until_set(running: "asyncio.Task[str]", performance: Performance) -> None:
    while not performance.set and not running.done():
        await asyncio.sleep(0.2)
    if running.done():
        await running


def _figures(
    before: dict[str, dict[str, float]], after: dict[str, dict[str, float]], cameras: int, report: dict[str, Any]
) -> dict[str, Any]:
    camera_minutes = cameras * RUN_S / 60
    cpu = {name: after[name]["cpu_s"] - before.get(name, {"cpu_s": 0.0})["cpu_s"] for name in after}
    ours = sum(value for name, value in cpu.items() if name not in {"home_assistant", "cameras"})
    delays = report["home_assistant"]["first_sight_to_event_s"]
    return {
        "cameras": cameras,
        "cpu_s_per_camera_minute": round(ours / camera_minutes, 2),
        "cpu_s_per_camera_minute_by_process": {name: round(value / camera_minutes, 2) for name, value in cpu.items()},
        "resident_mb_by_process": {name: round(entry["rss_bytes"] / 1e6) for name, entry in after.items()},
        "first_sight_to_event_s": {
            "median": round(statistics.median(delays), 2) if delays else None,
            "worst": max(delays, default=None),
            "count": len(delays),
        },
        "recordings": report["recordings"],
        "models": report["models"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/bench main", description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cameras", type=int, nargs="+", default=list(CAMERA_COUNTS))
    arguments = parser.parse_args()
    cache = Path(os.environ["MARENGOCAM_CACHE"]) / "demo" / "clips"
    folders = [
        Path(os.environ[name]) if name in os.environ else None for name in ("MARENGOCAM_FOOTAGE", "MARENGOCAM_FACES")
    ]
    world = build_world(folders[0], folders[1], cache)
    hass = Path(os.environ["MARENGOCAM_HASS"]) if "MARENGOCAM_HASS" in os.environ else None
    runs = []
    for count in arguments.cameras:
        cameras = world.cameras[: min(count, len(world.cameras))]
        runs.append(asyncio.run(_measure(replace(world, cameras=cameras), hass)))
        print(json.dumps(runs[-1], indent=2), flush=True)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"world": world.title, "cores": os.cpu_count(), "runs": runs}, indent=2) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
