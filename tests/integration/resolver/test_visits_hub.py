"""Visits on a real hub: told once, changed by a human's word, shown by the API."""

from datetime import timedelta

import pytest
from tests.support.resolver_hub import ALICE, BLUE, RED, Scene, like, open_scene, seen
from tests.support.resolver_scenes import NOON
from tests.support.web_app import serving_api

from marengocam.core.model import EventType
from marengocam.core.visits import LEFT_AFTER
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker
from marengocam.resolver.leaving import tell_who_left

HOUR = timedelta(hours=1)


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


async def told(scene: Scene) -> list:
    await tell_who_left(scene.hub.visits, scene.hub.events, scene.clock)
    return await scene.said(EventType.VISIT_ENDED)


async def alice_walks_through(scene: Scene) -> None:
    await scene.enrol("Alice", ALICE)
    for number, camera in enumerate(("front", "hall", "yard")):
        start_s = 20 * number
        face = like(ALICE, 50 + number)
        await scene.save(
            seen(camera, camera=camera, start_s=start_s, end_s=start_s + 9, face=face, clothes=RED, open_=False)
        )
        await scene.resolve()


async def test_somebody_s_leaving_is_told_once_with_the_way(scene: Scene) -> None:
    await alice_walks_through(scene)
    scene.clock.at = NOON + timedelta(seconds=49) + LEFT_AFTER - timedelta(seconds=1)
    assert await told(scene) == []
    scene.clock.at += timedelta(seconds=1)
    (event,) = await told(scene)
    assert (event.person_name, event.data["tracks"]) == ("Alice", 3)
    assert [stop["camera_id"] for stop in event.data["path"]] == ["front", "hall", "yard"]
    scene.clock.at += timedelta(minutes=5)
    assert len(await told(scene)) == 1


async def test_who_is_followed_still_or_is_not_to_be_told_about_is_not_told(scene: Scene) -> None:
    await scene.save(seen("stays", end_s=5, clothes=RED))
    poster = seen("poster", camera="hall", end_s=5, clothes=BLUE, open_=False)
    await scene.save(poster)
    await scene.resolve()
    row = await scene.hub.tracks.get(poster.local_track_id)
    await scene.hub.words.ignore_identity(row.identity_id, Speaker("test", NOON), ignored=True)
    scene.clock.at = NOON + HOUR
    assert await told(scene) == []


async def test_a_human_s_word_changes_visits_at_once(scene: Scene) -> None:
    one = seen("one", camera="front", end_s=5, clothes=RED, open_=False)
    other = seen("other", camera="hall", start_s=60, end_s=65, clothes=BLUE, open_=False)
    for track in (one, other):
        await scene.save(track)
        await scene.resolve()
    span = (NOON - HOUR, NOON + HOUR)
    assert len(await scene.hub.visits.between(*span)) == 2
    rows = [await scene.hub.tracks.get(track.local_track_id) for track in (one, other)]
    await scene.hub.words.merge(rows[1].identity_id, rows[0].identity_id, Speaker("test", NOON))
    (visit,) = await scene.hub.visits.between(*span)
    assert [stop.camera_id for stop in visit.path] == ["front", "hall"]


async def test_the_api_lists_visits_and_shows_one(scene: Scene, hub: Hub, hub_settings) -> None:
    await alice_walks_through(scene)
    await scene.save(seen("stranger", start_s=500, end_s=505, clothes=BLUE, open_=False))
    await scene.resolve()
    span = f"from_at={(NOON - HOUR).isoformat()}&to_at={(NOON + HOUR).isoformat()}".replace("+00:00", "Z")
    async with serving_api(hub, hub_settings) as api:
        _, body = await api.call("GET", f"/visits?{span}")
        assert [one["person_name"] for one in body["visits"]] == [None, "Alice"]
        alice = body["visits"][1]
        assert [stop["camera_id"] for stop in alice["path"]] == ["front", "hall", "yard"]
        assert alice["ended"]
        _, body = await api.call("GET", f"/visits?{span}&unknown=true")
        assert len(body["visits"]) == 1
        _, body = await api.call("GET", f"/visits?{span}&camera_id=hall")
        assert [one["person_name"] for one in body["visits"]] == ["Alice"]
        _, body = await api.call("GET", f"/visits?{span}&limit=1")
        assert body["next"] is not None
        assert (await api.call("GET", f"/visits/{alice['local_track_ids'][1]}"))[1] == alice
        assert (await api.call("GET", f"/visits/{alice['identity_id']}"))[0] == 404
        assert (await api.call("GET", "/visits?from_at=2026-01-01T00:00:00Z&to_at=2026-06-01T00:00:00Z"))[0] == 400
