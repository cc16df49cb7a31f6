"""One person's data, given out or erased; strangers forgotten in time."""

import base64
import json
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from uuid import uuid4

import numpy as np
import pytest
from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, Scene, everything_in, like, open_scene, seen, unit
from tests.support.resolver_scenes import NOON
from tests.support.web_app import serving_api

from marengocam.core.model import EventType, NameEvidence, NewEvent
from marengocam.db.cases import ReplayCase
from marengocam.db.firings import Firing, Outcome
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker
from marengocam.media.person_archive import write_archive
from marengocam.media.store import Store
from marengocam.replay.places import run_place

CAROL = Speaker("Carol", NOON + timedelta(minutes=1))
LATER = Speaker("Carol", NOON + timedelta(minutes=2))
NAME = "Alice Unmistakable"
GONE = "Somebody who was erased"
TICK = timedelta(seconds=1)


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


async def alice_was_here(scene: Scene, store: Store) -> list[PurePosixPath]:
    """Leave every kind of trace of Alice; return her pictures."""
    alice = await scene.enrol(NAME, ALICE)
    bob = await scene.enrol("Bob", BOB)
    pictures = [
        PurePosixPath(f"pictures/front/2026-06-01/{name}.jpg") for name in ("walk", "walk_1", "walk_face", "portrait")
    ]
    for path in pictures:
        store.write_picture(path, b"picture")
    await scene.hub.persons.set_picture(alice.person_id, pictures[3])
    walk = replace(
        seen("walk", end_s=5, face=like(ALICE, 9), clothes=RED, open_=False),
        crop_path=pictures[0],
        crop_paths=(pictures[1],),
        face_crop_path=pictures[2],
        name_evidence=NameEvidence("engine", NAME, 0.9),
    )
    doubtful = replace(
        seen("doubtful", camera="hall", start_s=600, end_s=605, clothes=BLUE, open_=False),
        name_evidence=NameEvidence("engine", NAME.upper(), 0.6),
    )
    wrong = seen("wrong", camera="yard", start_s=900, end_s=905, face=like(ALICE, 12), open_=False)
    for track in (walk, doubtful, wrong):
        await scene.save(track)
        await scene.resolve()
    scene.clock.at = NOON + timedelta(seconds=920)
    await scene.hub.words.confirm([walk.local_track_id], CAROL)
    await scene.hub.words.name_tracks([wrong.local_track_id], bob.person_id, CAROL)
    await scene.resolve()
    assert (await scene.said(EventType.PERSON_CORRECTED))[0].data["was_person_name"] == NAME
    return pictures


async def test_after_erasing_no_table_knows_name_or_face_and_no_picture_is_left(scene: Scene, tmp_path: Path) -> None:
    store = Store(tmp_path)
    pictures = await alice_was_here(scene, store)
    person = await scene.hub.persons.by_name(NAME)
    assert person is not None
    before = await everything_in(scene.hub)
    assert {table for table, text in before.items() if NAME.lower() in text.lower()} >= {"person", "event", "word"}
    async with scene.hub.database.connection() as connection:
        faces = await connection.fetch("SELECT face::text AS face FROM local_track WHERE face IS NOT NULL")

    gone = await scene.hub.privacy.erase(person.person_id, LATER)

    assert set(gone.pictures) == set(pictures)
    after = await everything_in(scene.hub)
    assert [table for table, text in after.items() if NAME.lower() in text.lower()] == []
    assert str(person.person_id) not in "".join(text for table, text in after.items() if table != "word")
    walk_face = next(row["face"] for row in faces)
    assert [table for table, text in after.items() if walk_face in text] == []
    events = await scene.said()
    assert [event.number for event in events] == list(range(1, len(events) + 1)), "numbered facts stay (I3)"
    (word, *_) = await scene.hub.words.list(5)
    assert (word.kind, word.undoable, word.said_by) == ("erase", False, "Carol")


