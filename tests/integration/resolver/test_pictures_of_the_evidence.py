"""From the evidence of a decision, in the API and in the event, its owner reaches the pictures that were compared."""

from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, Scene, like, open_scene, seen, turned
from tests.support.resolver_scenes import FACE_MODEL, NOON, embedding
from tests.support.web_app import serving_api

from marengocam.core.model import EventType
from marengocam.media.store import Store

DAY_S = 86_400.0
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


async def test_of_two_unknown_who_are_found_to_be_one_the_looks_are_shown_that_say_most(
    scene, hub, hub_settings
) -> None:
    """From the front and from the back somebody is two; from the side he is like both."""
    front, back, side = (
        pictured(name, camera=camera, start_s=DAY_S + at_s, end_s=DAY_S + 6 + at_s, clothes=turned(share), open_=False)
        for name, camera, at_s, share in (
            ("front", "yard", 0, 0.0),
            ("back", "hall", 12, 1.0),
            ("side", "front", 24, 0.5),
        )
    )
    for track in (front, back, side):
        Store(hub_settings.media_dir).write_picture(track.crop_path, track.crop_path.name.encode())
        await scene.save(track)
        await scene.resolve()
    async with serving_api(hub, hub_settings) as api:
        _, told = await api.call("GET", f"/tracks/{side.local_track_id}")
        details = {one["cue"]: one["detail"] for one in told["evidence"]["cues"]}
        nearer, farther = details["appearance"]["with_track_id"], details["past_appearance"]["with_track_id"]
        assert {nearer, farther} == {str(front.local_track_id), str(back.local_track_id)}
        assert "of_track_id" not in details["past_appearance"], "the sighting's own look is the likest"
        assert details["past_appearance"]["cosine"] == pytest.approx(details["appearance"]["cosine"], abs=0.1)
        name = b"front.jpg" if farther == str(front.local_track_id) else b"back.jpg"
        assert await api.call("GET", f"/tracks/{farther}/crop.jpg") == (200, name)


async def test_of_a_stranger_who_comes_back_the_faces_of_both_days_are_shown(scene, hub, hub_settings) -> None:
    tuesday = pictured("tuesday", start_s=-DAY_S, end_s=5 - DAY_S, face=like(BOB, 20), open_=False)
    back = pictured("back", camera="yard", start_s=DAY_S, end_s=DAY_S + 6, clothes=BLUE, face=BOB, open_=False)
    back = replace(back, face=replace(embedding(FACE_MODEL, vector=like(BOB, 30, 4.0)), quality=0.3))
    again = pictured(
        "again", camera="hall", start_s=DAY_S + 12, end_s=DAY_S + 16, clothes=like(BLUE, 7), face=like(BOB, 21)
    )
    for track in (tuesday, back, again):
        Store(hub_settings.media_dir).write_picture(track.face_crop_path, track.face_crop_path.name.encode())
        await scene.save(track)
        await scene.resolve()
    async with serving_api(hub, hub_settings) as api:
        _, told = await api.call("GET", f"/tracks/{again.local_track_id}")
        details = {one["cue"]: one["detail"] for one in told["evidence"]["cues"]}
        faces = details["past_faces"]
        assert faces["of_track_id"] == str(back.local_track_id)
        assert faces["with_track_id"] == str(tuesday.local_track_id)
        assert await api.call("GET", f"/tracks/{faces['of_track_id']}/face.jpg") == (200, b"back_face.jpg")
        assert await api.call("GET", f"/tracks/{faces['with_track_id']}/face.jpg") == (200, b"tuesday_face.jpg")
