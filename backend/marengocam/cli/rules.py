"""Commands for rules: edited, as YAML in and out, tried on the past; what became of them."""

import argparse
import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marengocam.cli.columns import column
from marengocam.cli.moments import OwnerClock
from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError
from marengocam.core.ids import new_id
from marengocam.core.model import EventType
from marengocam.settings import Settings

if TYPE_CHECKING:
    from marengocam.core.rules.model import Rule
    from marengocam.db.hub import Hub

MOST_FIRINGS = 50
MOST_SHOWN = 20
DEFAULT_EDITOR = "vi"


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add them."""
    parser = commands.add_parser("rule", help="what is done when an event fits")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list").set_defaults(command=list_rules)
    _add_adding(actions)
    for name, text, command in (
        ("show", "as YAML", show_rule),
        ("edit", "in $EDITOR, as YAML", edit_rule),
        ("enable", "let it act", enable_rule),
        ("disable", "let it rest", disable_rule),
        ("remove", "for good", remove_rule),
        ("secret", "the secret that signs its webhooks", show_secret),
    ):
        one = actions.add_parser(name, help=text)
        one.add_argument("rule", metavar="NAME")
        one.set_defaults(command=command)
    importing = actions.add_parser("import", help="add and change rules from YAML, all or none")
    importing.add_argument("file", type=Path, help="- reads standard input")
    importing.add_argument("--replace-all", action="store_true", help="remove the rules that the file does not hold")
    importing.set_defaults(command=import_rules)
    actions.add_parser("export", help="all rules as YAML").set_defaults(command=export_rules)
    trying = actions.add_parser("try", help="what it would have done")
    trying.add_argument("rule", metavar="NAME_OR_FILE", help="a rule's name, or a YAML file that need not be imported")
    trying.add_argument("--days", type=float, default=7.0)
    trying.set_defaults(command=try_rule)
    firings = actions.add_parser("firings", help="when rules fired and what became of it, newest first")
    firings.add_argument("rule", nargs="?", metavar="NAME")
    firings.add_argument("--failed", action="store_true", help="only those with an action that failed")
    firings.set_defaults(command=list_firings)


def _add_adding(actions: "Subparsers[argparse.ArgumentParser]") -> None:
    add = actions.add_parser("add", help="a simple rule; import takes every kind")
    add.add_argument("name")
    add.add_argument("event", nargs="+", choices=[str(kind) for kind in EventType if kind != EventType.RULE_FIRED])
    for condition in ("camera", "zone", "person"):
        add.add_argument(f"--{condition}")
    add.add_argument("--min-probability", type=float)
    add.add_argument("--mqtt-topic", help="publish the event there")
    add.add_argument("--home-assistant", metavar="NAME", help="fire marengocam_rule_fired with this name")
    add.add_argument("--webhook", metavar="URL", help="POST the event there, signed")
    add.set_defaults(command=add_rule)


async def list_rules(settings: Settings, _arguments: argparse.Namespace) -> None:
    """Print one line a rule."""
    from marengocam.core.rules.schema import action_name  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        rules = await hub.rules.list()
    for rule in rules:
        does = ", ".join(action_name(action) for action in rule.actions)
        print(f"{column(rule.name, 32)} {'on ' if rule.enabled else 'off'} {', '.join(rule.event_types)} -> {does}")
    if not rules:
        print("No rules.")


async def add_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Add a rule made of options."""
    from marengocam.core.rules.schema import rule_from  # noqa: PLC0415 - loaded when needed
    from marengocam.runtime.rule_facts import possible_with  # noqa: PLC0415 - loaded when needed

    conditions: dict[str, Any] = {f"{name}s": getattr(arguments, name) for name in ("camera", "zone", "person")}
    conditions["min_probability"] = arguments.min_probability
    actions = [
        {kind: {field: value}}
        for kind, field, value in (
            ("mqtt", "topic", arguments.mqtt_topic),
            ("home_assistant", "name", arguments.home_assistant),
            ("webhook", "url", arguments.webhook),
        )
        if value is not None
    ]
    if not actions:
        raise BadInputError("Say what it is to do: --mqtt-topic, --home-assistant or --webhook.")
    document = {
        "name": arguments.name,
        "events": arguments.event,
        "conditions": {name: value for name, value in conditions.items() if value is not None},
        "actions": actions,
    }
    now = SystemClock().now()
    async with opened_hub(settings) as hub:
        await hub.rules.put([rule_from(document, new_id(now), now, possible_with(settings))])
    print(f"Rule {arguments.name!r} is added.")


async def show_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print a rule as YAML."""
    from marengocam.core.rules.document import rules_yaml  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        print(rules_yaml([await hub.rules.by_name(arguments.rule)]), end="")


async def edit_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Have a rule changed in an editor; what cannot be used is refused and kept in its file."""
    from dataclasses import replace  # noqa: PLC0415 - loaded when needed

    from marengocam.core.rules.document import rules_yaml  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        before = await hub.rules.by_name(arguments.rule)
        text = rules_yaml([before])
        handle, name = tempfile.mkstemp(prefix="marengocam-rule-", suffix=".yaml")
        file = Path(name)
        os.close(handle)
        file.write_text(text)  # noqa: ASYNC240 - nothing else is kept waiting
        await asyncio.to_thread(_edit, file)
        edited = file.read_text()  # noqa: ASYNC240 - nothing else is kept waiting
        if edited == text:
            print("Nothing was changed.")
        else:
            try:
                rule = _one_of(_read(edited, [before], settings))
                await hub.rules.put([replace(rule, rule_id=before.rule_id, created_at=before.created_at)])
            except BadInputError as error:
                raise BadInputError(f"{error} Your text is kept in {file}.") from None
            print(f"Rule {rule.name!r} is changed.")
        file.unlink()  # noqa: ASYNC240 - nothing else is kept waiting


