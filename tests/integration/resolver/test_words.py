"""A human's word: carried out, never overruled, told, audited, and taken back."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, Scene, like, open_scene, seen
from tests.support.resolver_scenes import NOON

from marengocam.core.errors import BadInputError, ConflictError, NotFoundError
from marengocam.core.model import EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker, WordKind

HUMAN = Speaker("Carol's phone", NOON + timedelta(seconds=20))
LATER = Speaker("Carol's phone", NOON + timedelta(seconds=40))
LATEST = Speaker("Dan", NOON + timedelta(seconds=60))


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


async def decided(scene: Scene, *tracks: LocalTrack) -> list:
    for track in tracks:
        await scene.save(track)
        await scene.resolve()
    return await rows_of(scene, *tracks)


async def rows_of(scene: Scene, *tracks: LocalTrack) -> list:
    return [await scene.hub.tracks.get(track.local_track_id) for track in tracks]


async def everything(scene: Scene) -> dict[str, list]:
    """Return all rows that words change, without revisions and times of decision."""
    async with scene.hub.database.connection() as connection:
        return {
            "identity": [
                tuple(row)
                for row in await connection.fetch(
                    "SELECT identity_id, person_id, ignored FROM identity WHERE merged_into IS NULL ORDER BY 1"
                )
            ],
            "assignment": [
                tuple(row)
                for row in await connection.fetch(
                    "SELECT local_track_id, identity_id, decided_by FROM assignment ORDER BY 1"
                )
            ],
            "exemplar": [
                tuple(row)
                for row in await connection.fetch(
                    "SELECT exemplar_id, person_id, identity_id, source FROM exemplar ORDER BY 1"
                )
            ],
            "person": [tuple(row) for row in await connection.fetch("SELECT person_id, name FROM person ORDER BY 1")],
            "denial": [tuple(row) for row in await connection.fetch("SELECT identity_id, person_id FROM denial")],
        }


async def two_strangers(scene: Scene) -> tuple[LocalTrack, LocalTrack]:
    one = seen("one", camera="yard", end_s=5, face=like(ALICE, 8), clothes=RED, open_=False)
    other = seen("other", camera="hall", start_s=300, end_s=305, face=like(BOB, 9), clothes=BLUE, open_=False)
    await decided(scene, one, other)
    return one, other


async def test_two_identities_that_are_one_become_one_and_stay_so(scene: Scene) -> None:
    one, other = await two_strangers(scene)
    first, second = await rows_of(scene, one, other)
    assert first.identity_id != second.identity_id
    word = await scene.hub.words.merge(first.identity_id, second.identity_id, HUMAN)
    await scene.resolve()
    merged = await rows_of(scene, one, other)
    assert {row.identity_id for row in merged} == {second.identity_id}
    assert {row.decided_by for row in merged} == {"human"}
    assert word.kind is WordKind.MERGE
    with pytest.raises(NotFoundError, match="merged into another"):
        await scene.hub.words.deny(first.identity_id, uuid4(), HUMAN)


async def test_who_is_named_by_the_id_of_an_event_is_whom_that_identity_was_found_to_be(scene: Scene) -> None:
    tuesday = seen("tuesday", start_s=-4 * 86_400, end_s=-4 * 86_400 + 5, face=like(BOB, 20), open_=False)
    back = seen("back", camera="yard", end_s=6, clothes=RED, open_=False)
    await decided(scene, tuesday)
    (row,) = await decided(scene, back)
    told = row.identity_id
    (row,) = await decided(
        scene, seen("front", camera="hall", start_s=12, end_s=16, clothes=like(RED, 7), face=like(BOB, 21))
    )
    assert row.identity_id != told, "the premise: it was found to be the stranger of before"
    bob = await scene.hub.persons.add("Bob", NOON)
    await scene.hub.words.name(told, bob.person_id, HUMAN)
    assert {one.person_name for one in await rows_of(scene, tuesday, back)} == {"Bob"}


async def test_two_persons_are_not_merged_by_merging_their_identities(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.enrol("Bob", BOB)
    first, second = await rows_of(scene, *await two_strangers(scene))
    assert (first.person_name, second.person_name) == ("Alice", "Bob")
    with pytest.raises(ConflictError, match="Alice and Bob are two persons"):
        await scene.hub.words.merge(first.identity_id, second.identity_id, HUMAN)
    with pytest.raises(BadInputError, match="two different"):
        await scene.hub.words.merge(first.identity_id, first.identity_id, HUMAN)


async def test_who_was_said_not_to_be_somebody_is_not_merged_into_them_and_hands_that_on(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    first, second = await rows_of(scene, *await two_strangers(scene))
    assert (first.person_name, second.person_name) == ("Alice", None)
    await scene.hub.words.deny(second.identity_id, alice.person_id, HUMAN)
    with pytest.raises(ConflictError, match="take that back first"):
        await scene.hub.words.merge(second.identity_id, first.identity_id, LATER)
    third = seen("third", camera="front", start_s=900, end_s=905, clothes=like(BLUE, 40, 3.0), open_=False)
    (row,) = await decided(scene, third)
    assert row.identity_id not in {first.identity_id, second.identity_id}
    word = await scene.hub.words.merge(second.identity_id, row.identity_id, LATER)
    with pytest.raises(ConflictError, match="take that back first"):
        await scene.hub.words.merge(row.identity_id, first.identity_id, LATEST)
    await scene.hub.words.undo(word.word_id, LATEST)
    await scene.hub.words.merge(row.identity_id, first.identity_id, LATEST)


async def test_tracks_that_are_somebody_else_get_an_identity_of_their_own(scene: Scene) -> None:
    first, second = seen("first", end_s=4, clothes=RED), seen("second", start_s=6, end_s=9, clothes=like(RED, 4))
    rows = await decided(scene, first, second)
    together = rows[0].identity_id
    assert rows[1].identity_id == together
    word, apart = await scene.hub.words.split(together, [second.local_track_id], HUMAN)
    await scene.save(seen("second", start_s=6, end_s=12, clothes=like(RED, 4)))
    await scene.resolve()
    rows = await rows_of(scene, first, second)
    assert [row.identity_id for row in rows] == [together, apart]
    assert word.subjects == tuple(sorted((together, apart)))
    assert word.summary == "One sight of somebody unknown is somebody else."
    with pytest.raises(ConflictError, match="belong to another identity"):
        await scene.hub.words.split(together, [second.local_track_id], HUMAN)


async def test_not_this_person_takes_the_name_back_tells_so_and_holds(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    lookalike = seen("lookalike", end_s=3, face=like(ALICE, 9))
    (row,) = await decided(scene, lookalike)
    assert row.person_name == "Alice"
    scene.clock.at = HUMAN.at
    await scene.hub.words.deny(row.identity_id, alice.person_id, HUMAN)
    await scene.resolve()
    (row,) = await rows_of(scene, lookalike)
    assert (row.person_name, row.decided_by) == (None, "human")
    unknown = (await scene.said(EventType.PERSON_UNKNOWN))[-1]
    assert unknown.data["was_person_name"] == "Alice"
    await scene.save(seen("lookalike", end_s=8, face=like(ALICE, 9, 0.1)))
    await scene.resolve()
    (row,) = await rows_of(scene, lookalike)
    assert row.person_name is None, "a human's word is not overruled by a better face (I6)"


async def test_a_face_that_was_denied_speaks_against_the_person_next_time(scene: Scene) -> None:
    alice = await scene.enrol("Alice", like(ALICE, 1, 1.0))
    twin = like(ALICE, 2, 1.0)
    visit = seen("visit", end_s=3, face=twin, open_=False)
    (row,) = await decided(scene, visit)
    assert row.person_name == "Alice", "the premise: they look alike"
    await scene.hub.words.deny(row.identity_id, alice.person_id, HUMAN)
    await scene.resolve()
    again = seen("again", camera="yard", start_s=90_000, end_s=90_003, face=like(twin, 5, 0.2), open_=False)
    (row,) = await decided(scene, again)
    assert row.person_name is None
    assert row.identity_id == (await rows_of(scene, visit))[0].identity_id, "it is the one who is not Alice"
    (known,) = await decided(
        scene, seen("alice", start_s=180_000, end_s=180_003, face=like(like(ALICE, 1, 1.0), 6, 0.2), open_=False)
    )
    assert known.person_name == "Alice", "she herself is still known"


async def test_some_tracks_are_said_to_be_somebody_and_an_announced_name_is_corrected_however_old(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    bob = await scene.hub.persons.add("Bob", NOON)
    old = seen("old", end_s=3, face=like(ALICE, 9), open_=False)
    (row,) = await decided(scene, old)
    assert row.person_name == "Alice"
    scene.clock.at = NOON + timedelta(days=2)
    await scene.hub.words.name_tracks([old.local_track_id], bob.person_id, Speaker("Carol", scene.clock.at))
    await scene.resolve()
    (row,) = await rows_of(scene, old)
    assert (row.person_name, row.decided_by) == ("Bob", "human")
    (corrected,) = await scene.said(EventType.PERSON_CORRECTED)
    assert (corrected.person_name, corrected.data["was_person_name"]) == ("Bob", "Alice")
    assert corrected.occurred_at == old.last_seen_at


async def test_what_is_confirmed_is_not_decided_again(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.enrol("Bob", BOB)
    walk = seen("walk", end_s=3, face=like(ALICE, 9, 1.2))
    (row,) = await decided(scene, walk)
    await scene.hub.words.confirm([walk.local_track_id], HUMAN)
    await scene.save(seen("walk", end_s=5, face=like(BOB, 9, 0.1)))
    await scene.resolve()
    (again,) = await rows_of(scene, walk)
    assert (again.person_name, again.decided_by) == (row.person_name, "human")


async def test_nothing_is_told_about_what_is_ignored(scene: Scene) -> None:
    poster = seen("poster", end_s=5, clothes=RED)
    (row,) = await decided(scene, poster)
    before = len(await scene.said())
    await scene.hub.words.ignore_identity(row.identity_id, HUMAN, ignored=True)
    again = seen("again", start_s=7, end_s=12, clothes=like(RED, 3), zones=("door",))
    (row,) = await decided(scene, again)
    assert row.identity_id == (await rows_of(scene, poster))[0].identity_id
    assert len(await scene.said()) == before
    await scene.hub.words.ignore_identity(row.identity_id, LATER, ignored=False)
    await decided(scene, seen("third", start_s=14, end_s=18, clothes=like(RED, 5)))
    assert len(await scene.said()) > before


async def test_a_neighbour_is_recognised_in_silence(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    await scene.hub.words.ignore_person(alice.person_id, HUMAN, ignored=True)
    (row,) = await decided(scene, seen("walk", end_s=3, face=like(ALICE, 9)))
    assert row.person_name == "Alice"
    assert await scene.said() == []


async def test_naming_somebody_re_resolves_days_of_their_past(scene: Scene) -> None:
    days = [
        seen(f"day {n}", camera="yard", start_s=-86_400 * n, end_s=-86_400 * n + 4, face=like(BOB, 20 + n), open_=False)
        for n in (6, 4, 2)
    ]
    other = seen("other", camera="hall", start_s=-40_000, end_s=-39_990, face=like(ALICE, 3), open_=False)
    today = seen("today", end_s=4, face=like(BOB, 30))
    rows = await decided(scene, *days, other, today)
    assert {row.person_name for row in rows} == {None}
    scene.clock.at = HUMAN.at
    bob = await scene.hub.persons.add("Bob", NOON)
    await scene.hub.words.name(rows[-1].identity_id, bob.person_id, HUMAN)
    await scene.resolve()
    rows = await rows_of(scene, *days, other, today)
    assert [row.person_name for row in rows] == ["Bob", "Bob", "Bob", None, "Bob"]


@pytest.mark.parametrize("kind", ["name", "merge", "split", "deny", "ignore", "merge_persons", "rename", "name_tracks"])
async def test_every_word_can_be_taken_back(scene: Scene, kind: str) -> None:
    alice, bob = await scene.enrol("Alice", ALICE), await scene.hub.persons.add("Bob", NOON)
    tracks = [
        seen("first", end_s=4, face=like(ALICE, 8), clothes=RED, open_=False),
        seen("second", start_s=6, end_s=9, clothes=like(RED, 14), open_=False),
        seen("other", camera="hall", start_s=900, end_s=905, clothes=BLUE, open_=False),
    ]
    first, _, other = await decided(scene, *tracks)
    assert first.person_name == "Alice"
    before = await everything(scene)
    words = scene.hub.words
    one, two = first.identity_id, other.identity_id
    say = {
        "name": lambda: words.name(two, bob.person_id, HUMAN),
        "merge": lambda: words.merge(two, one, HUMAN),
        "split": lambda: words.split(one, [tracks[1].local_track_id], HUMAN),
        "deny": lambda: words.deny(one, alice.person_id, HUMAN),
        "ignore": lambda: words.ignore_identity(two, HUMAN, ignored=True),
        "merge_persons": lambda: words.merge_persons(alice.person_id, bob.person_id, HUMAN),
        "rename": lambda: words.rename(alice.person_id, "Alicia", HUMAN),
        "name_tracks": lambda: words.name_tracks([tracks[2].local_track_id], alice.person_id, HUMAN),
    }[kind]
    said = await say()
    word = said[0] if isinstance(said, tuple) else said
    await scene.resolve()
    assert await everything(scene) != before
    await words.undo(word.word_id, LATER)
    await scene.resolve()
    assert await everything(scene) == before
    (listed,) = await words.list(10)
    assert (listed.undoable, listed.undone_by, listed.said_by) == (False, "Carol's phone", "Carol's phone")
    with pytest.raises(ConflictError, match="already"):
        await words.undo(word.word_id, LATEST)


@pytest.mark.parametrize("kind", ["merge", "name_tracks"])
async def test_what_was_said_of_long_ago_is_taken_back_though_nothing_was_left_of_an_identity(
    scene: Scene, kind: str
) -> None:
    one, other = await two_strangers(scene)
    first, second = await rows_of(scene, one, other)
    before = await everything(scene)
    if kind == "merge":
        word = await scene.hub.words.merge(first.identity_id, second.identity_id, HUMAN)
    else:
        word = await scene.hub.words.name_tracks([one.local_track_id], "Zoe", HUMAN)
    assert (await rows_of(scene, one))[0].identity_id != first.identity_id, "the premise: nothing is left of it"
    await scene.hub.persons.prune_identities(NOON + timedelta(days=400), 100)  # its tracks are kept longer than that
    await scene.hub.words.undo(word.word_id, LATER)
    assert await everything(scene) == before
    await scene.hub.tracks.prune(NOON + timedelta(days=400), 100)
    assert await scene.hub.persons.prune_identities(NOON + timedelta(days=400), 100) >= 2, "nothing needs them any more"


async def test_a_word_before_one_that_is_for_good_is_refused_for_that_reason(scene: Scene) -> None:
    one, _ = await two_strangers(scene)
    word = await scene.hub.words.confirm([one.local_track_id, one.local_track_id], HUMAN)
    assert word.summary == "One sight confirmed: somebody unknown.", "said once"
    await scene.hub.words.name_tracks([one.local_track_id], "Zoe", LATER)
    zoe = await scene.hub.persons.by_name("Zoe")
    before = await rows_of(scene, one)
    await scene.hub.privacy.erase(zoe.person_id, LATEST)
    with pytest.raises(ConflictError, match="erased since"):
        await scene.hub.words.undo(word.word_id, LATEST)
    assert [row.identity_id for row in await rows_of(scene, one)] == [row.identity_id for row in before]


async def test_words_about_the_same_are_taken_back_in_turn(scene: Scene) -> None:
    one, other = await two_strangers(scene)
    first, second = await rows_of(scene, one, other)
    alice, bob = await scene.hub.persons.add("Alice", NOON), await scene.hub.persons.add("Bob", NOON)
    named = await scene.hub.words.name(first.identity_id, alice.person_id, HUMAN)
    again = await scene.hub.words.name(first.identity_id, bob.person_id, LATER)
    elsewhere = await scene.hub.words.name(second.identity_id, alice.person_id, LATEST)
    with pytest.raises(ConflictError, match=r"first undo 'Alice is Bob\.'"):
        await scene.hub.words.undo(named.word_id, LATEST)
    await scene.hub.words.undo(again.word_id, LATEST)
    await scene.hub.words.undo(named.word_id, LATEST)
    first, second = await rows_of(scene, one, other)
    assert (first.person_name, second.person_name) == (None, "Alice")
    assert [word.undoable for word in await scene.hub.words.list(10)] == [True, False, False]
    assert [word.word_id for word in await scene.hub.words.list(10, subject=second.identity_id)] == [elsewhere.word_id]


@pytest.mark.parametrize("about_the_person", ["rename", "ignore"])
async def test_what_is_taken_back_about_a_name_brings_no_face_back_that_another_word_took_away(
    scene: Scene, about_the_person: str
) -> None:
    one, _ = await two_strangers(scene)
    (row,) = await rows_of(scene, one)
    bob = await scene.hub.persons.add("Bob", NOON)
    words = scene.hub.words
    named = await words.name(row.identity_id, bob.person_id, HUMAN)
    assert len(await scene.hub.persons.exemplars(bob.person_id)) == 1
    if about_the_person == "rename":
        said = await words.rename(bob.person_id, "Robert", LATER)
    else:
        said = await words.ignore_person(bob.person_id, LATER, ignored=True)
    for word in (named, said):
        await words.undo(word.word_id, LATEST)
    assert await scene.hub.persons.exemplars(bob.person_id) == []


async def test_words_are_taken_back_in_the_order_in_which_they_were_carried_out(scene: Scene) -> None:
    one, _ = await two_strangers(scene)
    (row,) = await rows_of(scene, one)
    ann, ben = [(await scene.hub.persons.add(name, NOON)).person_id for name in ("Ann", "Ben")]
    second = await scene.hub.words.name(row.identity_id, ann, LATER)  # whose turn came first
    first = await scene.hub.words.name(row.identity_id, ben, HUMAN)  # who spoke first and waited
    with pytest.raises(ConflictError, match="first undo 'Ann is Ben"):
        await scene.hub.words.undo(second.word_id, LATEST)
    for word in (first, second):
        await scene.hub.words.undo(word.word_id, LATEST)
    assert (await rows_of(scene, one))[0].person_id is None


async def test_who_was_merged_away_comes_back_before_somebody_is_them_again(scene: Scene) -> None:
    one, _ = await two_strangers(scene)
    (row,) = await rows_of(scene, one)
    alice, bob, cid = [(await scene.hub.persons.add(name, NOON)).person_id for name in ("Alice", "Bob", "Cid")]
    words = scene.hub.words
    await words.name(row.identity_id, alice, HUMAN)
    before = await everything(scene)
    renamed = await words.name(row.identity_id, cid, LATER)
    merged = await words.merge_persons(alice, bob, LATEST)
    with pytest.raises(ConflictError, match="first undo 'Alice is Bob"):
        await words.undo(renamed.word_id, LATEST)
    for word in (merged, renamed):
        await words.undo(word.word_id, LATEST)
    assert await everything(scene) == before


async def test_a_name_that_somebody_else_has_by_now_is_told_when_it_would_come_back(scene: Scene) -> None:
    alice = await scene.hub.persons.add("Alice", NOON)
    word = await scene.hub.words.rename(alice.person_id, "Alicia", HUMAN)
    await scene.hub.persons.add("ALICE", NOON)
    with pytest.raises(ConflictError, match="'ALICE' by now: rename them first"):
        await scene.hub.words.undo(word.word_id, LATEST)


async def test_two_humans_at_once_both_have_their_say_one_after_the_other(scene: Scene) -> None:
    one, _ = await two_strangers(scene)
    (row,) = await rows_of(scene, one)
    people = [(await scene.hub.persons.add(name, NOON)).person_id for name in ("Ann", "Ben", "Cid", "Dot")]
    speakers = [Speaker(f"human {n}", HUMAN.at + timedelta(seconds=n)) for n in range(4)]
    await asyncio.gather(
        *(scene.hub.words.name(row.identity_id, person, who) for person, who in zip(people, speakers, strict=True))
    )
    await scene.resolve()
    (row,) = await rows_of(scene, one)
    assert row.person_id in people
    assert len(await scene.hub.words.list(10)) == 4


async def test_who_somebody_is_not_holds_when_that_person_is_found_to_be_another(scene: Scene) -> None:
    alice, alix = await scene.enrol("Alice", ALICE), await scene.hub.persons.add("Alix", NOON)
    stranger = seen("stranger", end_s=5, face=like(ALICE, 8), open_=False)
    (row,) = await decided(scene, stranger)
    assert row.person_name == "Alice"
    denied, _ = await scene.hub.words.deny(row.identity_id, alice.person_id, HUMAN)
    await scene.resolve()
    before = await everything(scene)

    merged = await scene.hub.words.merge_persons(alice.person_id, alix.person_id, LATER)
    await scene.resolve()
    again = seen("again", camera="yard", start_s=900, end_s=905, face=like(like(ALICE, 8), 4, 0.2), open_=False)
    rows = [*await rows_of(scene, stranger), *await decided(scene, again)]
    assert [one.person_name for one in rows] == [None, None], "who is not Alice is not Alix, whom Alice is now"
    with pytest.raises(ConflictError, match="is not that person"):
        await scene.hub.words.merge(row.identity_id, await of(scene, alix.person_id), LATEST)

    await scene.hub.words.undo(merged.word_id, LATEST)
    after = await everything(scene)
    assert after["denial"] == before["denial"] == [(row.identity_id, alice.person_id)]
    await scene.hub.words.undo(denied.word_id, LATEST)
    assert (await everything(scene))["denial"] == []


async def of(scene: Scene, person_id: UUID) -> UUID:
    """Return an identity of a person, made by a human's word."""
    walk = seen("walk", camera="hall", start_s=2000, end_s=2005, clothes=BLUE, open_=False)
    (row,) = await decided(scene, walk)
    await scene.hub.words.name(row.identity_id, person_id, HUMAN)
    return row.identity_id