async def rule_fired(scene: Scene, person_id, name: str) -> None:
    """Have a rule say and mark that somebody came, as automation and the janitor write it down."""
    firing_id, at = uuid4(), scene.clock.at
    await scene.hub.firings.add(
        Firing(
            firing_id=firing_id,
            rule_id=uuid4(),
            rule_name="arrivals",
            event_number=1,
            event_type="person_confirmed",
            occurred_at=at,
            fired_at=at,
            person_id=person_id,
            person_name=name,
        )
    )
    done = Outcome(place=0, action="keep_clip", target=f"{name} came", state="done", reason="", ended_at=at)
    await scene.hub.firings.add_outcomes([(firing_id, done)])
    await scene.hub.health.log("automation", "keep_clip", "warning", f"keep_clip {name} came fails: the hub is away.")
    async with scene.hub.database.connection() as connection:
        for label in (f"({name.upper()}) came", f"{name}like"):
            await connection.execute(
                "INSERT INTO favourite (favourite_id, camera_id, from_at, to_at, label) "
                "VALUES ($1, 'front', $2, $3, $4)",
                *(uuid4(), at, at + timedelta(minutes=1), label),
            )


async def test_words_rules_marks_and_reasons_about_others_do_not_tell_of_the_erased(scene: Scene) -> None:
    other_name = "Alix Formerly"
    alice, alix = await scene.enrol(NAME, ALICE), await scene.enrol(other_name, unit(7))
    bob = await scene.enrol("Bob", BOB)
    await scene.save(seen("alix", face=like(unit(7), 3), end_s=5, open_=False))
    await scene.resolve()
    await scene.hub.words.merge_persons(alix.person_id, alice.person_id, CAROL)
    walk = seen("walk", camera="yard", face=like(ALICE, 9), start_s=300, end_s=305, open_=False)
    mistaken = replace(  # an engine says Alice; the face is Bob's
        seen("mistaken", camera="hall", face=like(BOB, 9), start_s=900, end_s=905, open_=False),
        name_evidence=NameEvidence("deepstack", NAME, 0.56),
    )
    for track in (walk, mistaken):
        await scene.save(track)
        await scene.resolve()
    row = await scene.hub.tracks.get(walk.local_track_id)
    assert row.person_name == NAME
    confirmed = [event for event in await scene.said() if event.local_track_id == mistaken.local_track_id][-1]
    assert (confirmed.person_id, NAME in str(confirmed.data)) == (bob.person_id, True)
    for ignored in (True, False):
        await scene.hub.words.ignore_identity(row.identity_id, CAROL, ignored=ignored)
    await rule_fired(scene, alice.person_id, NAME)
    run_id = await scene.hub.replays.request("front", NOON + timedelta(hours=1))

    gone = await scene.hub.privacy.erase(alice.person_id, LATER)

    assert gone.run_ids == (run_id,)
    after = await everything_in(scene.hub)
    known = {table for table, text in after.items() for name in (NAME, other_name) if name.lower() in text.lower()}
    assert known == {"favourite"}, "what only begins like the name is another word"
    assert after["favourite"].lower().count(NAME.lower()) == 1
    ids = (str(alice.person_id), str(alix.person_id))
    assert {table for table, text in after.items() for one in ids if one in text} == {"word"}
    assert [word.undoable for word in await scene.hub.words.list(10)] == [False] * 4
    kept = await scene.hub.tracks.get(mistaken.local_track_id)
    assert (kept.person_name, [cue["cue"] for cue in kept.evidence["cues"]]) == ("Bob", ["face"])


