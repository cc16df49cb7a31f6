"""Commands by which a human says who is who, and takes it back."""

import argparse
from typing import TYPE_CHECKING
from uuid import UUID

from marengocam.cli.columns import column
from marengocam.cli.erasing import WHO, erase_identity
from marengocam.cli.moments import OwnerClock
from marengocam.cli.opening import opened_hub
from marengocam.core.clock import SystemClock
from marengocam.core.errors import NotFoundError
from marengocam.settings import Settings

if TYPE_CHECKING:
    from marengocam.db.hub import Hub
    from marengocam.db.word_changes import Speaker, Word

SHOWN = 50


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `identity` and `word`."""
    identity = commands.add_parser(
        "identity", help="who is who: list, name, merge, split, deny, confirm, ignore, erase"
    )
    actions = identity.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help="individuals, latest first")
    listing.add_argument("--unknown", action="store_true", help="only those without a name")
    listing.set_defaults(command=list_identities)
    naming = actions.add_parser("name", help="say who an identity is")
    naming.add_argument("identity_id", type=UUID)
    naming.add_argument("name", help="a known person or a new name")
    naming.set_defaults(command=name_identity)
    merging = actions.add_parser("merge", help="say that two identities are one")
    merging.add_argument("identity_id", type=UUID)
    merging.add_argument("into", type=UUID, help="the one that stays")
    merging.set_defaults(command=merge_identities)
    splitting = actions.add_parser("split", help="say that some tracks of an identity are somebody else")
    splitting.add_argument("identity_id", type=UUID)
    splitting.add_argument("local_track_id", type=UUID, nargs="+")
    splitting.set_defaults(command=split_identity)
    denying = actions.add_parser("deny", help="say who an identity, or some of its tracks, is not")
    denying.add_argument("identity_id", type=UUID)
    denying.add_argument("name", help="the person it is not")
    denying.add_argument("local_track_id", type=UUID, nargs="*")
    denying.set_defaults(command=deny_identity)
    confirming = actions.add_parser("confirm", help="say that the decision on tracks is right")
    confirming.add_argument("local_track_id", type=UUID, nargs="+")
    confirming.set_defaults(command=confirm_tracks)
    ignoring = actions.add_parser("ignore", help="hear nothing about an identity any more, such as a poster")
    ignoring.add_argument("identity_id", type=UUID)
    ignoring.add_argument("--off", action="store_true", help="hear about it again")
    ignoring.set_defaults(command=ignore_identity)
    erasing = actions.add_parser("erase", help="for good: looks, pictures and names of somebody unknown")
    erasing.add_argument("identity_id", type=UUID)
    erasing.add_argument("--yes", action="store_true", help="it cannot be undone")
    erasing.set_defaults(command=erase_identity)
    word = commands.add_parser("word", help="what humans said about identities: list, undo")
    acts = word.add_subparsers(dest="action", required=True)
    acts.add_parser("list", help="what was said, newest first").set_defaults(command=list_words)
    undoing = acts.add_parser("undo", help="take a word back")
    undoing.add_argument("word_id", type=UUID)
    undoing.set_defaults(command=undo_word)


async def list_identities(settings: Settings, arguments: argparse.Namespace) -> None:
    clock = OwnerClock(settings, SystemClock().now())
    async with opened_hub(settings) as hub:
        for one in await hub.persons.identities(unknown_only=arguments.unknown, limit=SHOWN):
            name = column(one.person_name or "-", 24)
            print(f"{one.identity_id}  {name} {one.tracks:5} tracks  {clock.told(one.last_seen_at)}")


async def name_identity(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        _told(await hub.words.name(arguments.identity_id, arguments.name, _speaker()))


async def merge_identities(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        _told(await hub.words.merge(arguments.identity_id, arguments.into, _speaker()))


async def split_identity(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        word, apart = await hub.words.split(arguments.identity_id, arguments.local_track_id, _speaker())
    _told(word)
    print(apart)


async def deny_identity(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        person_id = await _person(hub, arguments.name)
        word, apart = await hub.words.deny(arguments.identity_id, person_id, _speaker(), arguments.local_track_id)
    _told(word)
    print(apart)


async def confirm_tracks(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        _told(await hub.words.confirm(arguments.local_track_id, _speaker()))


async def ignore_identity(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        _told(await hub.words.ignore_identity(arguments.identity_id, _speaker(), ignored=not arguments.off))


async def list_words(settings: Settings, _arguments: argparse.Namespace) -> None:
    clock = OwnerClock(settings, SystemClock().now())
    async with opened_hub(settings) as hub:
        for word in await hub.words.list(SHOWN):
            state = "" if word.undoable else " (taken back)" if word.undone_at else " (for good)"
            print(f"{word.word_id}  {clock.told(word.said_at)}  {column(word.said_by, 16)} {word.summary}{state}")


async def undo_word(settings: Settings, arguments: argparse.Namespace) -> None:
    async with opened_hub(settings) as hub:
        await hub.words.undo(arguments.word_id, _speaker())
    print("It is as before.")


async def _person(hub: "Hub", name: str) -> UUID:
    person = await hub.persons.by_name(name)
    if person is None:
        raise NotFoundError(f"There is no person {name!r}.")
    return person.person_id


def _speaker() -> "Speaker":
    from marengocam.db.word_changes import Speaker  # noqa: PLC0415 - loaded when needed

    return Speaker(WHO, SystemClock().now())


def _told(word: "Word") -> None:
    print(f"{word.summary} (marengocam word undo {word.word_id} takes it back)")
