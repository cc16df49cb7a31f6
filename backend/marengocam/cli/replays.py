"""Commands of the Time Machine: replays, what they changed, why something was missed, an owner's own tests."""

import argparse
import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from marengocam.cli.moments import TAKES, OwnerClock
from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.cli.replay_words import run_line
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.settings import Settings

if TYPE_CHECKING:
    from marengocam.db.hub import Hub
    from marengocam.db.replays import ReplayRun
    from marengocam.replay.sides import Side

REPLAY_DEFAULT = timedelta(hours=1)
FOLLOW_EVERY_S = 1.0
SHOWN_RUNS = 50
LIVE = "live"
DIFFERS_STATUS = 1


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> "Subparsers[argparse.ArgumentParser]":
    """Add `replay` with its actions; return them, so that more can be added."""
    actions = commands.add_parser("replay", help="feed recordings through today's code").add_subparsers(
        required=True, metavar="ACTION"
    )
    actions.add_parser("list").set_defaults(command=list_replays)
    start = actions.add_parser("start")
    start.add_argument("--camera", required=True)
    add_stretch(start)
    add_overrides(start)
    start.add_argument("--debug", action="store_true", help="log each frame's decisions")
    start.add_argument("--pace", choices=["fast", "real_time", "step"], default="fast")
    start.add_argument("--gallery-at", metavar="T", help="persons and faces as of then; default: now")
    start.add_argument("--follow", action="store_true", help="wait for its end and tell how far it is")
    start.set_defaults(command=start_replay)
    for name, command, text in (
        ("show", show_replay, "how far it is, or what it brought"),
        ("follow", follow_replay, "tell how far it is until it ends"),
        ("cancel", cancel_replay, "end it"),
        ("pause", pause_replay, "let it wait"),
        ("resume", resume_replay, "let it go on, as fast as the machine goes"),
        ("step", step_replay, "look at one more frame, or --count"),
        ("remove", remove_replay, "delete it with its tracks, pictures and reports"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("run_id", type=UUID)
        action.set_defaults(command=command)
        if name == "step":
            action.add_argument("--count", type=int, default=1)
        if name == "show":
            action.add_argument("--json", type=Path, metavar="FILE", help="the whole report")
    diff = actions.add_parser("diff", help="what a run saw that live, or another run, did not; status 1: it differs")
    diff.add_argument("run_id", type=UUID)
    diff.add_argument("--against", default=LIVE, metavar="RUN_ID", help="another run; default: live history")
    diff.add_argument("--html", type=Path, metavar="FILE", help="the whole difference as a page of its own")
    diff.add_argument("--json", type=Path, metavar="FILE")
    diff.set_defaults(command=diff_replay)
    why = actions.add_parser("why", help="every stage's decision at a moment")
    why.add_argument("--camera", required=True)
    why.add_argument("--at", required=True, help=TAKES)
    add_overrides(why)
    why.add_argument("--html", type=Path, metavar="FILE")
    why.add_argument("--picture", type=Path, metavar="FILE", help="the frame with all boxes, .png or .jpg")
    why.add_argument("--json", type=Path, metavar="FILE")
    why.set_defaults(command=tell_why)
    return actions


def add_stretch(parser: argparse.ArgumentParser) -> None:
    """Add --from and --to."""
    parser.add_argument("--from", dest="from_at", help=f"start of the stretch: {TAKES}")
    parser.add_argument("--to", dest="to_at", help=f"end of the stretch: {TAKES}")


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Add --set and --model."""
    parser.add_argument("--set", action="append", default=[], dest="changes", metavar="KEY=VALUE")
    parser.add_argument("--model", action="append", default=[], metavar="NAME", help="see `marengocam models list`")


def overrides_of(settings: Settings, arguments: argparse.Namespace) -> dict[str, str]:
    """Return what a run changes, checked; raises BadInputError."""
    from marengocam.replay.overrides import checked, model_override, pairs  # noqa: PLC0415 - loaded when needed

    named = dict(model_override(name, settings) for name in arguments.model)
    return checked(pairs(arguments.changes) | named, settings)


async def list_replays(settings: Settings, _arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        for run in await hub.replays.list(SHOWN_RUNS):
            print(f"{run.run_id}  {run.camera_id:20} {run_line(run)}")


async def start_replay(settings: Settings, arguments: argparse.Namespace) -> int:
    overrides = overrides_of(settings, arguments)
    now = SystemClock().now()
    clock = OwnerClock(settings, now)
    to_at = clock.given(arguments.to_at) or now
    from_at = clock.given(arguments.from_at) or to_at - REPLAY_DEFAULT
    gallery_at = clock.given(arguments.gallery_at)
    if from_at >= to_at:
        raise BadInputError("--from must lie before --to.")
    async with opened_hub(settings) as hub:
        await hub.cameras.get(arguments.camera)
        if not await hub.chunks.span(arguments.camera, from_at, to_at):
            raise BadInputError(f"{arguments.camera} has no recording of that time; `marengocam gaps` tells when.")
        run_id = await hub.replays.request(
            arguments.camera,
            now,
            from_at=from_at,
            to_at=to_at,
            debug=arguments.debug,
            overrides=overrides,
            gallery_at=gallery_at,
            pace=arguments.pace,
        )
        print(run_id)
        return await _followed(hub, run_id) if arguments.follow else 0


async def show_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.replay.folder import RunFolder, canonical  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        run = await hub.replays.get(arguments.run_id)
    clock = OwnerClock(settings, SystemClock().now())
    print(f"{run.camera_id}  {clock.told(run.from_at)} to {clock.told(run.to_at)}  {run_line(run)}")
    if run.overrides:
        print("changed  " + ", ".join(f"{key}={value}" for key, value in sorted(run.overrides.items())))
    for track in run.report.get("tracks", []):
        who = f"  {track['person_name']} {track['probability']:.2f}" if track.get("person_name") else ""
        seen_at = clock.told(datetime.fromisoformat(track["first_seen_at"]))
        print(f"    {seen_at}  {track['label']} {track['score']:.2f}{who}")
    if arguments.json is not None:
        report = RunFolder(settings.media_dir, run.run_id).report()
        await asyncio.to_thread(arguments.json.write_bytes, canonical(report))


async def follow_replay(settings: Settings, arguments: argparse.Namespace) -> int:
    async with opened_hub(settings) as hub:
        return await _followed(hub, arguments.run_id)


async def _followed(hub: "Hub", run_id: UUID) -> int:
    told = ""
    while True:
        run = await hub.replays.get(run_id)
        line = run_line(run)
        if line != told:
            print(line, flush=True)
            told = line
        if run.ended:
            return 0 if run.state == "finished" else 1
        await asyncio.sleep(FOLLOW_EVERY_S)


async def cancel_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    await _control(settings, arguments.run_id, wish="cancel")


async def pause_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    await _control(settings, arguments.run_id, wish="pause")


async def resume_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    await _control(settings, arguments.run_id, wish="run", pace="fast")


async def step_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    if arguments.count < 1:
        raise BadInputError("--count must be 1 or more.")
    await _control(settings, arguments.run_id, wish="run", pace="step", steps=arguments.count)


async def _control(settings: Settings, run_id: UUID, **wanted: Any) -> None:
    async with opened_hub(settings) as hub:
        print(run_line(await hub.replays.control(run_id, SystemClock().now(), **wanted)))


async def remove_replay(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.replay.places import remove_folder  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        await hub.replays.remove(arguments.run_id)
    await asyncio.to_thread(remove_folder, settings.media_dir, arguments.run_id)


async def diff_replay(settings: Settings, arguments: argparse.Namespace) -> int:
    from marengocam.replay.difference import compare, told  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.folder import RunFolder  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.page import difference_page  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.sides import of_run  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.summary import summary  # noqa: PLC0415 - loaded when needed
    from marengocam.runtime.rule_facts import place_of  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        run = await hub.replays.get(arguments.run_id)
        after = of_run(f"run {str(run.run_id)[-6:]}", RunFolder(settings.media_dir, run.run_id))
        before = await _other_side(hub, settings, arguments.against, run, after)
    difference = compare(before, after)
    place = place_of(settings)
    print(summary(difference, place))
    if arguments.html is not None:
        await asyncio.to_thread(arguments.html.write_text, difference_page(difference, place))
    if arguments.json is not None:
        await asyncio.to_thread(arguments.json.write_text, json.dumps(told(difference), indent=2))
    return DIFFERS_STATUS if difference.differs else 0


async def _other_side(hub: "Hub", settings: Settings, against: str, run: "ReplayRun", after: "Side") -> "Side":
    from marengocam.media.store import Store  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.folder import RunFolder  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.sides import of_live, of_run  # noqa: PLC0415 - loaded when needed

    if against == LIVE:
        return await of_live(hub, Store(settings.media_dir), run.camera_id, after.from_at, after.to_at)
    try:
        other = await hub.replays.get(UUID(against))
    except ValueError:
        raise BadInputError("--against takes the id of another run, or live.") from None
    return of_run(f"run {str(other.run_id)[-6:]}", RunFolder(settings.media_dir, other.run_id))


async def tell_why(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.cli.replay_words import picture_bytes  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.why import why  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.why_page import explanation_page  # noqa: PLC0415 - loaded when needed

    clock = OwnerClock(settings, SystemClock().now())
    at = clock.moment(arguments.at)
    overrides = overrides_of(settings, arguments)
    async with opened_hub(settings) as hub:
        explanation = await why(hub, settings, arguments.camera, at, overrides=overrides)
    print(explanation.answer)
    print(f"  {'moment':12} {clock.told(at)} ({clock.zone})")
    for stage, decision in explanation.stages:
        print(f"  {stage:12} {decision}")
    for one in explanation.told["candidates"]:
        for candidate in one["candidates"]:
            cues = ", ".join(f"{cue['cue']} {cue['log_ratio']:+.2f}" for cue in candidate["cues"])
            print(f"  candidate    {candidate['who']} {candidate['log_odds']:+.2f} ({cues or 'prior alone'})")
    if arguments.html is not None:
        await asyncio.to_thread(arguments.html.write_text, explanation_page(explanation))
    if arguments.picture is not None and explanation.picture is not None:
        content = picture_bytes(explanation.picture, arguments.picture)
        await asyncio.to_thread(arguments.picture.write_bytes, content)
    if arguments.json is not None:
        await asyncio.to_thread(arguments.json.write_text, json.dumps(explanation.told, indent=2))
    sys.stdout.flush()
