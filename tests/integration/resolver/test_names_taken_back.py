"""A name taken back takes with it whom it alone had made; whoever heard the name is told."""

from datetime import timedelta
from uuid import UUID

import pytest
from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, Scene, like, open_scene, seen
from tests.support.resolver_scenes import FACE_MODEL, NOON, embedding

from marengocam.core.errors import NotFoundError
from marengocam.core.model import EventType, LocalTrack
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker, Word

HUMAN = Speaker("Carol's phone", NOON + timedelta(seconds=20))
LATER = Speaker("Carol's phone", NOON + timedelta(seconds=40))
LATEST = Speaker("Dan", NOON + timedelta(seconds=60))


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


async def stranger(
    scene: Scene, name: str = "one", at_s: float = 0.0, face=ALICE, clothes=RED
) -> tuple[LocalTrack, UUID]:
    track = seen(name, camera="yard", start_s=at_s, end_s=at_s + 5, face=like(face, 8), clothes=clothes, open_=False)
    await scene.save(track)
    await scene.resolve()
    return track, (await scene.hub.tracks.get(track.local_track_id)).identity_id


async def names(scene: Scene) -> list[str]:
    return [one.person.name for one in await scene.hub.persons.list()]


@pytest.mark.parametrize("by", ["identity", "tracks"])
async def test_who_came_to_be_by_a_name_goes_with_it(scene: Scene, by: str) -> None:
    track, identity_id = await stranger(scene)
    words = scene.hub.words

    async def say(who: Speaker) -> Word:
        if by == "identity":
            return await words.name(identity_id, "Alice", who)
        return await words.name_tracks([track.local_track_id], "Alice", who)

    word = await say(HUMAN)
    await scene.resolve()
    assert await names(scene) == ["Alice"]
    await words.undo(word.word_id, LATER)
    assert await names(scene) == []
    await scene.resolve()
    row = await scene.hub.tracks.get(track.local_track_id)
    assert (row.person_id, row.identity_id) == (None, identity_id)
    (listed,) = await words.list(10)
    assert (listed.summary, listed.undone_by, listed.undone_at) == (word.summary, LATER.name, LATER.at)

    again = await say(LATEST)
    await scene.resolve()
    assert await names(scene) == ["Alice"]
    await words.undo(again.word_id, LATEST)
    assert await names(scene) == []


async def test_whoever_heard_the_name_is_told_once_that_it_does_not_hold(scene: Scene) -> None:
    track, identity_id = await stranger(scene)
    word = await scene.hub.words.name(identity_id, "Alice", HUMAN)
    await scene.resolve()
    (confirmed,) = await scene.said(EventType.PERSON_CONFIRMED)
    before = await scene.said(EventType.PERSON_UNKNOWN)
    await scene.hub.words.undo(word.word_id, LATER)
    await scene.resolve()
    (told,) = (await scene.said(EventType.PERSON_UNKNOWN))[len(before) :]
    assert told.local_track_id == track.local_track_id
    assert (told.data["was_person_id"], told.data["was_person_name"]) == (str(confirmed.person_id), "Alice")
    await scene.save(track)
    await scene.resolve()
    assert len(await scene.said(EventType.PERSON_UNKNOWN)) == len(before) + 1


async def test_of_whom_nothing_is_to_be_told_nothing_is_told(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    await scene.hub.words.ignore_identity(identity_id, HUMAN, ignored=True)
    before = len(await scene.said())
    word = await scene.hub.words.name(identity_id, "Alice", HUMAN)
    await scene.resolve()
    await scene.hub.words.undo(word.word_id, LATER)
    await scene.resolve()
    assert await names(scene) == []
    assert len(await scene.said()) == before


async def test_who_was_there_before_the_name_stays(scene: Scene) -> None:
    await scene.hub.persons.add("Alice", NOON)
    _, identity_id = await stranger(scene)
    word = await scene.hub.words.name(identity_id, "alice", HUMAN)
    await scene.hub.words.undo(word.word_id, LATER)
    assert await names(scene) == ["Alice"]


@pytest.mark.parametrize("what", ["face", "picture", "rename", "ignore", "deny", "resolver"])
async def test_of_whom_there_is_something_else_by_now_stays(scene: Scene, what: str) -> None:
    _, identity_id = await stranger(scene)
    words, persons = scene.hub.words, scene.hub.persons
    word = await words.name(identity_id, "Alice", HUMAN)
    person_id = word.subjects[0] if word.subjects[0] != identity_id else word.subjects[1]
    if what == "face":
        await persons.add_exemplar(person_id, embedding(FACE_MODEL, vector=ALICE), NOON)
    elif what == "picture":
        await persons.set_picture(person_id, "alice.jpg")
    elif what == "rename":
        await words.rename(person_id, "Alicia", LATER)
    elif what == "ignore":
        await words.ignore_person(person_id, LATER, ignored=True)
    elif what == "deny":
        _, other = await stranger(scene, "other", 900.0, BOB, BLUE)
        await words.deny(other, person_id, LATER)
    else:
        days = 3 * 86_400
        track, other = await stranger(scene, "again", days, ALICE, BLUE)
        assert other != identity_id
        assert (await scene.hub.tracks.get(track.local_track_id)).person_id == person_id, "the resolver found them"
    await words.undo(word.word_id, LATEST)
    assert len(await names(scene)) == 1


async def test_the_last_of_two_names_that_is_taken_back_takes_the_person_with_it(scene: Scene) -> None:
    _, one = await stranger(scene)
    _, other = await stranger(scene, "other", 900.0, BOB, BLUE)
    first = await scene.hub.words.name(one, "Alice", HUMAN)
    second = await scene.hub.words.name(other, "Alice", LATER)
    await scene.hub.words.undo(first.word_id, LATEST)
    assert await names(scene) == ["Alice"]
    await scene.hub.words.undo(second.word_id, LATEST)
    assert await names(scene) == []
    with pytest.raises(NotFoundError):
        await scene.hub.persons.get(second.subjects[0] if second.subjects[0] != other else second.subjects[1])
