"""Events reach the bus and the event entities once each, also across restarts; late ones start nothing."""

from typing import Any

import pytest
from contract_server import TRACK, ContractServer
from custom_components.marengocam.bus import COMMON_FIELDS, EXTRA_FIELDS
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from conftest import Until


class Ear:
    """Hears everything of ours on the bus."""

    def __init__(self, hass: HomeAssistant) -> None:
        self.heard: list[Event] = []

        @callback
        def hear(event: Event) -> None:
            if event.event_type.startswith("marengocam_"):
                self.heard.append(event)

        hass.bus.async_listen("*", hear)

    @property
    def types(self) -> list[str]:
        return [event.event_type for event in self.heard]

    @property
    def numbers(self) -> list[int]:
        return [event.data["event_number"] for event in self.heard]


@pytest.fixture
def ear(hass: HomeAssistant) -> Ear:
    return Ear(hass)


async def test_a_confirmed_person_is_told_with_everything_that_is_documented(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until
) -> None:
    await server.happen("person_confirmed")
    await until(lambda: ear.heard)
    (event,) = ear.heard
    assert event.event_type == "marengocam_person_confirmed"
    assert event.data == {
        "event_number": 1,
        "occurred_at": "2026-11-24T10:15:00+00:00",
        "late": False,
        "camera_id": "front",
        "camera": "Front door",
        "entity_id": "camera.front_door",
        "person_id": "00000000-0000-0000-0000-000000000001",
        "person": "Alice",
        "probability": 0.97,
        "zones": ["Path"],
        "local_track_id": "00000000-0000-0000-0000-000000000015",
        "picture": f"/api/marengocam/{loaded.entry_id}/track/{TRACK}.jpg",
        "identity_id": "00000000-0000-0000-0000-000000000016",
    }


@pytest.mark.parametrize("type_", EXTRA_FIELDS)
async def test_every_type_has_its_fields_even_when_they_are_empty(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until, type_: str
) -> None:
    await server.happen(type_, camera_id=None, person_id=None, person_name=None, probability=None, zones=[])
    await until(lambda: ear.heard)
    assert ear.types == [f"marengocam_{type_}"]
    assert set(ear.heard[0].data) == {*COMMON_FIELDS, *EXTRA_FIELDS[type_]}


async def test_a_correction_says_who_it_was_thought_to_be(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until
) -> None:
    await server.happen("person_corrected", data={"was_person_id": "p7", "was_person_name": "Bob", "evidence": {}})
    await until(lambda: ear.heard)
    assert ear.heard[0].data["was_person"] == "Bob"
    assert "evidence" not in ear.heard[0].data


async def test_a_type_of_the_future_is_passed_on(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until
) -> None:
    await server.happen("cat_confirmed")
    await until(lambda: ear.heard)
    assert ear.types == ["marengocam_cat_confirmed"]


