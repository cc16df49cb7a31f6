"""Cameras, persons and the backend as devices and entities that come, change and go live."""

from datetime import timedelta
from typing import Any

import pytest
from contract_server import INSTALLATION, PICTURE, ContractServer, camera, health, person
from custom_components.marengocam import async_remove_config_entry_device
from homeassistant.components.camera import async_get_image, async_get_stream_source
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from conftest import Until

OF_A_CAMERA = (
    "binary_sensor.{}_connection",
    "binary_sensor.{}_motion",
    "binary_sensor.{}_path_occupied",
    "binary_sensor.{}_person_present",
    "binary_sensor.{}_recording",
    "button.{}_restart",
    "button.{}_snapshot",
    "camera.{}",
    "event.{}_person",
    "image.{}_last_person",
    "select.{}_recording_mode",
    "sensor.{}_analysis_lag",
    "sensor.{}_ingest_lag",
    "sensor.{}_detector_time",
    "sensor.{}_frames_per_second",
    "sensor.{}_not_recorded_in_24_hours",
    "sensor.{}_people",
    "sensor.{}_people_in_path",
    "sensor.{}_state",
    "switch.{}_camera",
    "switch.{}_detection",
    "switch.{}_face_recognition",
    "switch.{}_recording",
)
OF_ALICE = {
    "binary_sensor.alice_present",
    "event.alice_presence",
    "image.alice_picture",
    "sensor.alice_last_seen",
    "sensor.alice_last_seen_at",
}
OF_THE_BACKEND = {
    "binary_sensor.marengocam_face_engine",
    "binary_sensor.marengocam_problem",
    "binary_sensor.marengocam_survival_mode",
    "number.marengocam_certainty_for_names",
    "sensor.marengocam_database_size",
    "sensor.marengocam_late_events",
    "sensor.marengocam_oldest_recording",
    "sensor.marengocam_people",
    "sensor.marengocam_recorded",
    "sensor.marengocam_status",
    "sensor.marengocam_given_up_by_survival_mode",
    "sensor.marengocam_storage_free",
    "sensor.marengocam_storage_used",
    "switch.marengocam_detection",
    "switch.marengocam_face_recognition",
    "switch.marengocam_privacy_mode",
    "switch.marengocam_recording",
}


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dr.DeviceEntry]:
    registry = dr.async_get(hass)
    return {device.name: device for device in dr.async_entries_for_config_entry(registry, entry.entry_id)}