@pytest.mark.parametrize("by", ["name", "name_tracks", "merge_persons"])
async def test_a_later_word_holds_over_what_was_denied_until_it_is_taken_back(scene: Scene, by: str) -> None:
    alice, bob = await scene.hub.persons.add("Alice", NOON), await scene.hub.persons.add("Bob", NOON)
    one, other = await two_strangers(scene)
    first, _ = await rows_of(scene, one, other)
    await scene.hub.words.name(first.identity_id, bob.person_id, HUMAN)
    await scene.hub.words.deny(first.identity_id, alice.person_id, HUMAN)
    before = await everything(scene)
    words = scene.hub.words
    said = await {
        "name": lambda: words.name(first.identity_id, alice.person_id, LATER),
        "name_tracks": lambda: words.name_tracks([one.local_track_id], alice.person_id, LATER),
        "merge_persons": lambda: words.merge_persons(bob.person_id, alice.person_id, LATER),
    }[by]()
    (now,) = await rows_of(scene, one)
    assert now.person_name == "Alice"
    assert (now.identity_id, alice.person_id) not in (await everything(scene))["denial"]
    await words.undo(said.word_id, LATEST)
    assert await everything(scene) == before


async def test_what_was_denied_and_then_said_stands_against_no_merge(scene: Scene) -> None:
    alice = await scene.hub.persons.add("Alice", NOON)
    first, second = await rows_of(scene, *await two_strangers(scene))
    await scene.hub.words.deny(first.identity_id, alice.person_id, HUMAN)
    for row in (first, second):
        await scene.hub.words.name(row.identity_id, alice.person_id, LATER)
    await scene.hub.words.merge(second.identity_id, first.identity_id, LATEST)


