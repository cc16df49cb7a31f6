"""Commands that run services."""

import argparse
import importlib
from typing import TYPE_CHECKING

from marengocam.cli.moments import TAKES, OwnerClock
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine

SERVICES = {
    "ingest": ("marengocam.ingest.service", "IngestService", "record and analyse cameras"),
    "resolver": ("marengocam.resolver.service", "ResolverService", "decide who each track is"),
    "automation": ("marengocam.automation.service", "AutomationService", "publish events, act by rules"),
    "face": ("marengocam.face.service", "FaceService", "find and recognise faces (CodeProject.AI's API)"),
    "janitor": ("marengocam.janitor.service", "JanitorService", "retention and health"),
    "web": ("marengocam.web.service", "WebService", "API and page"),
}
FILE_SCHEME = "file://"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `up` and one command per service."""
    up = commands.add_parser("up", help="run everything on this machine, the database included")
    up.set_defaults(command=_up)
    for name, (_, _, text) in SERVICES.items():
        parser = commands.add_parser(name, help=text)
        parser.set_defaults(command=_serve)
        if name == "ingest":
            _add_replay_arguments(parser)


def _add_replay_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", metavar="file://...", help="replay a file or folder instead of serving cameras")
    parser.add_argument("--camera", default="", help="the camera whose zones and name the replay takes")
    parser.add_argument("--from", dest="from_at", help=f"start of the stretch: {TAKES}")
    parser.add_argument("--to", dest="to_at", help=f"end of the stretch: {TAKES}")
    parser.add_argument("--set", action="append", default=[], dest="changes", metavar="KEY=VALUE")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="see `marengocam models list`")
    parser.add_argument("--pace", choices=["fast", "real_time"], default="fast")
    parser.add_argument("--workers", type=int, default=0, help="analyse on so many local Dask workers")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="analyse on the workers of a Dask scheduler")
    parser.add_argument("--debug", action="store_true", help="log each frame's decisions")


def _up(settings: Settings, _arguments: argparse.Namespace) -> int:
    from marengocam.runtime.supervisor import supervise  # noqa: PLC0415 - loaded when needed

    return supervise(settings)


def _serve(settings: Settings, arguments: argparse.Namespace) -> "int | Coroutine[None, None, int]":
    if getattr(arguments, "source", None):
        return _replay(settings, arguments)
    from marengocam.runtime.service import run_service  # noqa: PLC0415 - loaded when needed

    module_name, class_name, _ = SERVICES[arguments.name]
    return run_service(arguments.name, settings, getattr(importlib.import_module(module_name), class_name))


async def _replay(settings: Settings, arguments: argparse.Namespace) -> int:
    from marengocam.cli.replays import overrides_of  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.cluster import units_on  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.politeness import be_polite  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.run import ReplayRequest, replay_source  # noqa: PLC0415 - loaded when needed
    from marengocam.runtime.logs import start_logging  # noqa: PLC0415 - loaded when needed

    if not arguments.source.startswith(FILE_SCHEME):
        raise BadInputError(f"--source takes {FILE_SCHEME}/path/to/video or a folder; live cameras need no --source.")
    level = "DEBUG" if arguments.debug else settings.log_level
    start_logging("replay", level, as_json=settings.log_json)
    be_polite()
    clock = OwnerClock(settings, SystemClock().now())
    request = ReplayRequest(
        source=arguments.source,
        camera_id=arguments.camera,
        from_at=clock.given(arguments.from_at),
        to_at=clock.given(arguments.to_at),
        overrides=overrides_of(settings, arguments),
        pace=arguments.pace,
    )
    with units_on(arguments.scheduler, arguments.workers) as units_by:
        replayed = await replay_source(settings, request, units_by=units_by)
    print(replayed.to_json())
    return 0
