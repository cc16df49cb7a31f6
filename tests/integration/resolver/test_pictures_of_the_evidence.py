"""From the evidence of a decision, in the API and in the event, its owner reaches the pictures that were compared."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from tests.support.resolver_hub import ALICE, BOB, RED, Scene, like, open_scene, seen
from tests.support.resolver_scenes import FACE_MODEL, NOON, embedding
from tests.support.web_app import serving_api

from marengocam.core.model import EventType
from marengocam.media.store import Store

ENROLLED = PurePosixPath("pictures/persons/alice.jpg")


def pictured(name: str, **told):
    """Return a track whose crop and face were kept as pictures, told apart by their bytes."""
    paths = {"crop_path": PurePosixPath(f"pictures/{name}.jpg")}
    if "face" in told:
        paths["face_crop_path"] = PurePosixPath(f"pictures/{name}_face.jpg")
    return replace(seen(name, **told), **paths)


@pytest.fixture
async def scene(hub, hub_settings) -> Scene:
    scene = await open_scene(hub)
    store = Store(hub_settings.media_dir)
    alice = await hub.persons.add("Alice", NOON)
    await hub.persons.add_exemplar(alice.person_id, embedding(FACE_MODEL, vector=ALICE), NOON, picture_path=ENROLLED)
    store.write_picture(ENROLLED, b"enrolled")
    door = pictured("door", face=like(ALICE, 9), clothes=RED, end_s=2, open_=False)
    yard = pictured("yard", camera="yard", clothes=like(RED, 8, 0.2), start_s=12, end_s=15, open_=False)
    for track in (door, yard):
        for path in (track.crop_path, track.face_crop_path):
            if path is not None:
                store.write_picture(path, path.name.encode())
        await scene.save(track)
        await scene.resolve()
    return scene


async def cue(api, event, kind: str) -> dict:
    """Return a cue's detail, the same in the event and in the API's track."""
    _, track = await api.call("GET", f"/tracks/{event.local_track_id}")
    (told,) = (one for one in event.data["evidence"]["cues"] if one["cue"] == kind)
    assert told in track["evidence"]["cues"]
    return told["detail"]


async def test_the_enrolled_picture_and_the_face_that_was_compared_with_it_are_shown(scene, hub, hub_settings) -> None:
    at_door, _ = await scene.said(EventType.PERSON_CONFIRMED)
    async with serving_api(hub, hub_settings) as api:
        face = await cue(api, at_door, "face")
        assert "with_track_id" not in face
        assert await api.call("GET", f"/exemplars/{face['with_exemplar_id']}/picture.jpg") == (200, b"enrolled")
        assert await api.call("GET", f"/tracks/{at_door.local_track_id}/face.jpg") == (200, b"door_face.jpg")
        assert (await api.call("GET", f"/exemplars/{at_door.local_track_id}/picture.jpg"))[0] == 404


async def test_the_crop_of_the_sight_whose_clothes_were_the_likest_is_shown(scene, hub, hub_settings) -> None:
    at_door, in_yard = await scene.said(EventType.PERSON_CONFIRMED)
    async with serving_api(hub, hub_settings) as api:
        clothes = await cue(api, in_yard, "appearance")
        assert clothes["with_track_id"] == str(at_door.local_track_id)
        assert await api.call("GET", f"/tracks/{clothes['with_track_id']}/crop.jpg") == (200, b"door.jpg")
        assert (await api.call("GET", f"/tracks/{in_yard.local_track_id}/face.jpg"))[0] == 404


async def test_what_was_compared_with_is_not_shown_once_it_is_erased(scene, hub, hub_settings) -> None:
    at_door, _ = await scene.said(EventType.PERSON_CONFIRMED)
    async with serving_api(hub, hub_settings) as api:
        face = await cue(api, at_door, "face")
        assert (await api.call("DELETE", f"/persons/{at_door.person_id}"))[0] == 204
        assert (await api.call("GET", f"/exemplars/{face['with_exemplar_id']}/picture.jpg"))[0] == 404
        assert (await api.call("GET", f"/tracks/{at_door.local_track_id}/face.jpg"))[0] == 404


async def test_of_several_looks_the_likest_is_the_one_that_is_told(scene) -> None:
    alice = (await scene.said(EventType.PERSON_CONFIRMED))[0].person_id
    persons, near = scene.hub.persons, like(ALICE, 20, 0.05)
    await persons.add_exemplar(alice, embedding(FACE_MODEL, vector=BOB), NOON)
    likest = await persons.add_exemplar(alice, embedding(FACE_MODEL, vector=near), NOON)
    await persons.add_exemplar(alice, embedding(FACE_MODEL, vector=like(ALICE, 21)), NOON)
    await scene.save(seen("later", face=near, start_s=4000, end_s=4003))
    await scene.resolve()
    event = (await scene.said(EventType.PERSON_CONFIRMED))[-1]
    (face,) = (one for one in event.data["evidence"]["cues"] if one["cue"] == "face")
    assert face["detail"]["with_exemplar_id"] == str(likest)