async def test_what_is_not_there_is_said_so(scene: Scene) -> None:
    nobody: UUID = uuid4()
    for call in (
        scene.hub.words.merge(nobody, uuid4(), HUMAN),
        scene.hub.words.split(nobody, [nobody], HUMAN),
        scene.hub.words.deny(nobody, nobody, HUMAN),
        scene.hub.words.confirm([nobody], HUMAN),
        scene.hub.words.ignore_identity(nobody, HUMAN, ignored=True),
        scene.hub.words.ignore_person(nobody, HUMAN, ignored=True),
        scene.hub.words.merge_persons(nobody, uuid4(), HUMAN),
    ):
        with pytest.raises(NotFoundError, match="no such"):
            await call
    with pytest.raises(BadInputError, match="Name the tracks"):
        await scene.hub.words.confirm([], HUMAN)


async def test_whoever_is_enrolled_was_the_stranger_of_the_days_before(scene: Scene) -> None:
    days = [
        seen(f"day {n}", camera="yard", start_s=-86_400 * n, end_s=-86_400 * n + 4, face=like(BOB, 20 + n), open_=False)
        for n in (6, 4, 2)
    ]
    other = seen("other", camera="hall", start_s=-40_000, end_s=-39_990, face=like(ALICE, 3), open_=False)
    rows = await decided(scene, *days, other)
    assert len({row.identity_id for row in rows[:3]}) == 1, "the premise: one stranger, who came back"
    bob = await scene.enrol("Bob", BOB)
    await scene.hub.words.enrolled(bob.person_id, NOON)
    await scene.resolve()
    rows = await rows_of(scene, *days, other)
    assert [row.person_name for row in rows] == ["Bob", "Bob", "Bob", None]