async def test_the_event_entity_of_that_camera_shows_it(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    await server.happen("zone_entered", data={"zone": "Path"})
    await until(lambda: hass.states.get("event.front_door_person").state != "unknown")
    state = hass.states.get("event.front_door_person")
    assert state.attributes["event_type"] == "zone_entered"
    assert state.attributes["zones"] == ["Path"]
    assert state.attributes["event_number"] == 1
    assert state.attributes["person"] == "Alice"
    assert state.attributes["camera"] == "Front door"
    assert hass.states.get("event.back_yard_person").state == "unknown"
    await server.happen("camera_offline", data={"reason": "No answer."})
    await hass.async_block_till_done()
    assert hass.states.get("event.front_door_person").attributes["event_type"] == "zone_entered"


async def test_an_automation_runs(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    automation = {
        "triggers": [{"trigger": "event", "event_type": "marengocam_person_confirmed"}],
        "conditions": [{"condition": "template", "value_template": "{{ trigger.event.data.person == 'Alice' }}"}],
        "actions": [{"event": "welcome", "event_data": {"who": "{{ trigger.event.data.person }}"}}],
    }
    assert await async_setup_component(hass, "automation", {"automation": automation})
    welcomed: list[Event] = []

    @callback
    def welcome(event: Event) -> None:
        welcomed.append(event)

    hass.bus.async_listen("welcome", welcome)
    await server.happen("person_confirmed", person_name="Bob")
    await server.happen("person_confirmed")
    await until(lambda: welcomed)
    assert [event.data["who"] for event in welcomed] == ["Alice"]


async def test_late_events_are_told_apart_and_start_nothing(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until
) -> None:
    await server.happen("person_confirmed", late=True)
    await until(lambda: ear.heard)
    assert ear.types == ["marengocam_late_event"]
    assert ear.heard[0].data["type"] == "person_confirmed"
    assert ear.heard[0].data["late"] is True
    assert hass.states.get("event.front_door_person").state == "unknown"
    assert loaded.runtime_data.feed.late == 1


async def test_late_events_are_counted_in_a_sensor_that_is_off_by_default(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    registry = er.async_get(hass)
    assert hass.states.get("sensor.marengocam_late_events") is None
    registry.async_update_entity("sensor.marengocam_late_events", disabled_by=None)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await until(lambda: server.sockets)
    await server.happen(late=True)
    await until(lambda: hass.states.get("sensor.marengocam_late_events").state == "1")


async def test_late_events_come_as_usual_where_the_owner_wants_it(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until
) -> None:
    hass.config_entries.async_update_entry(loaded, options={"late_as_triggers": True})
    await server.happen("person_confirmed", late=True)
    await until(lambda: ear.heard)
    assert ear.types == ["marengocam_person_confirmed"]
    assert ear.heard[0].data["late"] is True
    assert hass.states.get("event.front_door_person").attributes["event_type"] == "person_confirmed"


async def test_the_first_time_the_past_is_left_alone(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, ear: Ear, until: Until
) -> None:
    for _ in range(5):
        server.event()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.feed.connected and server.sockets)
    await server.happen()
    await until(lambda: ear.heard)
    assert ear.numbers == [6]


async def test_reloads_lose_nothing_and_tell_nothing_twice(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, ear: Ear, until: Until
) -> None:
    for _ in range(10):
        await server.happen()
        assert await hass.config_entries.async_unload(loaded.entry_id)
        server.event()
        assert await hass.config_entries.async_setup(loaded.entry_id)
        await server.happen()
        await until(lambda: len(ear.heard) >= len(server.events))
    assert ear.numbers == list(range(1, 31))


async def test_stopping_home_assistant_stores_where_it_was(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    ear: Ear,
    until: Until,
    hass_storage: dict[str, Any],
) -> None:
    await server.happen()
    await until(lambda: ear.heard)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    await server.happen()
    await hass.async_block_till_done()
    assert ear.numbers == [1], "what comes while stopping waits for the next start"
    assert hass_storage[f"marengocam.{loaded.entry_id}"]["data"] == {"last_number": 1}


async def test_events_wait_until_automations_can_hear_them(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, ear: Ear, until: Until
) -> None:
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry.entry_id)
    server.event()
    await hass.async_block_till_done()
    assert server.resumed_from == []
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await until(lambda: ear.heard)
    assert ear.numbers == [1]


async def test_the_position_survives_a_crash_within_a_second(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    ear: Ear,
    until: Until,
    hass_storage: dict[str, Any],
) -> None:
    for _ in range(5):
        await server.happen()
    await until(lambda: len(ear.heard) == 5)
    await until(lambda: hass_storage[f"marengocam.{loaded.entry_id}"]["data"] == {"last_number": 5})


async def test_an_event_that_cannot_be_read_is_named_in_the_log(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    ear: Ear,
    until: Until,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await server.happen(probability="likely")
    await server.happen()
    await until(lambda: ear.heard)
    assert ear.numbers == [2]
    assert "Event 1 of the backend cannot be read" in caplog.text