async def test_what_an_owner_wrote_by_hand_does_not_keep_the_name_either(scene: Scene) -> None:
    alice = await scene.enrol("Al Beforehand", ALICE)
    await scene.hub.words.rename(alice.person_id, NAME, CAROL)
    marked = [f"{NAME.upper()}'s first walk", "Al Beforehand by the pond", f"{NAME}like", "Pond"]
    await scene.hub.events.append(
        [NewEvent(uuid4(), EventType.MOMENT_MARKED, NOON, data={"label": one, "marked_by": "Carol"}) for one in marked]
    )
    await scene.hub.retention.take_favourites(10, 10)
    expected = (f"person:{NAME}", f"person:{NAME} zone:Pond", f"person:{NAME}like", "nothing")
    for number, words in enumerate(expected):
        name = f"{NAME} by the pond" if number < 2 else f"Test {number}"
        case = ReplayCase(
            uuid4(), name + " again" * number, "front", NOON, NOON + timedelta(minutes=1), words, NOON + number * TICK
        )
        await scene.hub.cases.add(case)
        await scene.hub.cases.note(case.case_id, NOON, passed=True, seen=f"person:{NAME} 0.91 in Pond, dog 0.40")

    await scene.hub.privacy.erase(alice.person_id, LATER)

    after = await everything_in(scene.hub)
    told = {table: text.lower().replace(f"{NAME}like".lower(), "") for table, text in after.items()}
    assert [table for table, text in told.items() if NAME.lower() in text or "beforehand" in text] == []
    labels = [event.data["label"] for event in await scene.said(EventType.MOMENT_MARKED)]
    assert labels == [GONE, GONE, f"{NAME}like", "Pond"]
    assert sorted(one.label for one in await scene.hub.retention.favourites()) == sorted(labels)
    cases = sorted(await scene.hub.cases.list(), key=lambda case: case.created_at)
    assert [case.expected for case in cases] == ["person", "person zone:Pond", f"person:{NAME}like", "nothing"]
    assert [(case.seen, case.passed) for case in cases[:2]] == [("", None)] * 2, (
        "what they expect now was never looked at"
    )
    assert [(case.seen, case.passed) for case in cases[2:]] == [("person 0.91 in Pond, dog 0.40", True)] * 2
    assert all(case.name.startswith("somebody by the pond") for case in cases[:2])
    assert [case.name for case in cases[2:]] == ["Test 2 again again", "Test 3 again again again"]


@pytest.mark.parametrize("name", ["\u0393\u0399\u03a9\u03a1\u0393\u039f\u03a3", "\u0130pek", "\u00c9va"])
async def test_a_name_goes_whose_letters_are_lowered_otherwise_elsewhere(scene: Scene, name: str) -> None:
    person = await scene.enrol(name, ALICE)
    walk = replace(
        seen("walk", face=like(BOB, 9), end_s=5, open_=False), name_evidence=NameEvidence("codeproject", name, 0.9)
    )
    await scene.save(walk)
    await scene.resolve()
    await rule_fired(scene, person.person_id, name)
    await scene.hub.privacy.erase(person.person_id, LATER)
    after = await everything_in(scene.hub)
    assert {table for table, text in after.items() if name in text} == {"favourite"}, "another word: it begins alike"
    assert after["favourite"].count(name) == 1


async def test_who_is_erased_in_front_of_a_camera_does_not_come_back_with_the_next_save(scene: Scene) -> None:
    alice = await scene.enrol(NAME, ALICE)
    walk = replace(
        seen("walk", face=like(ALICE, 9), clothes=RED, end_s=5),
        face_crop_path=PurePosixPath("pictures/front/2026-06-01/face.jpg"),
        name_evidence=NameEvidence("codeproject", NAME, 0.9),
    )
    await scene.save(walk)
    await scene.resolve()
    await scene.hub.privacy.erase(alice.person_id, LATER)
    await scene.save(replace(walk, last_seen_at=walk.last_seen_at + TICK))  # ingest, which still follows them
    await scene.resolve()
    after = await everything_in(scene.hub)
    assert [table for table, text in after.items() if NAME in text] == []
    track = (await scene.hub.tracks.get(walk.local_track_id)).track
    assert (track.face, track.appearance, track.face_crop_path) == (None, None, None)


async def test_two_tests_that_differ_only_by_the_erased_name_stay_two(scene: Scene) -> None:
    people = [await scene.enrol(name, unit(seed)) for seed, name in enumerate(("Ann", "Eve", "x" * 90))]
    for person in people:
        case = ReplayCase(
            uuid4(), f"{person.name} came", "front", NOON, NOON + timedelta(minutes=1), f"person:{person.name}", NOON
        )
        await scene.hub.cases.add(case)
    for person in people:
        await scene.hub.privacy.erase(person.person_id, LATER)
    cases = await scene.hub.cases.list()
    assert ([case.expected for case in cases], len({case.name for case in cases})) == (["person"] * 3, 3)


