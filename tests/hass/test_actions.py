"""Actions about people and recordings: what they ask the backend for, what they answer, how they refuse."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import voluptuous as vol
from aiohttp import web
from aiohttp.test_utils import TestServer
from contract_server import AT, PICTURE, TRACK, WORD, ContractServer, person, visit
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

ALICE, BOB = str(UUID(int=1)), str(UUID(int=2))
IDENTITY = str(UUID(int=22))


async def call(hass: HomeAssistant, action: str, *, answers: bool = False, **data: Any) -> Any:
    return await hass.services.async_call("marengocam", action, data, blocking=True, return_response=answers)


def said(server: ContractServer) -> list[tuple[str, Any]]:
    return [(path, body) for method, path, body in server.asked if method in ("POST", "DELETE", "PATCH")]


async def test_a_stranger_of_an_event_gets_the_name_with_all_visits(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    number = server.event("person_unknown", person_id=None, person_name=None)["number"]
    server.persons.append(person("Dave", 3))
    answer = await call(hass, "name_person", answers=True, event_number=number, name=" dave ")
    assert answer == {"person_id": str(UUID(int=3)), "person": "Dave"}
    assert said(server) == [(f"/identities/{IDENTITY}/name", {"name": "dave"})]


async def test_a_passage_that_was_taken_for_somebody_is_named_alone(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    number = server.event("person_confirmed")["number"]
    await call(hass, "name_person", event_number=number, name="Dave")
    answer = await call(hass, "name_person", answers=True, local_track_id=TRACK, name="alice")
    assert answer == {"person_id": ALICE, "person": "Alice"}, "who is known keeps their way of writing"
    await call(hass, "name_person", identity_id=IDENTITY, name="Dave")
    alone = {"local_track_ids": [TRACK]}
    assert said(server) == [
        ("/tracks/name", alone | {"name": "Dave"}),
        ("/tracks/name", alone | {"name": "alice"}),
        (f"/identities/{IDENTITY}/name", {"name": "Dave"}),
    ]


@pytest.mark.parametrize(
    ("words", "path", "body"),
    [
        ({}, f"/identities/{IDENTITY}/deny", {"person_id": ALICE, "local_track_ids": [TRACK]}),
        ({"name": "Bob"}, "/tracks/name", {"local_track_ids": [TRACK], "name": "Bob"}),
        ({"right": True}, "/tracks/confirm", {"local_track_ids": [TRACK]}),
    ],
)
async def test_an_event_is_corrected_or_confirmed(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    words: dict[str, Any],
    path: str,
    body: dict[str, Any],
) -> None:
    number = server.event("person_confirmed")["number"]
    answer = await call(hass, "correct_event", answers=True, event_number=number, **words)
    assert answer == {"word_id": WORD, "summary": "Said."}
    assert said(server) == [(path, body)]


async def test_what_cannot_be_corrected_is_refused_with_a_reason(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    nobody = server.event("person_unknown", person_id=None, person_name=None)["number"]
    camera = server.event("camera_offline", local_track_id=None, person_id=None)["number"]
    for number, data, reason in (
        (nobody, {}, "names nobody"),
        (camera, {"name": "Bob"}, "not about somebody"),
        (99, {"name": "Bob"}, "no event 99"),
    ):
        with pytest.raises(ServiceValidationError, match=reason):
            await call(hass, "correct_event", event_number=number, **data)
    with pytest.raises(vol.Invalid):
        await call(hass, "correct_event", event_number=nobody, name="Bob", right=True)
    assert said(server) == []


async def test_persons_are_merged_and_forgotten_by_name(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.persons.append(person("Bob", 2))
    await loaded.runtime_data.coordinator.async_refresh()
    merged = await call(hass, "merge_persons", answers=True, person="bob", into="ALICE")
    assert merged == {"word_id": WORD, "summary": "Said."}
    forgotten = await call(hass, "forget_person", answers=True, person=BOB)
    assert forgotten == {"person_id": BOB, "person": "Bob"}
    assert said(server) == [(f"/persons/{BOB}/merge", {"into": ALICE}), (f"/persons/{BOB}", None)]
    with pytest.raises(ServiceValidationError, match="Carol is not a person"):
        await call(hass, "forget_person", person="Carol")


async def test_a_search_tells_names_ways_and_pictures(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    path = [{"camera_id": one, "from_at": AT, "to_at": AT} for one in ("yard", "gone")]
    server.visits = [visit(path=path), visit(32, person_id=BOB, person_name="Bob")]
    answer = await call(
        hass, "search", answers=True, person="alice", camera_id="yard", unknown=True, limit=7,
        **{"from": "2026-11-24 00:00:00+00:00", "to": "2026-11-24 23:00:00+00:00"},
    )  # fmt: skip
    (told,) = answer["visits"]
    assert told["person"] == "Alice"
    assert [(stop["camera_id"], stop["camera"]) for stop in told["path"]] == [("yard", "Back yard"), ("gone", "gone")]
    assert told["picture"] == f"/api/marengocam/{loaded.entry_id}/track/{TRACK}.jpg"
    asked = next(query for where, query in server.queries if where == "/visits")
    assert asked == {
        "person_id": ALICE,
        "camera_id": "yard",
        "from_at": "2026-11-24T00:00:00Z",
        "to_at": "2026-11-24T23:00:00Z",
        "unknown": "true",
        "limit": "7",
    }
    with pytest.raises(ServiceValidationError, match="not a camera"):
        await call(hass, "search", answers=True, camera_id="cellar")


async def test_a_moment_is_marked(hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry) -> None:
    answer = await call(hass, "create_event", answers=True, entity_id="camera.front_door", label="The bell rang")
    await call(hass, "create_event", label="Noon", at="2026-11-24 12:00:00+00:00")
    assert answer == {"event_number": 1, "occurred_at": AT}
    assert said(server) == [
        ("/events", {"label": "The bell rang", "camera_id": "front", "at": None}),
        ("/events", {"label": "Noon", "camera_id": None, "at": "2026-11-24T12:00:00Z"}),
    ]


async def test_when_a_camera_is_recorded_is_set(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    answer = await call(hass, "set_recording", answers=True, camera_id="front", mode="person", pre_roll_s=8)
    assert answer == {"mode": "person", "pre_roll_s": 8.0, "post_roll_s": 10.0}
    change = {"recording": {"mode": "person", "pre_roll_s": 8.0, "post_roll_s": 10.0, "sound": True}}
    assert said(server) == [("/cameras/front", change)]
    assert hass.states.get("select.front_door_recording_mode").state == "person"


async def test_a_clip_is_kept_as_a_whole_or_not_at_all(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, tmp_path: Path
) -> None:
    hass.config.media_dirs = {"local": str(tmp_path)}
    span = {"from": "2026-11-24 10:15:00+00:00", "to": "2026-11-24 10:16:00+00:00"}
    answer = await call(hass, "export_clip", answers=True, entity_id="camera.front_door", **span)
    assert Path(answer["path"]).read_bytes() == server.clip
    assert answer["size_bytes"] == len(server.clip)
    server.refuse("/cameras/front/clip.mp4", 404, "not_found", "Nothing was recorded then.")
    with pytest.raises(ServiceValidationError, match="Nothing was recorded"):
        await call(hass, "export_clip", entity_id="camera.front_door", **span)
    assert [one.name for one in (tmp_path / "marengocam").iterdir()] == [Path(answer["path"]).name]
    with pytest.raises(ServiceValidationError, match="begin before it ends"):
        await call(hass, "export_clip", entity_id="camera.front_door", **{"from": span["to"], "to": span["from"]})


async def test_a_media_folder_that_is_missing_or_full_is_told(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, tmp_path: Path
) -> None:
    hass.config.media_dirs = {}
    with pytest.raises(ServiceValidationError, match="no local media folder"):
        await call(hass, "snapshot", camera_id="front")
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    hass.config.media_dirs = {"local": str(blocked)}
    with pytest.raises(HomeAssistantError, match="cannot be written"):
        await call(hass, "snapshot", camera_id="front")
    hass.config.media_dirs = {"local": str(tmp_path)}
    with pytest.raises(ServiceValidationError, match="file name"):
        await call(hass, "snapshot", camera_id="front", filename="...")


async def test_a_face_is_enrolled_from_the_picture_of_an_entity(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    answer = await call(hass, "enroll_person", answers=True, name="alice", entity_id="camera.front_door")
    assert answer == {"person_id": ALICE, "person": "Alice"}
    assert server.enrolled == [(ALICE, PICTURE)]
    assert [path for path, _ in said(server)] == [f"/persons/{ALICE}/faces"], "no second Alice"


async def test_a_face_is_enrolled_from_the_media_folder(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, tmp_path: Path
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    hass.config.media_dirs = {"local": str(tmp_path)}
    (tmp_path / "dave.jpg").write_bytes(PICTURE)
    media = {"media_content_id": "media-source://media_source/local/dave.jpg", "media_content_type": "image/jpeg"}
    await call(hass, "enroll_person", name="Dave", media=media)
    assert server.enrolled == [(server.persons[1]["person_id"], PICTURE)]
    assert server.persons[1]["name"] == "Dave"
    for wrong in (
        "media-source://media_source/local/../../etc/passwd",
        "media-source://media_source/local/nobody.jpg",
        "media-source://radio_browser/x",
        "http://127.0.0.1/x.jpg",
    ):
        with pytest.raises(ServiceValidationError):
            await call(hass, "enroll_person", name="Eve", media={"media_content_id": wrong})
    assert len(server.persons) == 2


async def test_a_picture_without_a_face_leaves_no_person_behind(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.faceless = True
    with pytest.raises(ServiceValidationError, match="No face"):
        await call(hass, "enroll_person", name="Dave", entity_id="camera.front_door")
    assert [one["name"] for one in server.persons] == ["Alice"]
    with pytest.raises(ServiceValidationError, match="No face"):
        await call(hass, "enroll_person", name="Alice", entity_id="camera.front_door")
    assert [one["name"] for one in server.persons] == ["Alice"], "whom we know stays"


@pytest.mark.parametrize("picture", [None, "https://example.org/x.jpg", "//example.org/x.jpg"])
async def test_pictures_elsewhere_are_not_fetched(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, picture: str | None
) -> None:
    hass.states.async_set("person.eve", "home", {"entity_picture": picture} if picture else {})
    with pytest.raises(ServiceValidationError, match=r"person\.eve has no picture"):
        await call(hass, "enroll_person", name="Eve", entity_id="person.eve")


async def test_with_two_backends_it_must_be_said_which(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    second = ContractServer(info={"installation_id": str(UUID(int=99))})
    await second.start()
    other = MockConfigEntry(
        domain="marengocam",
        unique_id=str(UUID(int=99)),
        data={"address": second.address, "token": second.token},
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done()
    with pytest.raises(ServiceValidationError, match="several MarengoCam backends"):
        await call(hass, "create_event", label="x")
    await call(hass, "create_event", label="x", config_entry_id=other.entry_id)
    assert [path for path, _ in said(second)] == ["/events"]
    assert await hass.config_entries.async_unload(other.entry_id)
    with pytest.raises(ServiceValidationError, match="not set up"):
        await call(hass, "create_event", label="x", config_entry_id=other.entry_id)
    await second.stop()


@pytest.fixture
async def own_address(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> None:
    """Have Home Assistant know where it serves itself."""
    served = await hass_client()
    hass.config.internal_url = str(served.make_url("/")).rstrip("/")


async def test_a_face_is_enrolled_from_the_picture_of_an_image(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, own_address: None
) -> None:
    server.cameras[0] |= {"last_person_at": AT, "last_person_track_id": TRACK}
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    await call(hass, "enroll_person", name="Alice", entity_id="image.front_door_last_person")
    assert server.enrolled == [(ALICE, PICTURE)]


async def test_a_picture_that_home_assistant_does_not_have_or_that_is_too_large_is_refused(
    hass: HomeAssistant, loaded: MockConfigEntry, own_address: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hass.states.async_set("person.eve", "home", {"entity_picture": "/local/eve.jpg"})
    with pytest.raises(ServiceValidationError, match="no picture"):
        await call(hass, "enroll_person", name="Eve", entity_id="person.eve")
    with pytest.raises(ServiceValidationError, match="no picture"):
        await call(hass, "enroll_person", name="Eve", entity_id="person.nobody")
    monkeypatch.setattr("custom_components.marengocam.services.pictures.LARGEST_BYTES", 3)
    assert await async_setup_component(hass, "media_source", {})
    hass.config.media_dirs = {"local": str(tmp_path)}
    (tmp_path / "eve.jpg").write_bytes(PICTURE)
    media = {"media_content_id": "media-source://media_source/local/eve.jpg"}
    with pytest.raises(ServiceValidationError, match="larger than 8 MB"):
        await call(hass, "enroll_person", name="Eve", media=media)


async def test_a_picture_is_not_fetched_from_where_home_assistant_sends_on_and_a_broken_connection_is_told(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    async def send_on(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere.jpg")

    async def elsewhere(_request: web.Request) -> web.Response:
        return web.Response(body=PICTURE)

    async def break_off(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    app = web.Application()
    app.router.add_get("/sent_on.jpg", send_on)
    app.router.add_get("/elsewhere.jpg", elsewhere)
    app.router.add_get("/broken.jpg", break_off)
    async with TestServer(app) as home:
        hass.config.internal_url = str(home.make_url("/")).rstrip("/")
        for path in ("/sent_on.jpg", "/broken.jpg"):
            hass.states.async_set("person.eve", "home", {"entity_picture": path})
            with pytest.raises(ServiceValidationError, match="no picture"):
                await call(hass, "enroll_person", name="Eve", entity_id="person.eve")


async def test_a_camera_that_has_no_picture_enrols_nobody(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.picture = None
    with pytest.raises(ServiceValidationError, match="no picture"):
        await call(hass, "enroll_person", name="Eve", entity_id="camera.front_door")
    assert [one["name"] for one in server.persons] == ["Alice"]
