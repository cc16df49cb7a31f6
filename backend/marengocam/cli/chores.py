"""Commands that do one chore and end: look after persons, tokens, models; check; doctor."""

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from marengocam.cli.columns import column
from marengocam.cli.erasing import erase_person
from marengocam.cli.moments import OwnerClock
from marengocam.cli.opening import Subparsers, opened_hub
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from marengocam.db.hub import Hub
    from marengocam.db.persons import Person
    from marengocam.media.sampled_pictures import Picture


def add_commands(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    """Add all chores."""
    schema = commands.add_parser("migrate", help="bring the database's schema and the services' rights up to date")
    schema.add_argument(
        "--role-passwords",
        type=Path,
        metavar="FOLDER",
        help="make the services' roles with the passwords in its files db_SERVICE",
    )
    schema.set_defaults(command=migrate)
    check = commands.add_parser("check", help="verify the invariants of recordings and events")
    check.add_argument("--deep", action="store_true", help="decode every frame")
    check.add_argument("--json", type=Path, metavar="FILE")
    check.set_defaults(command=run_check)
    commands.add_parser("doctor", help="find out why a set-up does not work").set_defaults(command=run_doctor)
    _add_persons(commands)
    _add_tokens(commands)
    models = commands.add_parser("models", help="detector, face and appearance models")
    models.add_argument("action", choices=["list", "fetch", "export", "verify"])
    models.add_argument("model", nargs="?", help="which one to fetch or export")
    models.add_argument("--format", choices=["onnx", "openvino"], help="of an export; onnx, or openvino with --int8")
    models.add_argument(
        "--int8", action="store_true", help="a detector for processors with VNNI, where it looks faster"
    )
    models.add_argument(
        "--pictures",
        type=Path,
        nargs="+",
        default=[],
        metavar="PATH",
        help="pictures, clips or folders to make INT8 by, instead of the recordings that are here",
    )
    models.set_defaults(command=run_models)


def _add_persons(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    actions = commands.add_parser("person", help="persons").add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list").set_defaults(command=list_persons)
    add = actions.add_parser("add")
    add.add_argument("name")
    add.set_defaults(command=add_person)
    rename = actions.add_parser("rename")
    rename.add_argument("name")
    rename.add_argument("new_name")
    rename.set_defaults(command=rename_person)
    erase = actions.add_parser("erase", help="for good: name, faces, looks and pictures; sights stay, as unknown")
    erase.add_argument("name", help="present, or of a word that was taken back")
    erase.add_argument("--yes", action="store_true", help="it cannot be undone")
    erase.set_defaults(command=erase_person)
    export = actions.add_parser("export", help="all that is known about a person as a ZIP file")
    export.add_argument("name")
    export.add_argument("--to", type=Path, required=True, metavar="FILE")
    export.set_defaults(command=export_person)


def _add_tokens(commands: "Subparsers[argparse.ArgumentParser]") -> None:
    actions = commands.add_parser("token", help="API tokens").add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("list").set_defaults(command=list_tokens)
    create = actions.add_parser("create")
    create.add_argument("--name", required=True)
    create.add_argument("--scope", nargs="+", default=["read", "write"], choices=["read", "write", "admin"])
    create.set_defaults(command=create_token)
    revoke = actions.add_parser("revoke")
    revoke.add_argument("token_id", type=UUID)
    revoke.set_defaults(command=revoke_token)


async def migrate(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.db.migrate import migrate_as_owner  # noqa: PLC0415 - loaded when needed
    from marengocam.db.roles import passwords_in  # noqa: PLC0415 - loaded when needed

    folder = arguments.role_passwords
    applied = await migrate_as_owner(settings, None if folder is None else passwords_in(folder))
    print(f"applied: {', '.join(map(str, applied))}" if applied else "the schema is up to date")


async def run_check(settings: Settings, arguments: argparse.Namespace) -> int:
    from marengocam.check.invariants import check  # noqa: PLC0415 - loaded when needed

    return await check(settings, deep=arguments.deep, json_file=arguments.json)


async def run_doctor(settings: Settings, _arguments: argparse.Namespace) -> int:
    from marengocam.check.doctor import doctor  # noqa: PLC0415 - loaded when needed

    return await doctor(settings)


def run_models(settings: Settings, arguments: argparse.Namespace) -> int:
    from marengocam.media.sampled_pictures import given_pictures, recorded_pictures  # noqa: PLC0415 - loaded when needed
    from marengocam.vision.models import commands  # noqa: PLC0415 - loaded when needed

    if not arguments.int8:
        if arguments.pictures:
            raise BadInputError("Pictures are needed only to export a detector with --int8.")
        return commands.run(settings, arguments.action, arguments.model, arguments.format or commands.ONNX)
    if arguments.action != "export":
        raise BadInputError("--int8 belongs to `marengocam models export`.")

    def pictures() -> "Iterable[Picture]":
        return given_pictures(arguments.pictures) if arguments.pictures else recorded_pictures(settings.media_dir)

    return commands.export_int8(settings, arguments.model, arguments.format, pictures, SystemClock())


async def list_persons(settings: Settings, _arguments: argparse.Namespace) -> None:
    clock = OwnerClock(settings, SystemClock().now())
    async with opened_hub(settings) as hub:
        for known in await hub.persons.list():
            seen = f"{known.last_seen.camera_id} {clock.told(known.last_seen.at)}" if known.last_seen else "never seen"
            print(f"{known.person.person_id}  {column(known.person.name, 24)} {known.faces:3} faces  {seen}")


async def add_person(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        person = await hub.persons.add(arguments.name, SystemClock().now())
    print(person.person_id)


async def rename_person(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.db.word_changes import Speaker  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        person = await _person_called(hub, arguments.name)
        await hub.words.rename(person.person_id, arguments.new_name, Speaker("cli", SystemClock().now()))


async def export_person(settings: Settings, arguments: argparse.Namespace) -> None:
    from marengocam.media.mounting import check_ours  # noqa: PLC0415 - loaded when needed
    from marengocam.media.person_archive import write_archive  # noqa: PLC0415 - loaded when needed
    from marengocam.media.store import Store  # noqa: PLC0415 - loaded when needed

    async with opened_hub(settings) as hub:
        person = await _person_called(hub, arguments.name)
        # Or the pictures would be left out, and nobody would know.
        await asyncio.to_thread(check_ours, settings.media_dir, await hub.settings_store.installation_id())
        everything = await hub.privacy.everything_about(person.person_id)
    count = await asyncio.to_thread(
        write_archive, arguments.to, everything, Store(settings.media_dir, settings.archive_dir)
    )
    print(f"{arguments.to}: {len(everything['tracks'])} tracks, {count} pictures")


async def _person_called(hub: "Hub", name: str) -> "Person":
    person = await hub.persons.by_name(name)
    if person is None:
        raise NotFoundError(f"There is no person {name!r}.")
    return person


async def list_tokens(settings: Settings, _arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        for token in await hub.tokens.list():
            state = "revoked" if token.revoked_at else "valid"
            print(f"{token.token_id}  {column(token.name, 24)} {','.join(sorted(token.scopes)):16} {state}")


async def create_token(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        print(await hub.tokens.add(arguments.name, arguments.scope, SystemClock().now()))


async def revoke_token(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        await hub.tokens.revoke(arguments.token_id, SystemClock().now())
