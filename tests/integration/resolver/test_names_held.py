"""A name that the resolver gave is weighed again with each look, and taken back when the looks deny it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tests.support.resolver_hub import RED, Scene, like, open_scene, seen
from tests.support.resolver_scenes import NOON, ident

from marengocam.core.model import EventType, LocalTrack, NameEvidence
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker
from marengocam.resolver import turn

ALICE = np.eye(1, 128, 0, dtype=np.float32)[0]
LOOK_ALIKE = np.eye(1, 128, 1, dtype=np.float32)[0]
CONFIRMED_FACES = "SELECT count(*) FROM exemplar WHERE person_id IS NOT NULL AND source <> 'enrolled'"
DECIDED = """
    SELECT a.local_track_id, i.person_id, i.merged_into, a.announced_person_id, round(a.probability::numeric, 4)
    FROM assignment a JOIN identity i USING (identity_id) ORDER BY a.local_track_id"""


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


def face(of_alice: float) -> np.ndarray:
    """Return a look of the look-alike whose cosine to Alice is so high."""
    return np.float32(of_alice) * ALICE + np.float32((1 - of_alice**2) ** 0.5) * LOOK_ALIKE


def walk(name: str, start_s: float, shown: np.ndarray | None) -> LocalTrack:
    return seen(name, camera="yard", start_s=start_s, end_s=start_s + 3, face=shown, clothes=like(RED, 7), open_=False)


FIRST = (walk("first", 0, face(0.55)), walk("back", 20, None))
LATER = tuple(
    walk(f"later {number}", 40 + 20 * number, face(cosine)) for number, cosine in enumerate((0.12, 0.08, 0.1))
)


async def resolve_one_by_one(scene: Scene, *tracks: LocalTrack) -> None:
    for one in tracks:
        await scene.save(one)
        await scene.resolve()


async def name_of(scene: Scene, track: LocalTrack) -> str | None:
    return (await scene.hub.tracks.get(track.local_track_id)).person_name


async def test_whom_one_look_resembles_and_the_next_ones_do_not_loses_the_name_on_all_tracks(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    await resolve_one_by_one(scene, *FIRST)
    assert [await name_of(scene, one) for one in FIRST] == ["Alice", "Alice"]
    async with scene.hub.database.connection() as connection:
        assert await connection.fetchval(CONFIRMED_FACES) == 1
    await resolve_one_by_one(scene, *LATER)
    assert [await name_of(scene, one) for one in (*FIRST, *LATER)] == [None] * 5
    async with scene.hub.database.connection() as connection:
        assert await connection.fetchval(CONFIRMED_FACES) == 0, "the gallery keeps nothing of him"
    taken_back = {
        one.local_track_id: one.data.get("was_person_name") for one in await scene.said(EventType.PERSON_UNKNOWN)
    }
    assert [taken_back[one.local_track_id] for one in FIRST] == ["Alice", "Alice"]
    identities = {(await scene.hub.tracks.get(one.local_track_id)).identity_id for one in (*FIRST, *LATER)}
    assert len(identities) == 1, "he stays the one he was"


async def test_how_the_looks_fall_into_turns_does_not_matter(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await open_scene(hub)
    await scene.enrol("Alice", ALICE)

    async def resolved(tracks: int) -> list[tuple[Any, ...]]:
        monkeypatch.setattr(turn, "TURN_TRACKS", tracks)
        async with scene.hub.database.connection() as connection:
            await connection.execute(
                "DELETE FROM event; DELETE FROM exemplar WHERE source <> 'enrolled'; DELETE FROM assignment;"
                "DELETE FROM identity; DELETE FROM local_track"
            )
        await scene.save(*FIRST, *LATER)
        await scene.resolve()
        async with scene.hub.database.connection() as connection:
            return [tuple(row) for row in await connection.fetch(DECIDED)]

    alone = await resolved(1)
    assert len(alone) == 5
    assert await resolved(12) == alone
    assert {person for _, person, *_ in alone} == {None}


async def test_a_name_holds_through_a_look_that_shows_little(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    turned = walk("turned away", 20, like(ALICE, 10, noise=2.0))
    await resolve_one_by_one(scene, walk("first", 0, like(ALICE, 9)), turned, walk("back", 40, None))
    names = [(await scene.hub.tracks.get(ident(one))).person_name for one in ("first", "turned away", "back")]
    assert names == ["Alice", "Alice", "Alice"]


async def test_of_the_faces_that_somebody_showed_the_best_are_kept(scene: Scene) -> None:
    qualities = [0.9, 0.3, 0.8, 0.4, 0.7, 0.6, 0.5]
    for number, quality in enumerate(qualities):
        one = walk(f"look {number}", 20 * number, like(LOOK_ALIKE, number))
        await resolve_one_by_one(scene, replace(one, face=replace(one.face, quality=quality)))
    async with scene.hub.database.connection() as connection:
        kept = await connection.fetch("SELECT quality FROM exemplar WHERE kind = 'face' ORDER BY quality DESC")
    assert [round(row["quality"], 1) for row in kept] == [0.9, 0.8, 0.7, 0.6, 0.5]


async def test_what_a_human_named_no_face_takes_back_however_long_ago_he_spoke(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "CANDIDATE_WINDOW", timedelta(minutes=3))
    alice = await scene.enrol("Alice", ALICE)
    await resolve_one_by_one(scene, walk("spoken about", 0, None))
    identity_id = (await scene.hub.tracks.get(ident("spoken about"))).identity_id
    await scene.hub.words.name(identity_id, alice.person_id, Speaker("Bob", NOON))
    since = [walk(f"since {number}", 40 * (number + 1), None) for number in range(9)]
    await resolve_one_by_one(scene, *since)
    assert {await name_of(scene, one) for one in since} == {"Alice"}
    await resolve_one_by_one(scene, walk("turned to us", 400, LOOK_ALIKE))
    assert {await name_of(scene, one) for one in since} == {"Alice"}


async def test_a_name_from_an_engine_that_tells_names_only_goes_on_with_clothes(scene: Scene) -> None:
    await scene.hub.persons.add("Alice", NOON)
    door = replace(walk("door", 0, None), name_evidence=NameEvidence("codeproject", "alice", 0.95))
    back, back_again = walk("back", 20, None), walk("back again", 40, None)
    await resolve_one_by_one(scene, door, back, back_again)
    assert [await name_of(scene, one) for one in (door, back, back_again)] == ["Alice"] * 3


@pytest.mark.parametrize("shown", [None, LOOK_ALIKE])
async def test_such_a_name_goes_on_where_there_is_no_face_of_the_person_to_compare_with(
    scene: Scene, shown: np.ndarray | None
) -> None:
    await scene.hub.persons.add("Alice", NOON)
    door = replace(walk("door", 20, None), name_evidence=NameEvidence("codeproject", "alice", 0.99))
    before, after = walk("founded it", 0, None), walk("after", 40, shown)
    await resolve_one_by_one(scene, before, door, after)
    assert [await name_of(scene, one) for one in (before, door, after)] == ["Alice"] * 3


def said_to_be_alice(name: str, start_s: float, score: float = 0.9) -> LocalTrack:
    return replace(walk(name, start_s, None), name_evidence=NameEvidence("codeproject", "alice", score))


async def test_faces_of_our_own_take_back_a_name_that_rests_on_an_engine_s_word(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    door, turned = said_to_be_alice("door", 0, 0.99), walk("turned to us", 20, LOOK_ALIKE)
    await resolve_one_by_one(scene, door)
    assert await name_of(scene, door) == "Alice"
    await resolve_one_by_one(scene, turned, walk("and again", 40, like(LOOK_ALIKE, 5)))
    assert [await name_of(scene, one) for one in (door, turned)] == [None, None]
    unknown = await scene.said(EventType.PERSON_UNKNOWN)
    assert [one.data.get("was_person_name") for one in unknown if one.local_track_id == door.local_track_id] == [
        "Alice"
    ]
    again = replace(door, last_seen_at=door.last_seen_at + timedelta(seconds=1))
    await resolve_one_by_one(scene, again)
    assert [await name_of(scene, one) for one in (door, turned)] == [None, None], "the word does not bring it back"


async def test_how_an_engine_s_word_and_faces_fall_into_turns_does_not_matter(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await open_scene(hub)
    await scene.enrol("Alice", ALICE)
    tracks = (said_to_be_alice("door", 0), walk("turned to us", 20, LOOK_ALIKE), walk("back", 40, None))
    found = []
    for most in (1, 12):
        monkeypatch.setattr(turn, "TURN_TRACKS", most)
        async with scene.hub.database.connection() as connection:
            await connection.execute(
                "DELETE FROM event; DELETE FROM exemplar WHERE source <> 'enrolled'; DELETE FROM assignment;"
                "DELETE FROM identity; DELETE FROM local_track"
            )
        await scene.save(*tracks)
        await scene.resolve()
        async with scene.hub.database.connection() as connection:
            found.append([tuple(row) for row in await connection.fetch(DECIDED)])
    assert found[0] == found[1]
    assert {person for _, person, *_ in found[0]} == {None}


@pytest.mark.parametrize("look", ["blurred", "hers"])
async def test_an_engine_s_word_holds_while_our_faces_do_not_deny_it(scene: Scene, look: str) -> None:
    await scene.enrol("Alice", ALICE)
    shown = walk("turned to us", 20, LOOK_ALIKE if look == "blurred" else like(ALICE, 9))
    if look == "blurred":
        shown = replace(shown, face=replace(shown.face, quality=0.3))
    door, back = said_to_be_alice("door", 0), walk("back", 40, None)
    await resolve_one_by_one(scene, door, shown, back)
    assert [await name_of(scene, one) for one in (door, shown, back)] == ["Alice"] * 3