async def test_replays_that_may_tell_of_the_erased_go_with_their_folders(scene: Scene, hub: Hub, hub_settings) -> None:
    before = await hub.replays.request("front", NOON - timedelta(days=1))
    alice = await scene.enrol(NAME, ALICE)
    told = await hub.replays.request("front", NOON + timedelta(hours=1))
    for run_id in (before, told):
        folder = run_place(hub_settings.media_dir, run_id)
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(NAME)
    async with serving_api(hub, hub_settings) as api:
        assert (await api.call("DELETE", f"/persons/{alice.person_id}"))[0] == 204
    assert [run.run_id for run in await hub.replays.list(10)] == [before]
    assert [folder.name for folder in run_place(hub_settings.media_dir, before).parent.iterdir()] == [str(before)]


async def test_everything_about_a_person_is_given_out_with_the_pictures(scene: Scene, tmp_path: Path) -> None:
    store = Store(tmp_path)
    pictures = await alice_was_here(scene, store)
    person = await scene.hub.persons.by_name(NAME)
    everything = await scene.hub.privacy.everything_about(person.person_id)
    assert write_archive(tmp_path / "alice.zip", everything, store) == len(pictures)
    with zipfile.ZipFile(tmp_path / "alice.zip") as archive:
        assert set(archive.namelist()) == {"person.json", *map(str, pictures)}
        told = json.loads(archive.read("person.json"))
    assert told["person"]["name"] == NAME
    (track,) = told["tracks"]
    assert len(track["path"]) > 1
    assert track["name_evidence"]["name"] == NAME
    sent = base64.b64decode(track["face_base64"])
    assert np.frombuffer(sent, ">f2", offset=4) == pytest.approx(like(ALICE, 9), abs=1e-3)
    assert len(base64.b64decode(track["appearance_base64"])) == 4 + 2 * len(RED)
    assert len(told["faces_and_looks"][0]["embedding"]) == len(ALICE)
    assert {event["type"] for event in told["events"]} >= {"person_confirmed", "person_corrected"}
    assert told["rules_fired"] == []


async def test_the_api_gives_out_to_admins_and_erases(scene: Scene, hub: Hub, hub_settings) -> None:
    await alice_was_here(scene, Store(hub_settings.media_dir))
    person = await hub.persons.by_name(NAME)
    async with serving_api(hub, hub_settings) as api:
        status, content = await api.call("GET", f"/persons/{person.person_id}/export")
        assert (status, content[:2]) == (200, b"PK")
        weaker = api.with_token(await hub.tokens.add("reader", ["read", "write"], NOON))
        assert (await weaker.call("GET", f"/persons/{person.person_id}/export"))[0] == 403
        assert (await api.call("DELETE", f"/persons/{person.person_id}"))[0] == 204
        assert (await api.call("GET", f"/persons/{person.person_id}/export"))[0] == 404
    assert not list(hub_settings.media_dir.rglob("*.jpg"))


async def test_strangers_are_forgotten_and_persons_and_the_ignored_are_not(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    alice = seen("alice", end_s=5, face=like(ALICE, 9), clothes=RED, open_=False)
    stranger = replace(
        seen("stranger", camera="hall", start_s=600, end_s=605, face=BOB, clothes=BLUE, open_=False),
        face_crop_path=PurePosixPath("pictures/hall/2026-06-01/stranger_face.jpg"),
    )
    poster = seen("poster", camera="yard", start_s=900, end_s=905, face=like(BOB, 3, 9.0), open_=False)
    for track in (alice, stranger, poster):
        await scene.save(track)
        await scene.resolve()
    row = await scene.hub.tracks.get(poster.local_track_id)
    await scene.hub.words.ignore_identity(row.identity_id, CAROL, ignored=True)

    assert await scene.hub.privacy.forget_strangers(NOON, 10) == (0, [])
    count, pictures = await scene.hub.privacy.forget_strangers(NOON + timedelta(days=1), 10)

    assert (count, [path.name for path in pictures]) == (1, ["stranger_face.jpg"])
    kept = [(await scene.hub.tracks.get(track.local_track_id)).track for track in (alice, stranger, poster)]
    assert [track.face is not None for track in kept] == [True, False, True]
    assert [track.appearance is not None for track in kept] == [True, False, False]
    async with scene.hub.database.connection() as connection:
        left = await connection.fetchval(
            "SELECT count(*) FROM exemplar WHERE local_track_id = $1", stranger.local_track_id
        )
    assert left == 0