async def test_a_stranger_s_remembered_face_does_not_compete_with_the_person_they_turned_out_to_be(
    scene: Scene,
) -> None:
    days = [
        seen(f"day {n}", camera="yard", start_s=-86_400 * n, end_s=-86_400 * n + 4, face=like(BOB, 20 + n), open_=False)
        for n in (60, 40, 30)
    ]
    rows = await decided(scene, *days)
    assert len({row.identity_id for row in rows}) == 1, "the premise: one stranger, who came back"
    bob = await scene.enrol("Bob", BOB)
    await scene.hub.words.enrolled(bob.person_id, NOON)
    await scene.resolve()
    (row,) = await decided(scene, seen("today", end_s=4, face=like(BOB, 30)))
    assert row.person_name == "Bob"
    assert row.probability > 0.95


async def test_a_name_taken_back_of_whom_was_told_to_be_unknown_before_is_told_each_time(scene: Scene) -> None:
    """Whoever listens would believe the name for ever: being unknown had been told once already."""
    (row,) = await decided(scene, seen("walk", end_s=4, face=like(ALICE, 9)))
    scene.clock.at = HUMAN.at
    for at in (HUMAN, LATER):
        word = await scene.hub.words.name(row.identity_id, "Alice", at)
        await scene.resolve()
        await scene.hub.words.undo(word.word_id, at)
        await scene.resolve()
    told = [(one.type, one.person_name or one.data.get("was_person_name")) for one in (await scene.said())[1:]]
    named, unknown = (EventType.PERSON_CONFIRMED, "Alice"), (EventType.PERSON_UNKNOWN, "Alice")
    assert told == [(EventType.PERSON_UNKNOWN, None), named, unknown, named, unknown]
