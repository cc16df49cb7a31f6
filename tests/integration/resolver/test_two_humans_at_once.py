"""Two humans who change the same at once: each is carried out whole or refused in plain words, in whatever order."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import PurePosixPath
from uuid import UUID

import numpy as np
import pytest
from tests.integration.resolver.test_words_in_any_order import BROKEN
from tests.support.resolver_hub import ALICE, BOB, Scene, everything_in, like, open_scene, seen
from tests.support.resolver_scenes import FACE_MODEL, NOON, embedding

from marengocam.core.errors import BadInputError, ConflictError, NotFoundError
from marengocam.core.model import Embedding
from marengocam.db.hub import Hub
from marengocam.db.turn import Turn
from marengocam.db.word_changes import Speaker

ANN, BEN = (Speaker(name, NOON + timedelta(minutes=5)) for name in ("Ann", "Ben"))
NAME = "Alice Unmistakable"
Deed = Callable[["Home", Speaker], Awaitable[object]]


class Home:
    """Alice, Bob, and somebody who was seen once and is taken for Alice."""

    def __init__(self, scene: Scene, alice: UUID, bob: UUID, track: UUID, identity: UUID, word: UUID) -> None:
        self.hub = scene.hub
        self.alice, self.bob, self.track, self.identity, self.word = alice, bob, track, identity, word


DEEDS: dict[str, Deed] = {
    "rename": lambda home, who: home.hub.words.rename(home.alice, f"{NAME} by {who.name}", who),
    "merge": lambda home, who: home.hub.words.merge_persons(home.alice, home.bob, who),
    "merge the other way": lambda home, who: home.hub.words.merge_persons(home.bob, home.alice, who),
    "erase": lambda home, who: home.hub.privacy.erase(home.alice, who),
    "deny": lambda home, who: home.hub.words.deny(home.identity, home.alice, who),
    "name": lambda home, who: home.hub.words.name(home.identity, home.bob, who),
    "split": lambda home, who: home.hub.words.split(home.identity, [home.track], who),
    "undo": lambda home, who: home.hub.words.undo(home.word, who),
    "add a face": lambda home, _: home.hub.persons.add_exemplar(
        home.alice, embedding(FACE_MODEL, vector=like(ALICE, 77)), NOON, picture_path=PurePosixPath("pictures/a.jpg")
    ),
    "empty the gallery": lambda home, _: home.hub.persons.remove_exemplars(home.alice),
    "ignore": lambda home, who: home.hub.words.ignore_person(home.alice, who, ignored=True),
}


async def open_home(hub: Hub) -> tuple[Scene, Home]:
    scene = await open_scene(hub)
    alice, bob = await scene.enrol(NAME, ALICE), await scene.enrol("Bob", BOB)
    walk = seen("walk", end_s=5, face=like(ALICE, 9), open_=False)
    await scene.save(walk)
    await scene.resolve()
    row = await hub.tracks.get(walk.local_track_id)
    assert row.person_name == NAME
    word = await hub.words.confirm([walk.local_track_id], Speaker("Ann", NOON + timedelta(minutes=1)))
    home = Home(scene, alice.person_id, bob.person_id, walk.local_track_id, row.identity_id, word.word_id)
    return scene, home


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations_with_replacement(DEEDS, 2)))
async def test_each_is_whole_or_refused_and_rows_stay_in_order(hub: Hub, one: str, other: str) -> None:
    scene, home = await open_home(hub)
    deeds = [DEEDS[one](home, ANN), DEEDS[other](home, BEN)]
    told = await asyncio.gather(scene.resolve(), *deeds, return_exceptions=True)
    failures = [error for error in told if isinstance(error, BaseException)]
    assert all(type(error) in {ConflictError, NotFoundError, BadInputError} for error in failures), failures
    assert all(str(error).endswith(".") and "database" not in str(error) for error in failures), failures
    assert len(failures) < 2, "one of them at least is carried out"
    await scene.resolve()
    async with hub.database.connection() as connection:
        assert [what for what, query in BROKEN.items() if await connection.fetch(query)] == []
    if "erase" in {one, other} and await hub.persons.by_name("Bob") is not None:
        erased = [result for deed, result in zip((one, other), told[1:], strict=True) if deed == "erase"]
        if all(isinstance(result, NotFoundError) for result in erased):  # she was found to be Bob first: he goes, then
            await hub.privacy.erase(home.bob, ANN)
        tables = {table for table, text in (await everything_in(hub)).items() if NAME in text}
        assert tables == set(), "whoever came first"


async def test_of_two_who_undo_the_same_one_is_told_that_it_was_done(hub: Hub) -> None:
    _, home = await open_home(hub)
    told = await asyncio.gather(hub.words.undo(home.word, ANN), hub.words.undo(home.word, BEN), return_exceptions=True)
    (refusal,) = [error for error in told if error is not None]
    assert (type(refusal), str(refusal)) == (ConflictError, "That was taken back already.")


def once_read(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[None]]) -> None:
    """Have something happen between the reading of the first turn and its writing."""
    real, acted = Turn.vicinity, []

    async def vicinity(turn, *arguments):
        found = await real(turn, *arguments)
        if not acted:
            acted.append(turn)
            await act()
        return found

    monkeypatch.setattr(Turn, "vicinity", vicinity)


async def test_a_gallery_that_is_emptied_while_a_turn_runs_ends_in_a_clean_outcome(hub: Hub, monkeypatch) -> None:
    scene = await open_scene(hub)
    alice = await scene.enrol(NAME, ALICE)
    emptied: list[object] = []

    async def empty() -> None:
        emptied.append(await hub.persons.remove_exemplars(alice.person_id))

    once_read(monkeypatch, empty)
    first = seen("first", end_s=5, face=like(ALICE, 9), open_=False)
    await scene.save(first)
    await scene.resolve()
    assert emptied
    assert (await hub.tracks.get(first.local_track_id)).person_name == NAME, "as the gallery was when it was read"
    again = seen("again", camera="hall", start_s=9000, end_s=9005, face=like(BOB, 10), open_=False)
    await scene.save(again)
    await scene.resolve()
    assert (await hub.tracks.get(again.local_track_id)).person_name is None
    assert await hub.resolution.backlog() == 0


async def test_who_is_erased_while_a_turn_runs_is_unknown_once_both_are_done(hub: Hub, monkeypatch) -> None:
    scene = await open_scene(hub)
    alice = await scene.enrol(NAME, ALICE)
    erasing: list[asyncio.Task[object]] = []

    async def erase() -> None:
        erasing.append(asyncio.create_task(hub.privacy.erase(alice.person_id, ANN)))
        await asyncio.sleep(0.2)
        assert not erasing[0].done(), "it waits for the turn to end"

    once_read(monkeypatch, erase)
    walk = seen("walk", end_s=5, face=like(ALICE, 9), open_=False)
    await scene.save(walk)
    await scene.resolve()
    await erasing[0]
    await scene.resolve()
    row = await hub.tracks.get(walk.local_track_id)
    assert (row.person_name, row.track.face) == (None, None)
    assert {table for table, text in (await everything_in(hub)).items() if NAME in text} == set()


@pytest.mark.parametrize("odd", [np.nan, np.inf])
async def test_an_embedding_that_is_no_vector_is_refused_and_changes_nothing(hub: Hub, odd: float) -> None:
    person = await hub.persons.add("Alice", NOON)
    vector = np.full(128, odd, np.float32)
    with pytest.raises(BadInputError):
        await hub.persons.add_exemplar(person.person_id, Embedding(FACE_MODEL, vector, 0.9), NOON)
    assert await hub.persons.exemplars() == []


async def test_faces_of_two_sizes_under_one_model_s_name_are_compared_with_their_like(hub: Hub) -> None:
    scene = await open_scene(hub)
    small = np.eye(64, dtype=np.float32)[3]
    person = await hub.persons.add("Small", NOON)
    await hub.persons.add_exemplar(person.person_id, embedding(FACE_MODEL, vector=small), NOON)
    await scene.enrol("Bob", BOB)
    tracks = {
        "Bob": seen("bob", end_s=5, face=like(BOB, 9), open_=False),
        None: seen(
            "nobody", camera="hall", start_s=9000, end_s=9005, face=np.eye(32, dtype=np.float32)[1], open_=False
        ),
    }
    for name, track in tracks.items():
        await scene.save(track)
        await scene.resolve()
        assert (await hub.tracks.get(track.local_track_id)).person_name == name
    stranger = (await hub.tracks.get(tracks[None].local_track_id)).identity_id
    await hub.words.name(stranger, "Odd", ANN)
    await scene.resolve()
    assert (await hub.tracks.get(tracks[None].local_track_id)).person_name == "Odd"
    assert await hub.resolution.backlog() == 0
