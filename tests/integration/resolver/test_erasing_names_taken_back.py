"""A name that was said and taken back: kept in what was told and said until somebody erases it, and then gone."""

from argparse import Namespace
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, Scene, everything_in, like, open_scene, seen, unit
from tests.support.resolver_scenes import NOON
from tests.support.web_app import serving_api

from marengocam.cli.erasing import erase_identity, erase_person
from marengocam.core.errors import BadInputError, ConflictError, NotFoundError
from marengocam.core.model import EventType, LocalTrack, NameEvidence
from marengocam.core.secret import Secret
from marengocam.db.engine_copies import EngineCopy
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker
from marengocam.media.store import Store

NAME = "Alice Unmistakable"
BEGUN = NOON + timedelta(minutes=30)


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


def carol(minute: int = 0) -> Speaker:
    return Speaker("Carol", BEGUN + timedelta(minutes=minute))


async def stranger(scene: Scene, name: str = "walk", *, face=ALICE, **told) -> tuple[LocalTrack, UUID]:
    """Return a stranger's track and identity."""
    track = seen(name, face=face, end_s=told.pop("end_s", 5), open_=False, **told)
    await scene.save(track)
    await scene.resolve()
    return track, (await scene.hub.tracks.get(track.local_track_id)).identity_id


async def said_and_taken_back(scene: Scene, identity_id: UUID, name: str = NAME) -> UUID:
    """Name somebody and undo it, with what is told of both; return who is no more."""
    word = await scene.hub.words.name(identity_id, name, carol())
    await scene.resolve()
    person = await scene.hub.persons.by_name(name)
    await scene.hub.words.undo(word.word_id, carol(1))
    await scene.resolve()
    assert await scene.hub.persons.by_name(name) is None
    assert {"event", "word"} <= await told_by(scene, name), "audited"
    return person.person_id


async def told_by(scene: Scene, name: str) -> set[str]:
    return {table for table, text in (await everything_in(scene.hub)).items() if name.lower() in text.lower()}