async def refresh(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await entry.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()


async def test_the_backend_its_cameras_and_persons_are_devices(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    found = devices(hass, loaded)
    assert set(found) == {"MarengoCam", "Front door", "Back yard", "Alice"}
    backend = found.pop("MarengoCam")
    assert backend.entry_type is dr.DeviceEntryType.SERVICE
    assert backend.sw_version == "0.1.0"
    assert {device.via_device_id for device in found.values()} == {backend.id}
    assert {device.manufacturer for device in found.values()} == {"MarengoCam"}


async def test_every_entity_belongs_to_a_device_and_has_a_name_and_a_stable_id(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    entities = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    assert all(entity.device_id and entity.unique_id.startswith(INSTALLATION) for entity in entities)
    wanted = {one.format(name) for one in OF_A_CAMERA for name in ("front_door", "back_yard")}
    assert {entity.entity_id for entity in entities} == wanted | OF_ALICE | OF_THE_BACKEND


async def test_what_the_backend_knows_shows_in_the_states(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    assert hass.states.get("sensor.marengocam_status").state == "ok"
    assert hass.states.get("binary_sensor.marengocam_problem").state == "off"
    assert hass.states.get("sensor.marengocam_storage_used").state == "2.0"
    assert hass.states.get("sensor.marengocam_recorded").state == "2.0"
    assert hass.states.get("sensor.alice_last_seen").state == STATE_UNKNOWN
    assert hass.states.get("camera.front_door").state == "recording"

    server.cameras[0] = camera(open_person_tracks=2)
    server.persons[0] = person(
        last_seen_at="2026-11-24T10:15:00Z",
        last_seen_camera_id="front",
        last_seen_camera_name="Front door",
        last_seen_probability=0.97,
        present=True,
    )
    server.health = health("degraded")
    server.health["services"][0]["reason"] = "The face engine does not answer."
    await refresh(hass, loaded)
    assert hass.states.get("binary_sensor.front_door_person_present").state == "on"
    assert hass.states.get("sensor.marengocam_people").state == "2"
    alice = hass.states.get("sensor.alice_last_seen")
    assert alice.state == "Front door"
    assert alice.attributes["when"] == "2026-11-24T10:15:00+00:00"
    assert alice.attributes["probability"] == 0.97
    assert hass.states.get("sensor.alice_last_seen_at").state == "2026-11-24T10:15:00+00:00"
    assert hass.states.get("binary_sensor.alice_present").state == "on"
    assert hass.states.get("binary_sensor.marengocam_problem").state == "on"
    status = hass.states.get("sensor.marengocam_status")
    assert status.state == "degraded"
    assert status.attributes["reasons"] == ["ingest: The face engine does not answer."]

    server.health = health("a word of the future")
    await refresh(hass, loaded)
    assert hass.states.get("sensor.marengocam_status").state == STATE_UNKNOWN


async def test_states_are_written_only_when_something_changed(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    changes: list[Any] = []

    @callback
    def note(event: Any) -> None:
        changes.append(event)

    hass.bus.async_listen("state_changed", note)
    for _ in range(3):
        await refresh(hass, loaded)
    assert changes == []


async def test_figures_that_grow_all_day_are_not_written_at_every_poll(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.persons[0] |= {"present": True, "last_seen_at": "2026-11-24T10:15:07Z", "last_seen_camera_name": "Yard"}
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    written: list[str] = []
    hass.bus.async_listen("state_changed", lambda event: written.append(event.data["entity_id"]))
    server.health["storage"] |= {"used_bytes": 2_001_000_000, "recorded_s": 7230.0, "database_bytes": 50_020_000}
    server.health["storage"]["oldest_at"] = "2026-11-24T10:15:30Z"
    server.persons[0]["last_seen_at"] = "2026-11-24T10:15:52Z"
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert written == []
    server.health["storage"] |= {"used_bytes": 2_310_000_000}
    server.persons[0]["present"] = False
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert set(written) >= {"sensor.marengocam_storage_used", "sensor.alice_last_seen_at"}
    assert hass.states.get("sensor.alice_last_seen_at").state == "2026-11-24T10:15:52+00:00", "exact once she is gone"


async def test_cameras_and_persons_come_are_renamed_and_go(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.cameras.append(camera("garage", "Garage", state="connecting"))
    server.persons.append(person("Bob", 2))
    await refresh(hass, loaded)
    assert hass.states.get("camera.garage").state == "idle"
    assert hass.states.get("sensor.bob_last_seen") is not None

    server.cameras[2]["name"] = "Workshop"
    await refresh(hass, loaded)
    assert "Workshop" in devices(hass, loaded)
    assert "Garage" not in devices(hass, loaded)

    del server.cameras[2], server.persons[1]
    await refresh(hass, loaded)
    assert set(devices(hass, loaded)) == {"MarengoCam", "Front door", "Back yard", "Alice"}
    assert hass.states.get("camera.garage") is None
    assert er.async_get(hass).async_get("camera.garage") is None

    server.cameras.append(camera("garage", "Garage"))
    await refresh(hass, loaded)
    assert hass.states.get("camera.garage").state == "recording", "it may come back"


async def test_what_went_while_home_assistant_was_away_is_gone_after_it_returns(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(loaded.entry_id)
    del server.cameras[1]
    assert await hass.config_entries.async_setup(loaded.entry_id)
    await hass.async_block_till_done()
    assert set(devices(hass, loaded)) == {"MarengoCam", "Front door", "Alice"}


async def test_only_devices_that_the_backend_lost_may_be_removed_by_hand(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    left_over = dr.async_get(hass).async_get_or_create(
        config_entry_id=loaded.entry_id, identifiers={("marengocam", f"{INSTALLATION}_camera_old")}, name="Old"
    )
    assert await async_remove_config_entry_device(hass, loaded, left_over)
    for device in devices(hass, loaded).values():
        if device.id != left_over.id:
            assert not await async_remove_config_entry_device(hass, loaded, device)


async def test_the_picture_is_the_backends_newest(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    image = await async_get_image(hass, "camera.front_door")
    assert (image.content, image.content_type) == (PICTURE, "image/jpeg")
    server.picture = None
    with pytest.raises(HomeAssistantError):
        await async_get_image(hass, "camera.front_door")
    server.refuse("/cameras/front/snapshot.jpg", 503, "hub_unavailable", "The database is away.")
    with pytest.raises(HomeAssistantError, match="database is away"):
        await async_get_image(hass, "camera.front_door")
    await server.stop()
    with pytest.raises(HomeAssistantError, match="cannot be reached"):
        await async_get_image(hass, "camera.front_door")


async def test_a_camera_that_is_away_is_unavailable_and_one_that_is_switched_off_can_be_switched_on(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.cameras[0] |= {"state": "offline", "recording_now": False}
    await refresh(hass, loaded)
    assert hass.states.get("camera.front_door").state == STATE_UNAVAILABLE
    assert hass.states.get("binary_sensor.front_door_connection").state == "off"
    server.cameras[0] |= {"state": "disabled", "enabled": False}
    await refresh(hass, loaded)
    assert hass.states.get("camera.front_door").state == "idle"
    assert hass.states.get("switch.front_door_camera").state == "off"


async def test_the_live_picture_is_signed_and_carries_no_token(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    source = await async_get_stream_source(hass, "camera.front_door")
    assert source == f"{server.address}/api/v1/media/live/front/index.m3u8?expires=4102444800&signature=s%2Bs"
    assert server.token not in source
    server.refuse("/cameras/front/stream", 404, "not_found", "There is no such camera.")
    with pytest.raises(HomeAssistantError, match="no such camera"):
        await async_get_stream_source(hass, "camera.front_door")


class RunningStream:
    """Stands where Home Assistant's stream worker would; the real one needs a camera's video."""

    available = True

    def __init__(self) -> None:
        self.sources: list[str] = []

    def update_source(self, source: str) -> None:
        self.sources.append(source)


async def test_a_running_stream_gets_a_new_address_before_its_signature_ends(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    entity = hass.data["camera"].get_entity("camera.front_door")
    soon = dt_util.utcnow() + timedelta(minutes=5)
    server.stream_expires = str(int(soon.timestamp()))
    await async_get_stream_source(hass, "camera.front_door")
    entity.stream = stream = RunningStream()
    server.stream_expires = "4102444800"
    async_fire_time_changed(hass, soon - timedelta(seconds=70))
    await hass.async_block_till_done()
    assert stream.sources == []
    async_fire_time_changed(hass, soon - timedelta(seconds=50))
    await until(lambda: stream.sources)
    assert "expires=4102444800" in stream.sources[0]
    entity.stream = None


async def test_a_stream_whose_backend_is_away_at_renewal_starts_anew_later(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    entity = hass.data["camera"].get_entity("camera.front_door")
    soon = dt_util.utcnow() + timedelta(minutes=5)
    server.stream_expires = str(int(soon.timestamp()))
    await async_get_stream_source(hass, "camera.front_door")
    entity.stream = RunningStream()
    await server.stop()
    async_fire_time_changed(hass, soon)
    await until(lambda: entity.stream is None)


async def test_times_with_a_past_signature_do_not_spin(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.stream_expires = "1"
    before = dt_util.utcnow()
    await async_get_stream_source(hass, "camera.front_door")
    asked = len(server.asked)
    async_fire_time_changed(hass, before + timedelta(seconds=5))
    await hass.async_block_till_done()
    assert len([path for _, path, _ in server.asked[asked:] if path.endswith("/stream")]) == 0
