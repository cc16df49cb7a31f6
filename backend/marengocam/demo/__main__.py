"""`python -m marengocam.demo`: the whole main job, from cameras to Home Assistant, in the foreground."""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from marengocam.core.errors import MarengoCamError
from marengocam.demo.performance import Performance
from marengocam.demo.worlds import build_world

ONCE_LIMIT_S = 180.0
COMPONENT_VARIABLE = "MARENGOCAM_COMPONENT"  # the integration's folder; script/demo sets it
HASS_VARIABLE = "MARENGOCAM_HASS"  # the `hass` program; script/demo sets it


def main() -> int:
    """Run the demo; return its exit status: 0 well, 1 the awaited event did not come, 2 it could not run."""
    arguments = _arguments()
    try:
        return asyncio.run(_run(arguments))
    except MarengoCamError as error:
        print(f"The demo cannot go on: {error}", file=sys.stderr)
        return 2


async def _run(arguments: argparse.Namespace) -> int:
    data: Path = arguments.data
    data.mkdir(parents=True, exist_ok=True)
    print(f"Data folder: {data}", flush=True)
    print("Preparing what the cameras show (rendered at the first start: about 10 s)", flush=True)
    world = await asyncio.to_thread(build_world, arguments.footage, arguments.faces, data / "clips")
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    hass = None if arguments.no_ha else _path_from(HASS_VARIABLE)
    component = _path_from(COMPONENT_VARIABLE)
    performance = Performance(world, data, hass, component, stopping)
    reason = await performance.run(once_limit_s=ONCE_LIMIT_S if arguments.once else None)
    if arguments.json is not None:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(performance.report, indent=2) + "\n")
        print(f"Report: {arguments.json}")
    if reason:
        print(f"Not reached: {reason}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end as soon as a person is confirmed in Home Assistant")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write a report when it ends")
    parser.add_argument("--no-ha", action="store_true", help="without Home Assistant")
    parser.add_argument("--footage", type=Path, metavar="DIR", default=_path_from("MARENGOCAM_FOOTAGE"))
    parser.add_argument("--faces", type=Path, metavar="DIR", default=_path_from("MARENGOCAM_FACES"))
    parser.add_argument("--data", type=Path, metavar="DIR", required=True, help="kept between runs")
    arguments = parser.parse_args()
    arguments.data = arguments.data.absolute()
    return arguments


def _path_from(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).absolute() if value else None


if __name__ == "__main__":
    sys.exit(main())
