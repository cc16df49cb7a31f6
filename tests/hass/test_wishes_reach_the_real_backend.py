"""What an owner does in Home Assistant is done by the real database and web service."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from real_backend import RealBackend

from conftest import Until

ADDRESS = "rtsp://127.0.0.1:1/front"


@pytest.fixture(scope="module")
def backend() -> Iterator[RealBackend]:
    backend = RealBackend.start()
    yield backend
    backend.stop()


@pytest.fixture
async def connected(hass: HomeAssistant, backend: RealBackend, until: Until) -> AsyncIterator[ConfigEntry]:
    backend.call("POST", "/cameras", {"camera_id": "front", "name": "Front door", "main_url": ADDRESS})
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_USER})
    values = {"address": backend.address, "token": backend.token}
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], values)
    entry: ConfigEntry = result["result"]
    await until(lambda: entry.runtime_data.feed.connected)
    yield entry
    await hass.config_entries.async_unload(entry.entry_id)
    backend.call("DELETE", "/cameras/front")


async def do(hass: HomeAssistant, entity_id: str, action: str, **data: Any) -> None:
    await hass.services.async_call(
        entity_id.split(".", maxsplit=1)[0], action, {"entity_id": entity_id, **data}, blocking=True
    )


async def call(hass: HomeAssistant, action: str, *, answers: bool = False, **data: Any) -> Any:
    return await hass.services.async_call("marengocam", action, data, blocking=True, return_response=answers)


def front(backend: RealBackend) -> dict[str, Any]:
    return backend.call("GET", "/cameras/front")


async def test_switches_are_the_backend_s_and_show_what_another_did(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    backend.call("PATCH", "/cameras/front", {"analysis": {"masks": [[[0, 0], [1, 0], [1, 1]]], "movement": False}})
    await until(lambda: connected.runtime_data.coordinator.data.cameras["front"].analysis["masks"])
    await do(hass, "switch.front_door_face_recognition", "turn_off")
    await do(hass, "switch.front_door_detection", "turn_off")
    await do(hass, "select.front_door_recording_mode", "select_option", option="off")
    told = front(backend)
    assert (told["detect"], told["recording"]["mode"], told["analysis"]["faces"]) == (False, "off", False)
    assert told["analysis"]["movement"] is False, "what was not touched is kept"
    assert len(told["analysis"]["masks"]) == 1
    with pytest.raises(ServiceValidationError, match="needs detection"):
        await do(hass, "select.front_door_recording_mode", "select_option", option="person")
    backend.call("PATCH", "/cameras/front", {"detect": True})
    await until(lambda: hass.states.get("switch.front_door_detection").state == "on")


async def test_privacy_and_certainty_hold_for_the_whole(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    await do(hass, "switch.marengocam_privacy_mode", "turn_on")
    assert front(backend)["state"] == "disabled"
    await until(lambda: hass.states.get("camera.front_door").state == "idle")
    await do(hass, "number.marengocam_certainty_for_names", "set_value", value=88)
    assert backend.call("GET", "/preferences") == {"privacy": True, "confirm_probability": 0.88}
    backend.call("PATCH", "/preferences", {"privacy": False, "confirm_probability": None})
    await until(lambda: hass.states.get("switch.marengocam_privacy_mode").state == "off")
    await until(lambda: hass.states.get("number.marengocam_certainty_for_names").state == "95.0")


async def test_a_marked_moment_comes_back_as_an_event(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    heard: list[Any] = []
    hass.bus.async_listen("marengocam_moment_marked", heard.append)
    answer = await call(hass, "create_event", answers=True, camera_id="front", label="The bell rang")
    await until(lambda: heard)
    (event,) = heard
    assert (event.data["event_number"], event.data["label"]) == (answer["event_number"], "The bell rang")
    assert event.data["entity_id"] == "camera.front_door"


async def test_a_passage_is_named_corrected_merged_and_forgotten(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    backend.do("status", camera_id="front", state="online")
    track = backend.do("track", camera_id="front", open=False)
    assert backend.do("decide") == 1
    await call(hass, "name_person", local_track_id=track, name="Alice")
    await until(lambda: hass.states.get("sensor.alice_last_seen"))
    (visit,) = (await call(hass, "search", answers=True, person="Alice"))["visits"]
    assert [stop["camera"] for stop in visit["path"]] == ["Front door"]
    common = {"camera_id": "front", "local_track_id": track, "identity_id": visit["identity_id"]}
    alice = {"person_id": visit["person_id"], "person_name": "Alice"}
    number = backend.do("event", type="person_confirmed", **common, **alice)
    await call(hass, "correct_event", event_number=number, name="Bob")
    assert (await call(hass, "search", answers=True, person="Alice"))["visits"] == []
    await until(lambda: hass.states.get("sensor.bob_last_seen"))
    await call(hass, "merge_persons", person="Bob", into="Alice")
    await until(lambda: not hass.states.get("sensor.bob_last_seen"))
    assert len((await call(hass, "search", answers=True, person="alice"))["visits"]) == 1
    await call(hass, "forget_person", person="Alice")
    await until(lambda: not hass.states.get("sensor.alice_last_seen"))
    assert backend.call("GET", "/persons")["persons"] == []


async def test_gaps_of_the_recording_are_counted(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    now = dt_util.utcnow()
    for ago_s in (600, 420, 60):
        backend.do("chunk", camera_id="front", at=(now - timedelta(seconds=ago_s)).isoformat())
    connected.runtime_data.coordinator._gaps_at = None
    await connected.runtime_data.coordinator.async_refresh()
    await until(lambda: hass.states.get("sensor.front_door_not_recorded_in_24_hours").state == "420")


async def test_a_camera_is_added_and_removed_by_the_forms(
    hass: HomeAssistant, backend: RealBackend, connected: ConfigEntry, until: Until
) -> None:
    async def form(*steps: str) -> Any:
        flow = await hass.config_entries.options.async_init(connected.entry_id)
        for step in steps:
            flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"next_step_id": step})
        return flow["flow_id"]

    values = {"name": "Garage", "main_url": "rtsp://127.0.0.1:1/garage", "username": "me", "password": "s3cret"}
    adding = await form("add_camera", "enter_camera")
    refused = await hass.config_entries.options.async_configure(adding, {**values, "untested": False})
    assert refused["errors"] == {"main_url": "refused"}, "nothing answers there"
    assert "s3cret" not in str(refused["description_placeholders"])
    await hass.config_entries.options.async_configure(adding, {**values, "untested": True})
    await until(lambda: hass.states.get("binary_sensor.garage_connection"))
    assert backend.call("GET", "/cameras/garage")["has_password"]
    trying = await form("test_camera")
    refused = await hass.config_entries.options.async_configure(trying, {"camera": "garage"})
    assert refused["errors"] == {"camera": "refused"}, "still nothing answers there"
    assert "s3cret" not in str(refused["description_placeholders"])
    removing = await form("remove_camera")
    await hass.config_entries.options.async_configure(removing, {"camera": "garage", "confirm": True})
    await until(lambda: not hass.states.get("binary_sensor.garage_connection"))