async def test_who_got_another_name_is_erased_with_the_one_that_was_taken_back(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    gone = await said_and_taken_back(scene, identity_id)
    await scene.hub.words.name(identity_id, "Bob", carol(2))
    bob = await scene.hub.persons.by_name("Bob")
    await scene.hub.privacy.erase(bob.person_id, carol(3))
    assert await told_by(scene, NAME) == set()
    assert str(gone) not in (await everything_in(scene.hub))["event"]
    events = await scene.said()
    assert [event.number for event in events] == list(range(1, len(events) + 1)), "numbered facts stay (I3)"


async def test_a_stranger_is_erased_with_all_names_that_were_taken_back(scene: Scene) -> None:
    track, identity_id = await stranger(scene)
    _, other = await stranger(scene, "other", camera="hall", face=BOB, start_s=900, end_s=905)
    await said_and_taken_back(scene, identity_id)
    gone = await scene.hub.privacy.erase_identity(identity_id, carol(3))
    assert (gone.run_ids, await told_by(scene, NAME)) == ((), set())
    kept = await scene.hub.tracks.get(track.local_track_id)
    assert (kept.identity_id, kept.track.face) == (identity_id, None), "that somebody was there stays"
    async with scene.hub.database.connection() as connection:
        whose = await connection.fetch("SELECT identity_id FROM exemplar")
    assert {row["identity_id"] for row in whose} == {other}
    (word, *_) = await scene.hub.words.list(5)
    assert (word.kind, word.undoable, identity_id in word.subjects) == ("erase", False, True)


async def test_who_has_a_name_is_erased_by_that_alone(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    await scene.hub.words.name(identity_id, "Bob", carol())
    with pytest.raises(ConflictError, match="Bob"):
        await scene.hub.privacy.erase_identity(identity_id, carol(1))
    with pytest.raises(NotFoundError):
        await scene.hub.privacy.erase_identity(uuid4(), carol(1))


async def test_who_is_no_more_is_erased_by_the_id_that_words_tell(scene: Scene, hub_settings) -> None:
    _, identity_id = await stranger(scene)
    gone = await said_and_taken_back(scene, identity_id)
    async with serving_api(scene.hub, hub_settings) as api:
        assert (await api.call("DELETE", f"/persons/{gone}"))[0] == 204
        assert await told_by(scene, NAME) == set()
        assert (await api.call("DELETE", f"/persons/{gone}"))[0] == 404, "nothing is known of them any more"
        assert (await api.call("DELETE", f"/identities/{identity_id}"))[0] == 204
        assert (await api.call("DELETE", f"/identities/{uuid4()}"))[0] == 404


async def test_who_is_no_more_is_found_by_name(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    gone = await said_and_taken_back(scene, identity_id)
    assert await scene.hub.privacy.taken_back(f" {NAME.upper()} ") == [gone]
    assert await scene.hub.privacy.taken_back("Bob") == []
    await scene.hub.privacy.erase(gone, carol(3))
    assert await scene.hub.privacy.taken_back(NAME) == []


async def test_both_are_erased_by_command_which_tells_of_engines_that_know_them_yet(
    scene: Scene, hub_settings, capsys
) -> None:
    Store(hub_settings.media_dir).prepare(await scene.hub.settings_store.installation_id())
    _, identity_id = await stranger(scene)
    gone = await said_and_taken_back(scene, identity_id)
    for engine in ("deepstack at here:5000", "compreface at gone:8000"):
        await scene.hub.engine_copies.note(engine, EngineCopy(gone, NAME, "pictures"), NOON)
    settings = replace(hub_settings, face_engines=Secret("deepstack+http://here:5000"))
    with pytest.raises(BadInputError, match="--yes"):
        await erase_person(settings, Namespace(name=NAME, yes=False))
    await erase_person(settings, Namespace(name=NAME, yes=True))
    told = capsys.readouterr().out
    assert "deepstack at here:5000 is told" in told
    assert "compreface at gone:8000 knows them yet and is not in face_engines" in told
    assert await told_by(scene, NAME) == set()
    with pytest.raises(NotFoundError, match="nothing tells"):
        await erase_person(settings, Namespace(name=NAME, yes=True))
    await erase_identity(settings, Namespace(identity_id=identity_id, yes=True))
    assert (await scene.hub.words.list(1))[0].subjects == (identity_id,)


async def test_a_name_that_was_never_told_is_found_and_erased_too(scene: Scene) -> None:
    track, identity_id = await stranger(scene)
    word = await scene.hub.words.name_tracks([track.local_track_id], NAME, carol())
    await scene.hub.words.undo(word.word_id, carol(1))  # before the resolver's next turn
    assert await told_by(scene, NAME) == {"word"}
    (gone,) = await scene.hub.privacy.taken_back(NAME)
    row = await scene.hub.tracks.get(track.local_track_id)
    await scene.hub.privacy.erase_identity(row.identity_id, carol(2))
    assert (await told_by(scene, NAME), await scene.hub.privacy.taken_back(NAME)) == (set(), [])
    assert gone != identity_id


async def test_the_same_name_said_anew_of_somebody_else_is_erased_with_the_one_taken_back(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    _, other = await stranger(scene, "other", camera="hall", face=BOB, start_s=900, end_s=905)
    await said_and_taken_back(scene, identity_id)
    await scene.hub.words.name(other, NAME, carol(2))
    person = await scene.hub.persons.by_name(NAME)
    await scene.hub.privacy.erase(person.person_id, carol(3))
    assert await told_by(scene, NAME) == set()


async def test_a_name_that_two_strangers_had_in_turn_goes_with_either(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    _, other = await stranger(scene, "other", camera="hall", face=BOB, start_s=900, end_s=905)
    for one in (identity_id, other):
        await said_and_taken_back(scene, one)
    await scene.hub.privacy.erase_identity(identity_id, carol(3))
    assert await told_by(scene, NAME) == set(), "nobody else could be erased for it"


async def test_a_renaming_that_was_taken_back_leaves_no_name(scene: Scene) -> None:
    alice = await scene.enrol("Al Beforehand", ALICE)
    word = await scene.hub.words.rename(alice.person_id, NAME, carol())
    await scene.hub.words.undo(word.word_id, carol(1))
    walk = replace(  # an engine that knew the name meanwhile
        seen("walk", camera="hall", face=BOB, end_s=5, open_=False), name_evidence=NameEvidence("deepstack", NAME, 0.9)
    )
    await scene.save(walk)
    await scene.resolve()
    await scene.hub.privacy.erase(alice.person_id, carol(2))
    assert (await told_by(scene, NAME), await told_by(scene, "Beforehand")) == (set(), set())


async def test_parts_that_were_split_off_and_merged_carry_names_that_were_taken_back(scene: Scene) -> None:
    walk, identity_id = await stranger(scene, clothes=RED)
    again, same = await stranger(scene, "again", face=like(ALICE, 9), clothes=RED, start_s=8, end_s=12)
    _, other = await stranger(scene, "other", camera="hall", face=BOB, clothes=BLUE, start_s=900, end_s=905)
    assert same == identity_id
    await said_and_taken_back(scene, identity_id)
    await said_and_taken_back(scene, other, "Zoe Mistaken")
    _, apart = await scene.hub.words.split(identity_id, [again.local_track_id], carol(2))
    await scene.hub.words.merge(other, apart, carol(3))
    await scene.hub.words.name(apart, "Bob", carol(4))
    bob = await scene.hub.persons.by_name("Bob")
    await scene.resolve()
    await scene.hub.privacy.erase(bob.person_id, carol(5))
    assert (await told_by(scene, NAME), await told_by(scene, "Zoe Mistaken")) == (set(), set())
    assert (await scene.hub.tracks.get(walk.local_track_id)).track.face is not None, "of somebody else"


async def test_what_was_said_of_somebody_else_s_sights_by_the_name_goes_though_it_was_taken_back(scene: Scene) -> None:
    alice = await scene.enrol(NAME, ALICE)
    _, identity_id = await stranger(scene, face=like(ALICE, 9))
    ignored = await scene.hub.words.ignore_identity(identity_id, carol(), ignored=True)
    assert NAME in ignored.summary
    await scene.hub.words.undo(ignored.word_id, carol(1))
    await scene.hub.words.name(identity_id, "Bob", carol(2))
    await scene.resolve()
    await scene.hub.privacy.erase(alice.person_id, carol(3))
    assert await told_by(scene, NAME) == set()
    assert await told_by(scene, "Bob") >= {"person", "event"}


async def test_what_an_engine_says_of_a_living_namesake_stays(scene: Scene) -> None:
    _, identity_id = await stranger(scene)
    await said_and_taken_back(scene, identity_id)
    namesake = await scene.enrol(NAME, unit(7))
    walk = replace(
        seen("namesake", camera="hall", face=like(unit(7), 9), start_s=900, end_s=905, open_=False),
        name_evidence=NameEvidence("deepstack", NAME, 0.9),
    )
    await scene.save(walk)
    await scene.resolve()
    await scene.hub.privacy.erase_identity(identity_id, carol(5))
    assert (await scene.hub.tracks.get(walk.local_track_id)).track.name_evidence.name == NAME
    confirmed = (await scene.said(EventType.PERSON_CONFIRMED))[-1]
    assert (confirmed.person_id, confirmed.person_name) == (namesake.person_id, NAME)
    assert not [word for word in await scene.hub.words.list(9) if NAME in word.summary]
