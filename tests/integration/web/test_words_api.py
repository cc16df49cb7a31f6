"""Saying who is who over the API, and taking it back."""

import asyncio
from uuid import uuid4

import pytest
from tests.support.resolver_hub import ALICE, BLUE, BOB, RED, Scene, open_scene, seen
from tests.support.web_app import serving_api


@pytest.fixture
async def scene(hub) -> Scene:
    scene = await open_scene(hub)
    for number, (face, clothes) in enumerate(((ALICE, RED), (BOB, BLUE))):
        start_s = 400 * number
        track = seen(f"{number}", start_s=start_s, end_s=start_s + 5, face=face, clothes=clothes, open_=False)
        await scene.save(track)
        await scene.resolve()
    return scene


@pytest.fixture
async def api(hub, hub_settings):
    async with serving_api(hub, hub_settings) as served:
        yield served


async def identities(api) -> list[dict]:
    _, body = await api.call("GET", "/identities")
    return body["identities"]


async def tracks_of(api, identity_id: str) -> list[str]:
    _, body = await api.call("GET", f"/tracks?identity_id={identity_id}")
    return [track["local_track_id"] for track in body["tracks"]]


async def test_merge_split_and_undo(api, scene) -> None:
    newer, older = await identities(api)
    status, word = await api.call("POST", f"/identities/{newer['identity_id']}/merge", {"into": older["identity_id"]})
    assert (status, word["identity_id"], word["said_by"]) == (200, older["identity_id"], "test")
    (only,) = await identities(api)
    assert only["tracks"] == 2
    one = (await tracks_of(api, only["identity_id"]))[0]
    status, split = await api.call("POST", f"/identities/{only['identity_id']}/split", {"local_track_ids": [one]})
    assert status == 200
    assert await tracks_of(api, split["identity_id"]) == [one]
    status, refused = await api.call("POST", f"/words/{word['word_id']}/undo")
    assert (status, refused["error"]["code"]) == (409, "conflict")
    for said in (split, word):
        assert (await api.call("POST", f"/words/{said['word_id']}/undo"))[0] == 204
    assert {one["identity_id"] for one in await identities(api)} == {newer["identity_id"], older["identity_id"]}
    _, listed = await api.call("GET", "/words?limit=10")
    assert [(one["kind"], one["undoable"], one["undone_by"]) for one in listed["words"]] == [
        ("split", False, "test"),
        ("merge", False, "test"),
    ]


async def test_name_deny_confirm_and_ignore(api, scene) -> None:
    newer, older = await identities(api)
    (track,) = await tracks_of(api, newer["identity_id"])
    status, _ = await api.call("POST", "/tracks/name", {"local_track_ids": [track], "name": "Bob"})
    assert status == 200
    _, row = await api.call("GET", f"/tracks/{track}")
    assert (row["person_name"], row["decided_by"]) == ("Bob", "human")
    status, denied = await api.call(
        "POST", f"/identities/{row['identity_id']}/deny", {"person_id": row["person_id"], "local_track_ids": [track]}
    )
    assert (status, denied["summary"]) == (200, "One sight: not Bob.")
    assert (await api.call("GET", f"/tracks/{track}"))[1]["person_name"] is None
    assert (await api.call("POST", "/tracks/confirm", {"local_track_ids": [track]}))[0] == 200
    assert (await api.call("POST", f"/identities/{older['identity_id']}/ignore", {}))[0] == 200
    assert (await api.call("POST", f"/persons/{row['person_id']}/ignore", {"ignored": True}))[0] == 200
    _, listed = await api.call("GET", f"/words?subject={row['person_id']}")
    assert [one["kind"] for one in listed["words"]] == ["ignore", "deny", "name"]


async def test_merging_persons_keeps_one_name_and_both_galleries(api, scene) -> None:
    for identity, name in zip(await identities(api), ("Robert", "Bob"), strict=True):
        assert (await api.call("POST", f"/identities/{identity['identity_id']}/name", {"name": name}))[0] == 200
    _, body = await api.call("GET", "/persons")
    ids = {one["name"]: one["person_id"] for one in body["persons"]}
    assert (await api.call("POST", f"/persons/{ids['Robert']}/merge", {"into": ids["Bob"]}))[0] == 200
    _, body = await api.call("GET", "/persons")
    assert [(one["name"], one["faces"]) for one in body["persons"]] == [("Bob", 2)]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/identities/{}/merge", {"into": str(uuid4())}, 404),
        ("/identities/{}/split", {"local_track_ids": []}, 400),
        ("/identities/{}/split", {"local_track_ids": ["x"]}, 400),
        ("/identities/{}/deny", {}, 400),
        ("/tracks/name", {"local_track_ids": [str(uuid4())], "name": "A", "person_id": str(uuid4())}, 400),
        ("/tracks/name", {"local_track_ids": [str(uuid4())], "name": "  "}, 400),
        ("/tracks/confirm", {"local_track_ids": [str(uuid4())]}, 404),
        ("/words/{}/undo", None, 404),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(api, path: str, body, status: int) -> None:
    code, answer = await api.call("POST", path.format(uuid4()), body)
    assert (code, bool(answer["error"]["message"])) == (status, True)


async def test_two_who_give_the_same_new_name_at_once_mean_one_person(api, scene) -> None:
    shown = [one["identity_id"] for one in await identities(api)]
    wanted = [("/identities/{}/name", {"name": spelled}) for spelled in ("Zo\u00eb", " ZOE\u0308 ")]
    answers = await asyncio.gather(
        *(api.call("POST", path.format(one), body) for one, (path, body) in zip(shown, wanted, strict=True))
    )
    assert [status for status, _ in answers] == [200, 200]
    assert len({person["person_id"] for _, person in answers}) == 1
    _, listed = await api.call("GET", "/persons")
    assert len(listed["persons"]) == 1


async def test_naming_what_is_not_there_leaves_nobody_behind(api, scene) -> None:
    nobody = str(uuid4())
    assert (await api.call("POST", f"/identities/{nobody}/name", {"name": "Eve"}))[0] == 404
    assert (await api.call("POST", "/tracks/name", {"local_track_ids": [nobody], "name": "Eve"}))[0] == 404
    assert (await api.call("GET", "/persons"))[1]["persons"] == []


async def test_a_name_that_cannot_be_read_is_refused_at_its_field(api, scene) -> None:
    (one, _) = await identities(api)
    _, person = await api.call("POST", "/persons", {"name": "Eve"})
    for method, path in (
        ("POST", f"/identities/{one['identity_id']}/name"),
        ("POST", "/persons"),
        ("PATCH", f"/persons/{person['person_id']}"),
    ):
        for name in ("a\x1b[2Jb", "\u202eevE", "\u200b"):
            status, refused = await api.call(method, path, {"name": name})
            assert (status, refused["error"]["field"]) == (400, "name")