async def enable_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Switch a rule on."""
    await _switch(settings, arguments.rule, on=True)


async def disable_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Switch a rule off."""
    await _switch(settings, arguments.rule, on=False)


async def remove_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Remove a rule."""
    async with opened_hub(settings) as hub:
        await hub.rules.remove((await hub.rules.by_name(arguments.rule)).rule_id)
    print(f"Rule {arguments.rule!r} is removed.")


async def show_secret(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print the secret of a rule's webhooks."""
    from marengocam.db.webhook_key import webhook_secret  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        rule = await hub.rules.by_name(arguments.rule)
        print((await webhook_secret(hub.settings_store, rule.rule_id)).reveal())


async def import_rules(settings: Settings, arguments: argparse.Namespace) -> None:
    """Take rules in from a file."""
    text = await asyncio.to_thread(_text_of, arguments.file)
    async with opened_hub(settings) as hub:
        rules = _read(text, await hub.rules.list(), settings)
        await hub.rules.put(rules, remove_others=arguments.replace_all)
    print(f"{len(rules)} rules are imported.")


async def export_rules(settings: Settings, _arguments: argparse.Namespace) -> None:
    """Print all rules as YAML."""
    from marengocam.core.rules.document import rules_yaml  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        print(rules_yaml(await hub.rules.list()), end="")


async def try_rule(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print what a rule, or each rule of a file, would have done."""
    from marengocam.core.rules.past import rehearse  # noqa: PLC0415 - loaded when needed
    from marengocam.runtime.rule_facts import RuleFacts, place_of  # noqa: PLC0415 - loaded when needed

    if arguments.days <= 0:
        raise BadInputError("--days must be more than nothing.")
    to_at = SystemClock().now()
    from_at = to_at - timedelta(days=arguments.days)
    clock, place = OwnerClock(settings, to_at), place_of(settings)
    async with opened_hub(settings) as hub:
        facts = RuleFacts(hub, place)
        for rule in await _rules_to_try(hub, settings, arguments.rule):
            found = rehearse(rule, await facts.past(rule, from_at, to_at))
            print(f"{rule.name}: {found.summary(place.local(from_at), place.local(to_at))}")
            for event in found.fired[-MOST_SHOWN:]:
                about = "  ".join(one for one in (event.camera_id, event.person_name, *event.zones) if one)
                print(f"  {clock.told(event.occurred_at)}  {event.type}  {about}")
            if len(found.fired) > MOST_SHOWN:
                print(f"  and {len(found.fired) - MOST_SHOWN} before these")
            for reason, count in sorted(found.reasons.items(), key=lambda one: -one[1]):
                print(f"  not {count} times: {reason}")


async def list_firings(settings: Settings, arguments: argparse.Namespace) -> None:
    """Print firings with what became of their actions."""
    async with opened_hub(settings) as hub:
        rule_id = (await hub.rules.by_name(arguments.rule)).rule_id if arguments.rule else None
        found = await hub.firings.list(MOST_FIRINGS, rule_id, failed_only=arguments.failed)
    clock = OwnerClock(settings, SystemClock().now())
    for firing in found:
        about = "  ".join(one for one in (firing.camera_id, firing.person_name) if one)
        print(f"{clock.told(firing.fired_at)}  {firing.rule_name}  {firing.event_type}  {about}")
        for one in firing.outcomes:
            print(f"  {one.action} {one.target}: {one.reason or 'done'}")
    if not found:
        print("No rule has fired." if not arguments.failed else "No action has failed.")


async def _rules_to_try(hub: "Hub", settings: Settings, wanted: str) -> "list[Rule]":
    if await asyncio.to_thread(Path(wanted).is_file):
        text = await asyncio.to_thread(_text_of, Path(wanted))
        return _read(text, await hub.rules.list(), settings)
    return [await hub.rules.by_name(wanted)]


async def _switch(settings: Settings, name: str, *, on: bool) -> None:
    from dataclasses import replace  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        await hub.rules.put([replace(await hub.rules.by_name(name), enabled=on)])
    print(f"Rule {name!r} is {'on' if on else 'off'}.")


def _read(text: str, known: "list[Rule]", settings: Settings) -> "list[Rule]":
    from marengocam.core.rules.document import rules_from_yaml  # noqa: PLC0415 - loaded when needed
    from marengocam.runtime.rule_facts import possible_with  # noqa: PLC0415 - loaded when needed

    return rules_from_yaml(text, known, SystemClock().now(), possible_with(settings))


def _one_of(rules: "list[Rule]") -> "Rule":
    if len(rules) != 1:
        raise BadInputError("The file must hold this one rule.")
    return rules[0]


def _text_of(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'no UTF-8 text'}.") from error


def _edit(file: Path) -> None:
    editor = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or DEFAULT_EDITOR)
    try:
        subprocess.run([*editor, str(file)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise BadInputError(f"The editor {editor[0]!r} failed: set EDITOR. The rule is unchanged.") from error
