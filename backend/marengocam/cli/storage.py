"""Commands for what is kept and what was lost: retention, favourites, gaps."""

import argparse
from datetime import timedelta
from uuid import UUID

from marengocam.cli.moments import OwnerClock
from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.core.retention import ALL, CLASSES, EVERY_CAMERA, Policy, Rule
from marengocam.settings import Settings

MOST_GAPS = 200
GIGABYTE = 10**9


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add them."""
    gaps = commands.add_parser("gaps", help="where cameras were not recorded")
    gaps.add_argument("--camera", metavar="ID")
    gaps.add_argument("--hours", type=float, default=24.0)
    gaps.add_argument("--days", type=int, metavar="N", help="what was lost on each of the last days instead")
    gaps.set_defaults(command=list_gaps)
    keeping = commands.add_parser("retention", help="how long and how much is kept")
    actions = keeping.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list").set_defaults(command=list_rules)
    change = actions.add_parser("set")
    _add_rule(change)
    change.add_argument("--days", type=float, help="age at which such recordings go")
    change.add_argument("--max-gb", type=float, help="size above which the oldest of them go")
    change.set_defaults(command=set_rule)
    clear = actions.add_parser("clear")
    _add_rule(clear)
    clear.set_defaults(command=clear_rule)
    actions = commands.add_parser("favourite", help="marked moments, whose recordings go last").add_subparsers(
        required=True, metavar="ACTION"
    )
    actions.add_parser("list").set_defaults(command=list_favourites)
    remove = actions.add_parser("remove")
    remove.add_argument("favourite_id", type=UUID)
    remove.set_defaults(command=remove_favourite)


def _add_rule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("camera_id", help=f"a camera, or '{EVERY_CAMERA}' for every camera")
    parser.add_argument("kind", choices=[*CLASSES, ALL])


async def list_gaps(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print the stretches without a recording, newest first; or what each day lacks."""
    if arguments.hours <= 0 or (arguments.days is not None and arguments.days <= 0):
        raise BadInputError("--hours and --days must be more than nothing.")
    now = SystemClock().now()
    async with opened_hub(settings) as hub:
        if arguments.days is not None:
            days = await hub.history.days(arguments.camera, (now - timedelta(days=arguments.days)).date())
            for day in days:
                lost = timedelta(seconds=round(day.lost_s))
                print(f"{day.day}  {day.camera_id}  lost {lost} in {day.gaps} gaps")
            if not days:
                print("No day was counted yet.")
            return
        kept = Policy(await hub.retention.rules(), settings.retention_days).shortest
        reach = min(timedelta(hours=arguments.hours), kept)
        found = await hub.history.gaps(arguments.camera, now - reach, now, chunk_s=settings.chunk_s)
    clock = OwnerClock(settings, now)
    for gap in found[:MOST_GAPS]:
        print(f"{clock.told(gap.from_at)}  {gap.camera_id}  lost {timedelta(seconds=round(gap.lost_s))}")
    if not found:
        print("No gaps.")


async def list_rules(settings: Settings, _arguments: argparse.Namespace) -> None:
    """Print what is kept."""
    async with opened_hub(settings) as hub:
        rules = await hub.retention.rules()
    print(f"{EVERY_CAMERA}  everything  {settings.retention_days:g} days, favourites for ever; where no rule says else")
    for rule in rules:
        parts = [f"{rule.keep_days:g} days"] if rule.keep_days is not None else []
        parts += [f"at most {rule.max_bytes / GIGABYTE:g} GB"] if rule.max_bytes is not None else []
        print(f"{rule.camera_id}  {rule.kind}  {', '.join(parts)}")


async def set_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Keep so much from now on."""
    days, gigabytes = arguments.days, arguments.max_gb
    if days is None and gigabytes is None:
        raise BadInputError("Say --days, --max-gb or both.")
    if any(value is not None and value <= 0 for value in (days, gigabytes)):
        raise BadInputError("--days and --max-gb must be more than nothing.")
    if arguments.kind == ALL and days is not None:
        raise BadInputError("For an age of everything name the class continuous: the others follow it.")
    async with opened_hub(settings) as hub:
        if arguments.camera_id != EVERY_CAMERA:
            await hub.cameras.get(arguments.camera_id)
        size = None if gigabytes is None else int(gigabytes * GIGABYTE)
        await hub.retention.set(Rule(arguments.camera_id, arguments.kind, days, size))


async def clear_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Take a rule away."""
    async with opened_hub(settings) as hub:
        await hub.retention.clear(arguments.camera_id, arguments.kind)


async def list_favourites(settings: Settings, _arguments: argparse.Namespace) -> None:
    """Print what is kept for ever."""
    async with opened_hub(settings) as hub:
        kept = await hub.retention.favourites()
    clock = OwnerClock(settings, SystemClock().now())
    for one in kept:
        print(f"{one.favourite_id}  {clock.told(one.from_at)}  {one.camera_id or EVERY_CAMERA}  {one.label}")
    if not kept:
        print("No favourites.")


async def remove_favourite(settings: Settings, arguments: argparse.Namespace) -> None:
    """Let go of one."""
    async with opened_hub(settings) as hub:
        await hub.retention.remove_favourite(arguments.favourite_id, SystemClock().now())
