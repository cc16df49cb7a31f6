"""The API's answers on a real hub."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from uuid import uuid4

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.http_camera import http_server, mjpeg_app
from tests.support.web_app import serving_api

from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import CameraState, EventType, LocalTrack, NewEvent, PathPoint
from marengocam.db.cameras import CameraStatus
from marengocam.db.persons import Persons
from marengocam.media.names import picture_path
from marengocam.media.store import Store
from marengocam.vision.crops import to_jpeg

CAMERA = {"name": "Front door", "main_url": "rtsp://10.0.0.9/main"}


async def _track(hub, now, camera_id="front_door"):
    lease = await hub.leases.acquire(f"camera:{camera_id}", "test", 30)
    track = LocalTrack(
        new_id(now), camera_id, "person", now - timedelta(seconds=3), now, True, 0.9, 9,
        path=(PathPoint(now, Box(0.1, 0.1, 0.3, 0.9), 0.9),), crop_path=PurePosixPath("pictures/front_door/x.jpg"),
    )  # fmt: skip
    await hub.tracks.save([track], {camera_id: lease.fence})
    return track


@pytest.mark.parametrize("ahead_s", [-60, 60])
async def test_a_camera_is_shown_as_it_is_though_the_clock_of_its_host_is_wrong(hub, hub_settings, ahead_s):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        there = api.context.clock.now() + timedelta(seconds=ahead_s)
        await hub.cameras.write_status(CameraStatus("front_door", CameraState.ONLINE, "", there, there, there))
        assert (await api.call("GET", "/cameras/front_door"))[1]["state"] == "online"
        async with hub.database.connection() as connection:
            await connection.execute("UPDATE camera_status SET updated_at = now() - interval '60 s'")
        _, camera = await api.call("GET", "/cameras/front_door")
        assert camera["state"] == "offline"
        assert "No ingest process" in camera["reason"]


async def test_a_camera_is_added_changed_and_removed_and_its_password_never_shown(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        wanted = CAMERA | {"main_url": "rtsp://owner:s3cret%40x@10.0.0.9:8554/main?channel=1"}
        status, made = await api.call("POST", "/cameras", wanted)
        assert status == 201
        assert made["main_url"] == "rtsp://10.0.0.9:8554/main?channel=1"
        assert (made["username"], made["has_password"]) == ("owner", True)
        assert "s3cret" not in json.dumps(made)
        assert (await hub.cameras.get("front_door")).password.reveal() == "s3cret@x"
        status, made = await api.call("PATCH", "/cameras/front_door", {"name": "Porch", "enabled": False})
        assert (made["name"], made["state"], made["has_password"]) == ("Porch", "disabled", True)
        zone = {"name": "path", "polygon": [[0, 0], [1, 0], [1, 1]]}
        status, made = await api.call("PUT", "/cameras/front_door/zones", {"zones": [zone]})
        assert made["zones"][0]["name"] == "path"
        for clash in ({"name": "porch"}, {"camera_id": "front_door"}):
            status, answer = await api.call("POST", "/cameras", CAMERA | clash)
            assert (status, answer["error"]["code"]) == (409, "conflict")
        assert (await api.call("DELETE", "/cameras/front_door"))[0] == 204
        assert (await api.call("GET", "/cameras/front_door"))[0] == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "A"}, None),
        ({"name": "", "main_url": "rtsp://h/x"}, "name"),
        ({"name": "A", "main_url": "gopher://h/x"}, "main_url"),
        ({"name": "A", "main_url": "file:///etc/passwd"}, None),
        ({"name": "A", "main_url": "rtsp://h/x", "pasword": "typo"}, None),
        ({"name": "A", "main_url": "rtsp://h:99999/x"}, "main_url"),
    ],
)
async def test_what_a_camera_cannot_be_is_refused_with_a_reason(hub, hub_settings, body, field):
    async with serving_api(hub, hub_settings) as api:
        status, answer = await api.call("POST", "/cameras", body)
        assert (status, answer["error"]["code"]) == (400, "bad_input")
        assert answer["error"]["message"]
        if field:
            assert answer["error"]["field"] == field
        assert await hub.cameras.list() == []


async def test_an_unreachable_camera_is_told_by_a_probe(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        status, answer = await api.call("POST", "/cameras/probe", {"main_url": "rtsp://me:pw12345@127.0.0.1:1/x"})
        assert status == 400
        assert "refused" in answer["error"]["message"]
        assert "pw12345" not in json.dumps(answer)


async def test_a_camera_that_is_added_is_tried_with_the_login_that_is_kept(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api, http_server(mjpeg_app(10, "owner:s3cret")) as address:
        login = {"username": "owner", "password": "s3cret"}
        camera = {"camera_id": "door", "name": "Door", "main_url": f"{address}/video", **login}
        assert (await api.call("POST", "/cameras", camera))[0] == 201
        status, told = await api.call("POST", "/cameras/door/probe")
        assert (status, told["main"]["width_px"], told["sub"]) == (200, 192, None), told
        await api.call("PATCH", "/cameras/door", {"sub_url": "rtsp://127.0.0.1:1/x"})
        status, told = await api.call("POST", "/cameras/door/probe")
        assert (status, told["error"]["field"]) == (400, "sub_url")
        await api.call("PATCH", "/cameras/door", {"password": "wr0ng"})
        status, told = await api.call("POST", "/cameras/door/probe")
        assert (status, told["error"]["field"]) == (400, "main_url")
        assert "wr0ng" not in json.dumps(told)
        assert (await api.call("POST", "/cameras/nowhere/probe"))[0] == 404


async def test_a_stranger_is_named_and_becomes_a_person(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        await api.call("POST", "/cameras", CAMERA)
        track = await _track(hub, now)
        identity_id = new_id(now)
        async with hub.database.connection() as connection:
            await connection.execute("INSERT INTO identity VALUES ($1, NULL, $2, $2, $2)", identity_id, now)
            await connection.execute(
                "INSERT INTO assignment VALUES ($1, $2, 0.8, 1.0, '{}', 'resolver', $3)",
                track.local_track_id, identity_id, now,
            )  # fmt: skip
        status, answer = await api.call("GET", "/identities?unknown=true")
        assert [one["identity_id"] for one in answer["identities"]] == [str(identity_id)]
        status, person = await api.call("POST", f"/identities/{identity_id}/name", {"name": " Alice "})
        assert (status, person["name"], person["last_seen_camera_name"]) == (200, "Alice", "Front door")
        assert person["present"]
        status, detail = await api.call("GET", f"/tracks/{track.local_track_id}")
        assert (detail["person_name"], detail["decided_by"]) == ("Alice", "human")
        assert detail["path"][0]["box"] == [0.1, 0.1, 0.3, 0.9]
        status, answer = await api.call("GET", "/tracks?limit=1")
        status, following = await api.call("GET", f"/tracks?limit=1&before={answer['next']}")
        assert following["tracks"] == []


async def test_persons_have_one_name_each(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, alice = await api.call("POST", "/persons", {"name": "Alice"})
        assert (await api.call("POST", "/persons", {"name": "alice "}))[0] == 409
        assert (await api.call("PATCH", f"/persons/{alice['person_id']}", {"name": "Alicia"}))[1]["name"] == "Alicia"
        assert (await api.call("DELETE", f"/persons/{alice['person_id']}"))[0] == 204
        assert (await api.call("GET", "/persons"))[1] == {"persons": []}


async def test_a_face_needs_an_engine_and_a_real_picture(hub, hub_settings):
    nobody = replace(hub_settings, face_url="http://127.0.0.1:1")
    async with serving_api(hub, nobody) as api:
        _, alice = await api.call("POST", "/persons", {"name": "Alice"})
        path = f"/persons/{alice['person_id']}/faces"
        status, answer = await api.call("POST", path, {"picture": "no"})
        assert (status, answer["error"]["field"]) == (400, "picture")
        headers = {"Authorization": f"Bearer {api.token}"}
        real = cv2.imencode(".jpg", np.zeros((60, 60, 3), np.uint8))[1].tobytes()
        for content, wanted in ((b"GIF89a", 400), (b"\xff\xd8\xff" + bytes(100), 400), (real, 503)):
            async with api.session.post(
                f"{api.address}/api/v1{path}", data={"picture": content_file(content)}, headers=headers
            ) as reply:
                assert reply.status == wanted
                assert (await reply.json())["error"]["message"]
        assert await Persons(hub.database).exemplars() == []


def content_file(content):
    return io.BytesIO(content)


async def test_events_are_listed_in_both_directions(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        now = api.context.clock.now()
        for minutes in (2, 1, 0):
            at = now - timedelta(minutes=minutes)
            await hub.events.append([NewEvent(new_id(at), EventType.CAMERA_ONLINE, at, camera_id="x")])
        _, forward = await api.call("GET", "/events?after=1&limit=10")
        assert [event["number"] for event in forward["events"]] == [2, 3]
        assert [event["late"] for event in forward["events"]] == [True, False]
        _, newest = await api.call("GET", "/events?limit=1")
        assert (newest["events"][0]["number"], newest["last_number"]) == (3, 3)
        assert (await api.call("GET", "/events?type=nonsense"))[0] == 400


async def test_replays_are_asked_for_only_where_something_was_recorded(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        body = {"camera_id": "front", "from_at": "2026-01-01T00:00:00Z", "to_at": "2026-01-01T01:00:00Z"}
        status, answer = await api.call("POST", "/replays", body)
        assert status == 400
        assert "recorded" in answer["error"]["message"]
        status, answer = await api.call("POST", "/replays", body | {"from_at": "2026-01-01T00:00:00"})
        assert answer["error"]["field"] == "from_at"


async def test_health_tells_when_a_needed_service_is_missing(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, health = await api.call("GET", "/health")
        assert health["status"] == "failing"
        for service in ("ingest", "resolver", "janitor"):
            await hub.health.beat(service, "1", "ok", "", api.context.clock.now(), {})
        _, health = await api.call("GET", "/health")
        assert health["status"] == "ok"
        assert health["storage"]["total_bytes"] > 0


async def test_tokens_are_made_for_others(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, token = await api.call("POST", "/tokens", {"name": "phone", "scopes": ["read"]})
        assert (await api.with_token(token["token"]).call("GET", "/cameras"))[0] == 200


async def test_the_document_describes_every_route_and_answer(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        _, document = await api.call("GET", "/openapi.json")
        assert document["openapi"].startswith("3.1")
        schemas = document["components"]["schemas"]
        text = json.dumps(document["paths"])
        for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
            assert name in schemas
        assert "CameraOut" in schemas
        assert document["paths"]["/api/v1/cameras"]["post"]["x-scope"] == "write"


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
BRANCHES = st.lists(LEAVES, max_size=4) | st.dictionaries(st.text(max_size=10), LEAVES, max_size=4)
JSON = LEAVES | BRANCHES | st.lists(BRANCHES, max_size=4) | st.dictionaries(st.text(max_size=10), BRANCHES, max_size=4)


async def test_no_body_whatever_makes_the_api_fail(hub, hub_settings):
    bodies = []

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), database=None)
    @given(st.one_of(JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=60)))
    def gather(body):
        bodies.append(body)

    gather()
    async with serving_api(hub, hub_settings) as api:
        headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
        for path in ("/cameras", "/persons", "/rules", "/replays"):
            for body in bodies:
                async with api.session.post(f"{api.address}/api/v1{path}", data=body, headers=headers) as answer:
                    assert answer.status < 500, (path, body)


async def test_a_hub_that_is_away_is_said_and_heals(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        assert (await api.call("GET", "/cameras"))[0] == 200

        def away():
            raise ConnectionRefusedError("the server is stopped")

        address, hub.database._address = hub.database._address, away
        await hub.database.close()
        status, answer = await api.call("GET", "/cameras")
        assert (status, answer["error"]["code"]) == (503, "hub_unavailable")
        hub.database._address = address
        assert (await api.call("GET", "/cameras"))[0] == 200


async def test_a_track_s_pictures_come_as_views_and_thumbnails(hub, hub_settings):
    store = Store(hub_settings.media_dir)
    picture = to_jpeg(np.full((400, 200, 3), 90, np.uint8))
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", {"name": "Front door", "main_url": "rtsp://camera.invalid/main"})
        lease = await hub.leases.acquire("camera:front_door", "test", 600)
        now = api.context.clock.now()
        paths = [picture_path("front_door", now, uuid4(), view=view) for view in range(2)]
        for path in paths:
            store.write_picture(path, picture)
        track_id = uuid4()
        seen = LocalTrack(
            track_id, "front_door", "person", now, now, open=True, score=0.9, observations=5, crop_path=paths[0],
            crop_paths=(paths[1],),
        )  # fmt: skip
        await hub.tracks.save([seen], {"front_door": lease.fence})
        assert (await api.call("GET", f"/tracks/{track_id}"))[1]["views"] == 1
        assert await api.call("GET", f"/tracks/{track_id}/crop.jpg") == (200, picture)
        _, small = await api.call("GET", f"/tracks/{track_id}/crop.jpg?view=1&width=50&format=webp")
        assert small[8:12] == b"WEBP"
        assert cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR).shape == (100, 50, 3)
        assert (await api.call("GET", f"/tracks/{track_id}/crop.jpg?view=2"))[0] == 404
        assert (await api.call("GET", f"/tracks/{track_id}/crop.jpg?format=bmp"))[1]["error"]["field"] == "format"
