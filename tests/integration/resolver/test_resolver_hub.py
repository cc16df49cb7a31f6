"""The resolver on a real hub: what is written, said once, and survives."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from tests.support.resolver_hub import ALICE, BLUE, BOB, CAMERAS, CONFIRM, RED, Scene, like, open_scene, seen, unit
from tests.support.resolver_scenes import FACE_MODEL, LEFT, NOON, RIGHT, path

from marengocam.core.identity import CameraGraph
from marengocam.core.model import Camera, EventType
from marengocam.db.hub import Hub, open_hub
from marengocam.db.queries import vector_text
from marengocam.db.tracks import TrackFilter
from marengocam.db.turn import Turn
from marengocam.db.word_changes import Speaker
from marengocam.resolver import turn
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.resolve import resolve_other
from marengocam.resolver.spacetime import elsewhere_ratio
from marengocam.resolver.turn import PART_TRACKS, take_turn

LATER_FACES, BATCH = 1200, 100


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


async def test_an_enrolled_face_is_confirmed_while_the_track_is_still_open(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    await scene.enrol("Bob", BOB)
    await scene.save(seen("walk", end_s=0.4, zones=("door",)))
    await scene.resolve()
    await scene.save(seen("walk", end_s=1.2, zones=("door",), face=like(ALICE, 9)))
    await scene.resolve()
    events = await scene.said()
    assert [event.type for event in events] == [
        EventType.PERSON_DETECTED,
        EventType.ZONE_ENTERED,
        EventType.PERSON_CONFIRMED,
    ]
    confirmed = events[-1]
    assert (confirmed.person_id, confirmed.person_name) == (alice.person_id, "Alice")
    assert confirmed.occurred_at == NOON + timedelta(seconds=1.2)
    assert confirmed.probability > CONFIRM
    assert confirmed.data["evidence"]["cues"][0]["cue"] == "face"
    row = await scene.hub.tracks.get(confirmed.local_track_id)
    assert row.track.open
    assert row.person_name == "Alice"
    await scene.save(seen("walk", end_s=3, zones=("door",), face=like(ALICE, 9), open_=False))
    await scene.resolve()
    assert len(await scene.said()) == 3


async def test_cars_get_their_zones_and_no_identity(scene: Scene) -> None:
    car = replace(seen("car", zones=("drive",)), label="car")
    await scene.save(car)
    await scene.resolve()
    assert [event.type for event in await scene.said()] == [EventType.ZONE_ENTERED]
    assert (await scene.hub.tracks.get(car.local_track_id)).identity_id is None
    assert await scene.hub.resolution.backlog() == 0


async def test_the_face_at_the_door_names_the_back_seen_in_the_yard(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    yard = seen("back", camera="yard", end_s=8, clothes=RED, open_=False)
    await scene.save(yard)
    await scene.resolve()
    assert [event.type for event in await scene.said()] == [EventType.PERSON_DETECTED, EventType.PERSON_UNKNOWN]
    door = seen("face", start_s=15, end_s=16, clothes=like(RED, 8), face=like(ALICE, 9))
    await scene.save(door)
    await scene.resolve()
    rows = [await scene.hub.tracks.get(one.local_track_id) for one in (yard, door)]
    assert [row.person_name for row in rows] == ["Alice", "Alice"]
    assert rows[0].identity_id == rows[1].identity_id
    confirmed = await scene.said(EventType.PERSON_CONFIRMED)
    assert {event.local_track_id for event in confirmed} == {yard.local_track_id, door.local_track_id}


async def test_a_name_that_comes_later_is_told_as_surely_as_the_track_is_of_whom_it_names(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    yard = seen("back", camera="yard", end_s=8, clothes=RED, open_=False)
    hall = seen("front", camera="hall", start_s=12, end_s=16, clothes=like(RED, 7), open_=False)
    for one in (yard, hall):
        await scene.save(one)
        await scene.resolve()
    before = [await scene.hub.tracks.get(one.local_track_id) for one in (yard, hall)]
    assert before[0].identity_id == before[1].identity_id, "the premise: the second is whom the first was"
    await scene.save(seen("face", start_s=120, end_s=121, clothes=like(RED, 8), face=like(ALICE, 9)))
    await scene.resolve()
    back, front = [await scene.hub.tracks.get(one.local_track_id) for one in (yard, hall)]
    assert (back.person_name, front.person_name) == ("Alice", "Alice")
    assert back.probability > 0.9, "it founded the identity, which is Alice"
    assert front.probability == pytest.approx(before[1].probability, abs=0.05)


async def test_naming_an_unknown_renames_its_past_and_tells_the_news_only(scene: Scene) -> None:
    old = seen("old", camera="yard", start_s=-300, end_s=-290, clothes=RED, open_=False)
    now = seen("now", start_s=0, end_s=5, clothes=like(RED, 5), face=like(BOB, 6))
    await scene.save(old)
    await scene.resolve()
    await scene.save(now)
    await scene.resolve()
    rows = [await scene.hub.tracks.get(one.local_track_id) for one in (old, now)]
    assert rows[0].identity_id == rows[1].identity_id
    scene.clock.at = NOON + timedelta(seconds=6)
    bob = await scene.hub.persons.add("Bob", scene.clock.now())
    await scene.hub.words.name(rows[1].identity_id, bob.person_id, Speaker("test", scene.clock.now()))
    await scene.resolve()
    rows = await scene.hub.tracks.list(TrackFilter(person_id=bob.person_id), limit=10)
    assert {row.decided_by for row in rows} == {"human"}
    assert len(rows) == 2
    (confirmed,) = await scene.said(EventType.PERSON_CONFIRMED)
    assert confirmed.local_track_id == now.local_track_id
    next_day = seen("tomorrow", camera="hall", start_s=86_400, end_s=86_401, face=like(BOB, 7))
    await scene.save(next_day)
    await scene.resolve()
    assert (await scene.hub.tracks.get(next_day.local_track_id)).person_name == "Bob"


async def test_a_humans_word_is_not_overruled_by_a_better_face(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    walk = seen("walk", end_s=4, clothes=RED)
    await scene.save(walk)
    await scene.resolve()
    bob = await scene.hub.persons.add("Bob", NOON)
    identity_id = (await scene.hub.tracks.get(walk.local_track_id)).identity_id
    await scene.hub.words.name(identity_id, bob.person_id, Speaker("test", NOON))
    await scene.save(seen("walk", end_s=6, clothes=RED, face=like(ALICE, 9)))
    await scene.resolve()
    row = await scene.hub.tracks.get(walk.local_track_id)
    assert (row.person_name, row.decided_by) == ("Bob", "human")
    assert [event.person_name for event in await scene.said(EventType.PERSON_CONFIRMED)] == ["Bob"]


async def test_a_wrong_name_is_corrected_when_the_face_turns(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.enrol("Bob", BOB)
    await scene.save(seen("walk", end_s=1, face=like(ALICE, 9)))
    await scene.resolve()
    await scene.save(seen("walk", end_s=3, face=like(BOB, 9)))
    await scene.resolve()
    (corrected,) = await scene.said(EventType.PERSON_CORRECTED)
    assert (corrected.person_name, corrected.data["was_person_name"]) == ("Bob", "Alice")
    exemplars = await scene.hub.persons.exemplars()
    kept = {one.person_id for one in exemplars if one.source == "confirmed"}
    assert kept <= {corrected.person_id}, "the wrong face must not stay in Alice's gallery"


async def test_a_very_sure_new_look_grows_the_gallery_once(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    for end_s in (1, 2, 3):
        await scene.save(seen("walk", end_s=end_s, face=like(ALICE, 9, noise=0.8)))
        await scene.resolve()
    sources = Counter(one.source for one in await scene.hub.persons.exemplars(alice.person_id))
    assert sources == {"enrolled": 1, "confirmed": 1}


async def test_the_stranger_of_tuesday_comes_back_on_saturday(scene: Scene) -> None:
    tuesday = seen("tuesday", end_s=5, face=BOB, clothes=RED, open_=False)
    saturday = seen(
        "saturday", camera="yard", start_s=4 * 86_400, end_s=4 * 86_400 + 5, face=like(BOB, 3), clothes=BLUE
    )
    for one in (tuesday, saturday):
        await scene.save(one)
        await scene.resolve()
    rows = [await scene.hub.tracks.get(one.local_track_id) for one in (tuesday, saturday)]
    assert rows[0].identity_id == rows[1].identity_id


@pytest.mark.parametrize("turns", [1, 3])
async def test_all_of_a_visit_goes_to_the_stranger_of_before_once_the_face_is_seen(scene: Scene, turns: int) -> None:
    tuesday = seen("tuesday", start_s=-4 * 86_400, end_s=-4 * 86_400 + 5, face=like(BOB, 20), open_=False)
    await scene.save(tuesday)
    await scene.resolve()
    stranger = (await scene.hub.tracks.get(tuesday.local_track_id)).identity_id
    visit = [
        seen("back", camera="yard", end_s=6, clothes=RED, open_=False),
        seen("face", camera="hall", start_s=12, end_s=16, clothes=like(RED, 7), face=like(BOB, 21), open_=False),
        seen("later", camera="front", start_s=30, end_s=36, clothes=like(RED, 8), open_=False),
    ]
    for first in range(turns):
        await scene.save(*visit[first::turns])
        await scene.resolve()
    rows = [await scene.hub.tracks.get(one.local_track_id) for one in (tuesday, *visit)]
    assert {row.identity_id for row in rows} == {stranger}, "and he keeps his identity"


async def test_a_visit_that_a_human_spoke_about_does_not_go_to_a_stranger_of_before(scene: Scene) -> None:
    await scene.save(seen("tuesday", start_s=-4 * 86_400, end_s=-4 * 86_400 + 5, face=like(BOB, 20), open_=False))
    await scene.resolve()
    back = seen("back", camera="yard", end_s=6, clothes=RED, open_=False)
    await scene.save(back)
    await scene.resolve()
    mine = (await scene.hub.tracks.get(back.local_track_id)).identity_id
    await scene.hub.words.confirm([back.local_track_id], Speaker("owner", NOON))
    await scene.resolve()
    await scene.save(seen("front", camera="hall", start_s=12, end_s=16, clothes=like(RED, 7), face=like(BOB, 21)))
    await scene.resolve()
    assert (await scene.hub.tracks.get(back.local_track_id)).identity_id == mine


async def test_a_stranger_is_known_again_behind_thousands_of_later_faces_and_after_the_track_is_gone(
    scene: Scene,
) -> None:
    tuesday = seen("tuesday", end_s=5, face=BOB, open_=False)
    await scene.save(tuesday)
    await scene.resolve()
    identity_id = (await scene.hub.tracks.get(tuesday.local_track_id)).identity_id
    faces = [unit(1000 + n) for n in range(LATER_FACES)]
    async with scene.hub.database.connection() as connection:
        await connection.execute(
            "INSERT INTO identity (identity_id, first_seen_at, last_seen_at, created_at) "
            "SELECT md5('later' || n)::uuid, $1, $1, $1 FROM generate_series(1, $2::int) n",
            NOON + timedelta(days=1),
            LATER_FACES,
        )
        for start in range(0, LATER_FACES, BATCH):
            await connection.execute(
                "INSERT INTO exemplar (exemplar_id, identity_id, kind, model, embedding, quality, source, created_at, "
                "remembered) SELECT md5('face' || n + $4)::uuid, md5('later' || n + $4)::uuid, 'face', $1, "
                "vector::halfvec, 0.8, 'observed', $2, true FROM unnest($3::text[]) WITH ORDINALITY AS one (vector, n)",
                FACE_MODEL,
                NOON + timedelta(days=1),
                [vector_text(face) for face in faces[start : start + BATCH]],
                start,
            )
    await scene.hub.tracks.prune(NOON + timedelta(days=1), 10)
    later = seen("later", camera="yard", start_s=20 * 86_400, end_s=20 * 86_400 + 5, face=like(BOB, 3), open_=False)
    await scene.save(later)
    await scene.resolve()
    assert (await scene.hub.tracks.get(later.local_track_id)).identity_id == identity_id
    forgotten, _ = await scene.hub.privacy.forget_strangers(NOON + timedelta(days=2), LATER_FACES + 1)
    assert forgotten == LATER_FACES + 1
    assert await scene.hub.resolution.backlog() == 0


async def test_a_removed_person_is_unknown_from_then_on(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    await scene.save(seen("walk", end_s=1, face=like(ALICE, 9)))
    await scene.resolve()
    await scene.hub.privacy.erase(alice.person_id, Speaker("test", NOON))
    await scene.save(seen("walk", end_s=4, face=like(ALICE, 9)))
    await scene.resolve()
    row = await scene.hub.tracks.list(TrackFilter(camera_id="front"), limit=1)
    assert (row[0].person_id, row[0].identity_id is None) == (None, False)


async def test_two_people_in_one_picture_stay_two(scene: Scene) -> None:
    one = replace(seen("one", end_s=5, clothes=RED), path=path(LEFT, 0, 5))
    other = replace(seen("other", end_s=5, clothes=RED), path=path(RIGHT, 0, 5))
    await scene.save(one, other)
    await scene.resolve()
    rows = [await scene.hub.tracks.get(each.local_track_id) for each in (one, other)]
    assert rows[0].identity_id != rows[1].identity_id


async def test_an_embedding_of_another_size_is_left_out(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.save(seen("walk", end_s=4, face=unit(1, 64)))
    await scene.resolve()
    assert [event.type for event in await scene.said()] == [EventType.PERSON_DETECTED, EventType.PERSON_UNKNOWN]


async def test_a_crash_in_mid_turn_loses_nothing_and_says_nothing_twice(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.save(*(seen(f"walk{n}", start_s=n * 20, end_s=n * 20 + 4, face=like(ALICE, 9)) for n in range(6)))

    async def broken_turn() -> None:
        async with scene.hub.resolution.claim(8) as turn:
            await turn.write([resolve_other(claimed) for claimed in turn.claimed], NOON)
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="pulled the plug"):
        await broken_turn()
    assert await scene.hub.resolution.backlog() == 6
    assert await scene.said() == []
    await scene.resolve()
    await scene.resolve()
    counts = Counter(event.type for event in await scene.said())
    assert counts == {EventType.PERSON_DETECTED: 6, EventType.PERSON_CONFIRMED: 6}


@pytest.mark.parametrize("failing", ["decision", "write"])
async def test_a_turn_that_fails_while_its_first_part_is_being_written_leaves_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    count = 2 * PART_TRACKS + 1
    for number in range(count):
        await scene.save(seen(f"walk{number}", start_s=20.0 * number, end_s=20.0 * number + 3, open_=False))
    calls = 0
    if failing == "decision":

        def pulled(around, claimed, rules, now):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            if calls > PART_TRACKS + 1:
                raise RuntimeError("pulled the plug")
            return decide_one(around, claimed, rules, now)

        decide_one = turn._decide
        monkeypatch.setattr(turn, "_decide", pulled)
    else:

        async def broken(self, outcomes, at):  # type: ignore[no-untyped-def]
            nonlocal calls
            calls += 1
            if calls > 1:
                raise RuntimeError("pulled the plug")
            return await write(self, outcomes, at)

        write = Turn.write
        monkeypatch.setattr(Turn, "write", broken)
    metrics = ResolverMetrics(CollectorRegistry())
    with pytest.raises(RuntimeError, match="pulled the plug"):
        await take_turn(scene.hub.resolution, CameraGraph(), CONFIRM, scene.clock, metrics)
    assert await scene.hub.resolution.backlog() == count
    assert await scene.said() == []
    monkeypatch.undo()
    await scene.resolve()
    assert await scene.hub.resolution.backlog() == 0
    assert Counter(event.type for event in await scene.said())[EventType.PERSON_DETECTED] == count


async def test_two_resolvers_share_200_tracks_and_say_everything_once(scene: Scene, hub_settings) -> None:
    await scene.enrol("Alice", ALICE)
    await scene.enrol("Bob", BOB)
    faces = (like(ALICE, 5), like(BOB, 6), None)
    tracks = [
        seen(
            f"walk{n}",
            camera=CAMERAS[n % 3],
            start_s=n * 5,
            end_s=n * 5 + 4,
            face=faces[n % 3],
            clothes=unit(100 + n, 256),
            open_=False,
        )
        for n in range(200)
    ]
    await scene.save(*tracks)

    async def resolver(hub: Hub) -> int:
        metrics, done = ResolverMetrics(CollectorRegistry()), 0
        while count := await take_turn(hub.resolution, CameraGraph(), CONFIRM, scene.clock, metrics):
            done += count
        return done

    async with open_hub(hub_settings, "second", 2) as second:
        await second.events.last_number()  # both are connected when they begin
        shares = await asyncio.gather(resolver(scene.hub), resolver(second))
    assert sum(shares) == 200
    assert min(shares) > 0
    events = await scene.said()
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    said = Counter((event.local_track_id, event.type) for event in events)
    assert set(said.values()) == {1}
    kinds = Counter(event.type for event in events)
    assert kinds[EventType.PERSON_DETECTED] == 200
    assert kinds[EventType.PERSON_CONFIRMED] == 134
    assert kinds[EventType.PERSON_UNKNOWN] == 66


async def test_one_newcomer_on_two_cameras_at_once_is_one_identity_for_two_resolvers(
    scene: Scene, hub_settings
) -> None:
    both = [seen(f"new-{c}", camera=c, start_s=n * 6, end_s=n * 6 + 4, clothes=RED) for n, c in enumerate(CAMERAS)]
    await scene.save(*both)
    metrics = ResolverMetrics(CollectorRegistry())
    async with open_hub(hub_settings, "second", 2) as second:
        await asyncio.gather(
            *(take_turn(one.resolution, CameraGraph(), CONFIRM, scene.clock, metrics) for one in (scene.hub, second))
        )
    rows = [await scene.hub.tracks.get(one.local_track_id) for one in both]
    assert len({row.identity_id for row in rows}) == 1


async def test_journeys_teach_the_camera_graph(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    for n in range(6):
        start = n * 600
        await scene.save(
            seen(f"yard{n}", camera="yard", start_s=start, end_s=start + 5, face=like(ALICE, n), open_=False),
            seen(f"front{n}", start_s=start + 20, end_s=start + 25, face=like(ALICE, n), open_=False),
        )
        await scene.resolve()
    for camera in ("yard", "front"):
        await scene.hub.cameras.add(Camera(camera, camera, "file:///dev/null"))
    graph = await scene.hub.resolution.camera_graph(NOON)
    walk = graph.transits["yard", "front"]
    assert walk.count == pytest.approx(6, abs=0.2)
    assert np.exp(walk.mean_log_s) == pytest.approx(15, rel=0.01)
    assert graph.moves["yard", "front"] == graph.moves_from["yard"] == pytest.approx(6, abs=0.2)
    assert graph.tracks == {"yard": 6, "front": 6}
    await scene.hub.camera_graph.tell("yard", "front", transit_s=40.0)
    told = (await scene.hub.resolution.camera_graph(NOON)).transits["yard", "front"]
    assert (told.told, np.exp(told.mean_log_s)) == (True, pytest.approx(40))
    (way,) = [one for one in await scene.hub.camera_graph.ways(NOON) if one.from_camera == "yard"]
    assert (way.told_transit_s, way.learned_transit_s, way.journeys) == (40.0, 15.0, 6)


async def test_journeys_of_strangers_teach_too_from_where_they_were_seen_first_and_while_they_are_followed(
    scene: Scene,
) -> None:
    for n in range(6):
        start, clothes = n * 600, unit(100 + n, 256)
        yard = seen(f"yard{n}", camera="yard", start_s=start, end_s=start + 5, clothes=clothes, open_=False)
        piece = seen(f"piece{n}", camera="yard", start_s=start + 6, end_s=start + 8, clothes=clothes, open_=False)
        front = seen(f"front{n}", start_s=start + 20, end_s=start + 25, clothes=like(clothes, n))
        for one in (yard, piece, front):
            await scene.save(one)
            await scene.resolve()
    walk = (await scene.hub.resolution.camera_graph(NOON)).transits["yard", "front"]
    assert 3 < walk.count < 6, "clothes alone are less than sure"
    assert np.exp(walk.mean_log_s) == pytest.approx(12, rel=0.01), "from the last sight of all"


async def test_a_journey_that_clothes_do_not_speak_for_teaches_nothing(scene: Scene) -> None:
    for n in range(6):
        start = n * 600
        await scene.save(
            seen(f"yard{n}", camera="yard", start_s=start, end_s=start + 5, clothes=unit(n, 256), open_=False),
            seen(f"front{n}", start_s=start + 20, end_s=start + 25, clothes=unit(50 + n, 256), open_=False),
        )
        await scene.resolve()
    assert not (await scene.hub.resolution.camera_graph(NOON)).transits


async def test_views_that_show_one_person_at_once_are_learned_to_overlap(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    for n in range(4):
        start = n * 600
        await scene.save(
            seen(f"yard{n}", camera="yard", start_s=start, end_s=start + 8, face=like(ALICE, n), open_=False),
            seen(f"front{n}", start_s=start + 2, end_s=start + 9, face=like(ALICE, n + 9), open_=False),
        )
        await scene.resolve()
    ways = {(one.from_camera, one.to_camera): one for one in await scene.hub.camera_graph.ways(NOON)}
    assert (ways["yard", "front"].together, ways["yard", "front"].chances) == (4, 4)
    graph = await scene.hub.resolution.camera_graph(NOON)
    assert elsewhere_ratio(graph, "front", "yard") > 0 > elsewhere_ratio(graph, "front", "hall")


async def test_twins_are_told_as_unknown_with_both_in_the_evidence(scene: Scene) -> None:
    twins = [await scene.enrol(name, like(ALICE, seed, 0.25)) for seed, name in ((21, "Ann"), (22, "Eve"))]
    await scene.save(seen("walk", end_s=4, face=like(ALICE, 9, 0.25), open_=False))
    await scene.resolve()
    (unknown,) = await scene.said(EventType.PERSON_UNKNOWN)
    assert await scene.said(EventType.PERSON_CONFIRMED) == []
    assert unknown.data["evidence"]["runner_up"]["person_id"] in {str(one.person_id) for one in twins}


async def test_a_gallery_that_is_emptied_while_tracks_wait_leaves_a_clean_unknown(scene: Scene) -> None:
    alice = await scene.enrol("Alice", ALICE)
    await scene.save(seen("walk", end_s=1))
    await scene.resolve()
    await scene.save(seen("walk", end_s=4, face=like(ALICE, 9), open_=False))
    await scene.hub.persons.remove_exemplars(alice.person_id)
    await scene.resolve()
    assert await scene.said(EventType.PERSON_CONFIRMED) == []
    assert await scene.hub.resolution.backlog() == 0


async def test_two_humans_who_name_one_identity_at_once_are_heard_one_after_the_other(scene: Scene) -> None:
    walk = seen("walk", end_s=4, clothes=RED, open_=False)
    await scene.save(walk)
    await scene.resolve()
    identity_id = (await scene.hub.tracks.get(walk.local_track_id)).identity_id
    people = [await scene.hub.persons.add(name, NOON) for name in ("Alice", "Bob")]
    words = [scene.hub.words.name(identity_id, one.person_id, Speaker(one.name, NOON)) for one in people]
    heard = await asyncio.gather(*words, return_exceptions=True)
    assert not [one for one in heard if isinstance(one, Exception)]
    row = await scene.hub.tracks.get(walk.local_track_id)
    assert (row.person_name in {"Alice", "Bob"}, row.decided_by) == (True, "human")
    assert len(await scene.hub.words.list(10)) == 2
