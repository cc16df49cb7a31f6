"""`marengocam replay suite`: an owner's own tests, run before a model or a setting is changed."""

import argparse
import asyncio
import json
from datetime import timedelta
from pathlib import Path

from marengocam.cli.columns import column
from marengocam.cli.moments import TAKES, OwnerClock
from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.cli.replays import add_overrides, overrides_of
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.core.model import EventType
from marengocam.settings import Settings

FAILED_STATUS = 1
DISK_LIMIT_S = 60.0  # without a sign of life; nobody else waits behind it


def add_commands(replay: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add `suite` to the actions of `replay`."""
    actions = replay.add_parser("suite", help="your own tests: moments with what should be seen").add_subparsers(
        required=True, metavar="ACTION"
    )
    add = actions.add_parser("add", help="mark a moment; its recording is kept from retention")
    add.add_argument("name", help="such as 'the mailman'")
    add.add_argument("--camera", help="needed unless a marked moment names it")
    add.add_argument("--at", help=TAKES)
    add.add_argument("--event", type=int, metavar="NUMBER", help="a moment marked by hand, or any other event")
    add.add_argument("--before-s", type=float, default=10.0)
    add.add_argument("--after-s", type=float, default=20.0)
    add.add_argument("--expect", required=True, help="nothing, person, person:NAME, unknown, car, ... [zone:NAME]")
    add.set_defaults(command=add_case)
    actions.add_parser("list").set_defaults(command=list_cases)
    run = actions.add_parser("run", help="status 1: something expected was not seen")
    run.add_argument("name", nargs="*", help="which; default: all")
    add_overrides(run)
    run.add_argument("--json", type=Path, metavar="FILE")
    run.set_defaults(command=run_suite)
    remove = actions.add_parser("remove")
    remove.add_argument("name")
    remove.set_defaults(command=remove_case)


async def add_case(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.media.disk_thread import DiskThreads  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.kept_cases import add_case as keep_case  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.kept_cases import moment_of  # noqa: PLC0415 - loaded when needed

    clock = SystemClock()
    async with opened_hub(settings) as hub:
        if arguments.event is not None:
            at, of_event = await moment_of(hub, arguments.event)
            camera_id = arguments.camera or of_event
        elif arguments.at is not None:
            at, camera_id = OwnerClock(settings, clock.now()).moment(arguments.at), arguments.camera
        else:
            raise BadInputError(f"Say when: --at TIME, or --event NUMBER of a {EventType.MOMENT_MARKED}.")
        if camera_id is None:
            raise BadInputError("Say which camera: --camera ID.")
        await hub.cameras.get(camera_id)
        case = await keep_case(
            hub,
            settings,
            clock,
            DiskThreads(settings.media_dir, DISK_LIMIT_S, 1),
            name=arguments.name,
            camera_id=camera_id,
            from_at=at - timedelta(seconds=arguments.before_s),
            to_at=at + timedelta(seconds=arguments.after_s),
            expected=arguments.expect,
        )
    print(case.case_id)


async def list_cases(settings: Settings, _arguments: argparse.Namespace) -> None:
    states = {None: "never run", True: "passed", False: "failed"}
    clock = OwnerClock(settings, SystemClock().now())
    async with opened_hub(settings) as hub:
        for case in await hub.cases.list():
            seen = f", saw {case.seen}" if case.ran_at else ""
            moment = f"{case.camera_id:16} {clock.told(case.from_at)}"
            print(f"{column(case.name, 24)} {moment}  {column(case.expected, 20)} {states[case.passed]}{seen}")


async def run_suite(settings: Settings, arguments: argparse.Namespace) -> int:
    from marengocam.replay.politeness import be_polite  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.suite import run_cases  # noqa: PLC0415 - loaded when needed

    overrides = overrides_of(settings, arguments)
    be_polite()
    async with opened_hub(settings) as hub:
        cases = await hub.cases.list()
        if arguments.name:
            cases = [await hub.cases.by_name(name) for name in arguments.name]
        if not cases:
            raise NotFoundError("There is no case yet: add one with `marengocam replay suite add`.")
        outcomes = await run_cases(hub, settings, SystemClock(), cases, overrides)
    for one in outcomes:
        state = "passed" if one.passed else "FAILED"
        print(f"{state}  {column(one.case.name, 24)} expected {one.case.expected}, saw {one.problem or one.seen}")
    failed = sum(not one.passed for one in outcomes)
    print(f"{len(outcomes) - failed} of {len(outcomes)} passed with {outcomes[0].detector or 'no detector'}")
    if arguments.json is not None:
        told = [one.told() for one in outcomes]
        await asyncio.to_thread(arguments.json.write_text, json.dumps(told, indent=2))
    return FAILED_STATUS if failed else 0


async def remove_case(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.media.disk_thread import DiskThreads  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.kept_cases import remove_case as forget_case  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        disk = DiskThreads(settings.media_dir, DISK_LIMIT_S, 1)
        await forget_case(hub, settings, await hub.cases.by_name(arguments.name), disk)
