"""Home Assistant's own MQTT integration takes what the backend tells it for discovery, and shows its states."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import async_fire_mqtt_message

pytest.importorskip("paho.mqtt", reason="this Home Assistant comes without its MQTT client")
BACKEND_PYTHON = os.environ.get("MARENGOCAM_BACKEND_PYTHON")
PROGRAM = """
import json
from datetime import UTC, datetime
from uuid import UUID
from marengocam.automation import topics
from marengocam.automation.discovery import discovery
from marengocam.core.model import CameraState
from marengocam.db.cameras import CameraStatus
from marengocam.db.telling import PersonSeen
now = datetime(2026, 11, 25, 12, tzinfo=UTC)
alice = PersonSeen(UUID(int=1), "Alice", True, "yard", now, 0.97)
status = CameraStatus("yard", CameraState.ONLINE, "", now, now, now, {"moving": 1, "recording": 1})
names = {"yard": "Back yard"}
told = discovery(names, [alice], prefix="marengocam", discovery_prefix="homeassistant", installation="abc")
told["marengocam/status"] = "online"
told[topics.camera_topic("marengocam", "yard")] = topics.camera_state("yard", "Back yard", status, 2)
told[topics.person_topic("marengocam", alice.person_id)] = topics.person_state(alice, names)
told[topics.health_topic("marengocam")] = topics.health_state([], privacy=True)
print(json.dumps(told))
"""
EVENT = {"type": "person_confirmed", "number": 7, "person": "Alice", "camera": "Back yard", "zones": [], "late": False,
         "probability": 0.97}  # fmt: skip
STATES = {
    "sensor.marengocam_status": "failing",
    "binary_sensor.marengocam_survival_mode": "off",
    "binary_sensor.marengocam_privacy": "on",
    "binary_sensor.back_yard_connection": "on",
    "binary_sensor.back_yard_motion": "on",
    "binary_sensor.back_yard_recording": "on",
    "sensor.back_yard_people": "2",
    "binary_sensor.alice_present": "on",
    "sensor.alice_last_camera": "Back yard",
    "sensor.alice_last_seen": "2026-11-25T12:00:00+00:00",
}


@pytest.fixture
async def _hung_up(hass: HomeAssistant, mqtt_mock: Any, mqtt_client_mock: Any) -> AsyncIterator[None]:
    """Tell Home Assistant's client that its socket is closed, as a broker would: it then ends its housekeeping."""
    yield
    with socket.socket() as closed:
        pass
    mqtt_client_mock.on_socket_close(mqtt_client_mock, None, closed)
    await asyncio.sleep(0)  # it passes from the broker's thread to the loop
    await hass.async_block_till_done()


@pytest.mark.usefixtures("_hung_up")
@pytest.mark.skipif(BACKEND_PYTHON is None, reason="needs the backend's Python, which ./script/test names")
async def test_cameras_persons_and_the_whole_are_found_and_go_when_they_are_taken_back(
    hass: HomeAssistant,
) -> None:
    done = subprocess.run([str(BACKEND_PYTHON), "-c", PROGRAM], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    for topic, content in told.items():
        async_fire_mqtt_message(hass, topic, content if isinstance(content, str) else json.dumps(content))
        await hass.async_block_till_done()
    for topic, content in told.items():
        if not topic.startswith("homeassistant/"):
            async_fire_mqtt_message(hass, topic, content if isinstance(content, str) else json.dumps(content))
    await hass.async_block_till_done()
    assert {one: state.state if (state := hass.states.get(one)) else None for one in STATES} == STATES
    (entry,) = hass.config_entries.async_entries("mqtt")
    devices = {one.name for one in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)}
    assert {"MarengoCam", "Back yard", "Alice"} <= devices

    before = hass.states.get("event.marengocam_event")
    assert before is not None
    async_fire_mqtt_message(hass, "marengocam/events/person_confirmed", json.dumps(EVENT | {"late": True}))
    await hass.async_block_till_done()
    assert hass.states.get("event.marengocam_event") == before, "a late event triggers nothing"
    async_fire_mqtt_message(hass, "marengocam/events/person_confirmed", json.dumps(EVENT))
    await hass.async_block_till_done()
    event = hass.states.get("event.marengocam_event")
    assert event is not None
    assert (event.attributes["event_type"], event.attributes["person"]) == ("person_confirmed", "Alice")

    async_fire_mqtt_message(hass, "marengocam/status", "offline")
    await hass.async_block_till_done()
    gone = hass.states.get("sensor.back_yard_people")
    assert gone is not None
    assert gone.state == "unavailable"
    for topic in told:
        if topic.startswith("homeassistant/"):
            async_fire_mqtt_message(hass, topic, "")
    await hass.async_block_till_done()
    assert not er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
