"""Commands for the camera graph: how long the ways between cameras take, and which views overlap."""

import argparse

from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.core.identity import CameraWay
from marengocam.db.camera_graph import KEEP
from marengocam.settings import Settings

LEARNED = "learned"
OVERLAPS = {"yes": True, "no": False, LEARNED: None}


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add them."""
    ways = commands.add_parser("ways", help="how long the ways between cameras take, and which views overlap")
    ways.add_argument("--from", dest="from_camera", metavar="ID", help="with --to: say something about this way")
    ways.add_argument("--to", dest="to_camera", metavar="ID")
    ways.add_argument("--seconds", metavar="S", help="usual time from last to first sight, or 'learned'")
    ways.add_argument("--overlap", choices=sorted(OVERLAPS), help="whether both views show one place")
    ways.set_defaults(command=ways_command)


async def ways_command(settings: Settings, arguments: argparse.Namespace) -> None:
    """Say something about a way, if so asked, and print all that is known."""
    said = arguments.seconds is not None or arguments.overlap is not None
    if said != (arguments.from_camera is not None and arguments.to_camera is not None):
        raise BadInputError("To change a way give --from, --to, and --seconds or --overlap.")
    async with opened_hub(settings) as hub:
        if said:
            await hub.camera_graph.tell(
                arguments.from_camera,
                arguments.to_camera,
                transit_s=KEEP if arguments.seconds is None else _seconds(arguments.seconds),
                overlaps=KEEP if arguments.overlap is None else OVERLAPS[arguments.overlap],
            )
        known = await hub.camera_graph.ways(SystemClock().now())
    for way in known:
        print(f"{way.from_camera} -> {way.to_camera}: {_transit(way)}; {_overlap(way)}")
    if not known:
        print("Nothing is known about ways yet: they are learned from people recognised in two cameras.")


def _transit(way: CameraWay) -> str:
    learned = f"{way.learned_transit_s:g} s learned from {way.journeys} journeys" if way.journeys else "no journeys yet"
    return learned if way.told_transit_s is None else f"{way.told_transit_s:g} s told ({learned})"


def _overlap(way: CameraWay) -> str:
    learned = f"one person in both at once {way.together} of {way.chances} times"
    if way.told_overlaps is None:
        return learned
    return f"views {'overlap' if way.told_overlaps else 'do not overlap'}, told ({learned})"


def _seconds(text: str) -> float | None:
    if text == LEARNED:
        return None
    try:
        return float(text)
    except ValueError:
        raise BadInputError("--seconds takes a number, or 'learned'.") from None
