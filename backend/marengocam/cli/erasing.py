"""Erasing for good, by command: a person, a name that was taken back, or somebody unknown; with the files."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from marengocam.cli.opening import opened_hub
from marengocam.core.clock import SystemClock
from marengocam.core.errors import BadInputError, NotFoundError
from marengocam.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from marengocam.db.hub import Hub
    from marengocam.db.privacy import Erased
    from marengocam.db.word_changes import Speaker

    Erasing = Callable[[Hub, Speaker], Awaitable[list[Erased]]]

WHO = "cli"


async def erase_person(settings: Settings, arguments: argparse.Namespace) -> None:
    """Erase the person of that name, or who bore it as long as a word held that was taken back."""

    async def erasing(hub: "Hub", speaker: "Speaker") -> "list[Erased]":
        person = await hub.persons.by_name(arguments.name)
        meant = [person.person_id] if person else await hub.privacy.taken_back(arguments.name)
        if not meant:
            raise NotFoundError(f"There is no person {arguments.name!r}, and nothing tells of one who was called so.")
        return [await hub.privacy.erase(one, speaker) for one in meant]

    await _carry_out(settings, erasing, sure=arguments.yes)


async def erase_identity(settings: Settings, arguments: argparse.Namespace) -> None:
    """Erase somebody unknown."""

    async def erasing(hub: "Hub", speaker: "Speaker") -> "list[Erased]":
        return [await hub.privacy.erase_identity(arguments.identity_id, speaker)]

    await _carry_out(settings, erasing, sure=arguments.yes)


async def _carry_out(settings: Settings, erasing: "Erasing", *, sure: bool) -> None:
    from marengocam.db.word_changes import Speaker  # noqa: PLC0415 - loaded when needed
    from marengocam.media.mounting import check_ours  # noqa: PLC0415 - loaded when needed
    from marengocam.media.store import Store  # noqa: PLC0415 - loaded when needed
    from marengocam.replay.places import remove_folder  # noqa: PLC0415 - loaded when needed

    if not sure:
        raise BadInputError("This cannot be undone: add --yes to erase for good.")
    async with opened_hub(settings) as hub:
        # First, or the pictures would come back with their disk, and nothing would name them any more.
        await asyncio.to_thread(check_ours, settings.media_dir, await hub.settings_store.installation_id())
        erased = await erasing(hub, Speaker(WHO, SystemClock().now()))
    pictures = [path for one in erased for path in one.pictures]
    run_ids = [run_id for one in erased for run_id in one.run_ids]
    for run_id in run_ids:
        await asyncio.to_thread(remove_folder, settings.media_dir, run_id)
    await asyncio.to_thread(Store(settings.media_dir, settings.archive_dir).delete_all, pictures)
    print(f"erased, with {len(pictures)} pictures and {len(run_ids)} replays")
    asked = {one.name for one in settings.foreign_engines}
    for engine in sorted({engine for one in erased for engine in one.engines}):
        if engine in asked:
            print(f"{engine} is told to forget them by the process face, see `marengocam health`")
        else:
            print(f"{engine} knows them yet and is not in face_engines: list it there for a while, or empty it there")
