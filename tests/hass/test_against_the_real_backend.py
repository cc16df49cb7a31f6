"""The real client and integration against the real database and web service, in processes of their own."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from custom_components.marengocam.client import (
    Camera,
    Chunk,
    Event,
    FoundCamera,
    Gap,
    Health,
    Info,
    InvalidTokenError,
    MarengoCamClient,
    Person,
    Preferences,
    Probe,
    Recording,
    Replay,
    ReplayDifference,
    ServiceHealth,
    Stop,
    Storage,
    Streams,
    Survival,
    Visit,
    Word,
    Zone,
)
from custom_components.marengocam.zones import ZONE_ENTITIES
from homeassistant.components.camera import async_get_image, async_get_stream_source
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import Event as BusEvent
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from real_backend import RealBackend

from conftest import Until


@pytest.fixture(scope="module")
def backend() -> Iterator[RealBackend]:
    """One backend for this file: starting a database takes a second."""
    backend = RealBackend.start()
    for camera_id, name in (("front", "Front door"), ("yard", "Back yard")):
        backend.call(
            "POST", "/cameras", {"camera_id": camera_id, "name": name, "main_url": f"rtsp://127.0.0.1:1/{camera_id}"}
        )
    yield backend
    backend.stop()


@pytest.fixture
async def connected(hass: HomeAssistant, backend: RealBackend, until: Until) -> AsyncIterator[ConfigEntry]:
    """Return an entry made by the config flow, following the event stream."""
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_USER})
    values = {"address": backend.address, "token": backend.token}
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], values)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    entry: ConfigEntry = result["result"]
    await until(lambda: entry.runtime_data.feed.connected)
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
def heard(hass: HomeAssistant) -> list[BusEvent]:
    heard: list[BusEvent] = []

    @callback  # what is no callback runs in threads, in any order
    def hear(event: BusEvent) -> None:
        if event.event_type.startswith("marengocam_"):
            heard.append(event)

    hass.bus.async_listen("*", hear)
    return heard


@pytest.fixture
async def client(backend: RealBackend) -> AsyncIterator[MarengoCamClient]:
    async with aiohttp.ClientSession() as session:
        yield MarengoCamClient(session, backend.address, backend.token)


async def test_every_answer_is_understood(backend: RealBackend, client: MarengoCamClient) -> None:
    backend.call(
        "PUT",
        "/cameras/front/zones",
        {"zones": [{"name": "Path", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]}]},
    )
    backend.do("event", type="person_detected", camera_id="front", data={"label": "person"})
    info = await client.info()
    assert info.api_version == 1
    front = next(camera for camera in await client.cameras() if camera.camera_id == "front")
    assert [zone.name for zone in front.zones] == ["Path"]
    await client.persons()
    assert any(service.service == "web" for service in (await client.health()).services)
    page = await client.events(after=0)
    assert page.last_number == page.events[-1].number
    assert page.events[-1].camera_name == "Front door"


async def test_a_wrong_token_is_refused_on_both_ways_in(backend: RealBackend) -> None:
    async with aiohttp.ClientSession() as session:
        stranger = MarengoCamClient(session, backend.address, "mc_" + "x" * 43)
        with pytest.raises(InvalidTokenError):
            await stranger.info()
        with pytest.raises(InvalidTokenError):
            async with stranger.event_socket(0):
                pytest.fail("this token is unknown")


async def test_cameras_and_persons_come_and_go_without_waiting_for_the_poll(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    backend.do("status", camera_id="front", state="online")
    backend.do("event", type="camera_online", camera_id="front")
    await until(lambda: hass.states.get("binary_sensor.front_door_connection").state == "on")
    backend.call("POST", "/cameras", {"camera_id": "shed", "name": "Shed", "main_url": "rtsp://127.0.0.1:1/shed"})
    await until(lambda: hass.states.get("binary_sensor.shed_connection"))
    backend.call("PATCH", "/cameras/shed", {"name": "Workshop"})
    person = backend.call("POST", "/persons", {"name": "Alice"})
    await until(lambda: hass.states.get("sensor.alice_last_seen"))
    backend.call("DELETE", "/cameras/shed")
    backend.call("DELETE", f"/persons/{person['person_id']}")
    await until(
        lambda: not hass.states.get("binary_sensor.shed_connection") and not hass.states.get("sensor.alice_last_seen")
    )


async def test_an_open_track_shows_as_somebody_present(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    backend.do("status", camera_id="yard", state="online")
    track = backend.do("track", camera_id="yard", open=True)
    await until(lambda: hass.states.get("binary_sensor.back_yard_person_present").state == "on")
    backend.do("track", camera_id="yard", open=False, track_id=track)
    await until(lambda: hass.states.get("binary_sensor.back_yard_person_present").state == "off")


async def test_the_owner_chooses_which_zones_have_entities_and_sees_it_at_once(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    corners = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]

    def draw(*names: str) -> None:
        backend.call("PUT", "/cameras/yard/zones", {"zones": [{"name": name, "polygon": corners} for name in names]})

    def shown() -> set[str]:
        ours = er.async_entries_for_config_entry(er.async_get(hass), connected.entry_id)
        return {one.entity_id for one in ours if one.translation_key in ZONE_ENTITIES and "back_yard" in one.entity_id}

    def entities_of(*names: str) -> set[str]:
        return {f"binary_sensor.back_yard_{name}_occupied" for name in names} | {
            f"sensor.back_yard_people_in_{name}" for name in names
        }

    async def choose(*names: str) -> None:
        flow = await hass.config_entries.options.async_init(connected.entry_id)
        for step in ({"next_step_id": "edit_camera"}, {"camera": "yard"}):
            flow = await hass.config_entries.options.async_configure(flow["flow_id"], step)
        (key,) = (key for key in flow["data_schema"].schema if key == "zones")
        offered = {one["label"]: one["value"] for one in flow["data_schema"].schema[key].config["options"]}
        values = {"name": "Back yard", "main_url": "rtsp://127.0.0.1:1/yard", "untested": False}
        values["zones"] = [offered[name] for name in names]
        done = await hass.config_entries.options.async_configure(flow["flow_id"], values)
        assert done["type"] is FlowResultType.CREATE_ENTRY, done
        await hass.async_block_till_done()

    runtime = connected.runtime_data
    draw("Lawn", "Pond")
    await until(lambda: shown() == entities_of("lawn", "pond"))
    draw("Lawn", "Pond", "Gate")
    await until(lambda: shown() == entities_of("lawn", "pond", "gate"))
    await choose("Lawn", "Gate")
    assert shown() == entities_of("lawn", "gate"), "what was not chosen is gone at once"
    assert hass.states.get("binary_sensor.back_yard_pond_occupied") is None
    draw("Lawn", "Pond", "Gate", "Swing")
    await until(lambda: len(runtime.coordinator.data.cameras["yard"].zones) == 4)
    await hass.async_block_till_done()
    assert shown() == entities_of("lawn", "gate"), "the owner has chosen: what is new stays out"
    await choose()
    assert shown() == set()
    await choose("Lawn", "Pond", "Gate", "Swing")
    assert hass.states.get("binary_sensor.back_yard_swing_occupied").state == "off"
    draw("Lawn", "Bench")
    await until(lambda: shown() == entities_of("lawn", "bench"))
    assert connected.runtime_data is runtime, "nothing was loaded again for it"
    draw()
    await until(lambda: shown() == set())


async def test_events_reach_the_bus_late_ones_apart(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, heard: list[BusEvent], until: Until
) -> None:
    person = backend.call("POST", "/persons", {"name": "Bob"})
    common = {"camera_id": "front", "person_id": person["person_id"], "person_name": "Bob", "probability": 0.98}
    now = backend.do("event", type="person_confirmed", zones=["Path"], **common)
    old = backend.do("event", type="person_confirmed", ago_s=120, **common)
    await until(lambda: len(heard) >= 2)
    assert [event.event_type for event in heard] == ["marengocam_person_confirmed", "marengocam_late_event"]
    assert [event.data["event_number"] for event in heard] == [now, old]
    assert heard[0].data["person"] == "Bob"
    assert heard[0].data["zones"] == ["Path"]
    assert heard[0].data["entity_id"] == "camera.front_door"
    assert hass.states.get("event.front_door_person").attributes["event_number"] == now
    backend.call("DELETE", f"/persons/{person['person_id']}")


async def test_a_web_service_that_is_killed_again_and_again_loses_no_event_and_tells_none_twice(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, heard: list[BusEvent], until: Until
) -> None:
    numbers: list[int] = []
    for _ in range(2):
        numbers.append(backend.do("event", type="person_unknown", camera_id="front"))
        backend.do("kill_web")
        numbers.extend(backend.do("event", type="person_unknown", camera_id="front") for _ in range(3))
        await asyncio.to_thread(backend.do, "start_web")
        await until(lambda: len(heard) >= len(numbers))
    assert [event.data["event_number"] for event in heard] == numbers
    await until(lambda: hass.states.get("sensor.marengocam_status").state != "unavailable")


async def test_home_assistant_away_for_a_while_loses_no_event(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, heard: list[BusEvent], until: Until
) -> None:
    numbers: list[int] = []
    for _ in range(5):
        assert await hass.config_entries.async_unload(connected.entry_id)
        numbers.extend(backend.do("event", type="person_unknown", camera_id="front") for _ in range(2))
        assert await hass.config_entries.async_setup(connected.entry_id)
        await until(lambda: len(heard) >= len(numbers))
    assert [event.data["event_number"] for event in heard] == numbers


async def test_pictures_and_streams_come_from_the_backend(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    backend.do("status", camera_id="front", state="online", recording=1)
    backend.do("event", type="camera_online", camera_id="front")
    await until(lambda: hass.states.get("camera.front_door").state == "recording")
    picture = bytes.fromhex(backend.do("picture", camera_id="front"))
    assert (await async_get_image(hass, "camera.front_door")).content == picture
    source = await async_get_stream_source(hass, "camera.front_door")
    assert source.startswith(f"{backend.address}/api/v1/media/")
    assert backend.token not in source
    live = await connected.runtime_data.client.live_stream("front")
    assert live.expires_at > dt_util.utcnow() + timedelta(minutes=5)
    async with aiohttp.ClientSession() as browser:
        async with browser.get(source) as answer:
            assert answer.status == 404, "nothing is being recorded"
        async with browser.get(source.replace("signature=", "signature=0")) as answer:
            assert answer.status in (401, 403), "the signature counts"


async def test_a_replay_of_what_was_recorded_is_accepted_and_of_nothing_refused(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry
) -> None:
    with pytest.raises(ServiceValidationError, match="Nothing was recorded"):
        await hass.services.async_call(
            "marengocam",
            "replay",
            {"camera_id": "front", "from": "2020-11-24T10:15:00+00:00", "to": "2020-11-24T10:20:00+00:00"},
            blocking=True,
            return_response=True,
        )
    backend.do("chunk", camera_id="front", at="2026-11-24T10:16:00+00:00")
    stretch = {"from": "2026-11-24T10:15:00+00:00", "to": "2026-11-24T10:20:00+00:00"}
    response = await hass.services.async_call(
        "marengocam", "replay", {"camera_id": "front", **stretch}, blocking=True, return_response=True
    )
    run = backend.call("GET", f"/replays/{response['run_id']}")
    assert (run["camera_id"], run["state"]) == ("front", "requested")


async def test_a_revoked_token_asks_for_a_new_one(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    backend.do("revoke_all")

    def asked_for() -> list[Any]:
        # The backend remembers a token for a few seconds.
        connected.runtime_data.coordinator.hurry()
        return hass.config_entries.flow.async_progress_by_handler("marengocam")

    await until(asked_for)
    (flow,) = hass.config_entries.flow.async_progress_by_handler("marengocam")
    backend.token = backend.do("token", scopes=["read", "write"])
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], {"token": backend.token})
    assert done["reason"] == "reauth_successful"
    await hass.async_block_till_done()
    await until(lambda: connected.state is ConfigEntryState.LOADED and connected.runtime_data.feed.connected)


@pytest.mark.parametrize(
    "model",
    [
        Camera, Chunk, Event, FoundCamera, Gap, Health, Info, Person, Preferences, Probe, Recording, Replay,
        ReplayDifference,        ServiceHealth, Stop, Storage, Streams, Survival, Visit, Word, Zone,
    ],
)  # fmt: skip
def test_every_field_that_the_client_reads_is_in_the_api_document(backend: RealBackend, model: type[Any]) -> None:
    schemas = backend.call("GET", "/openapi.json")["components"]["schemas"]
    needed = {field.name for field in fields(model)}
    matching = [name for name, schema in schemas.items() if needed <= set(schema.get("properties", {}))]
    assert matching, f"{model.__name__} needs {sorted(needed)}; the document has {json.dumps(sorted(schemas))}"
