"""Setting up, losing and finding the backend, unloading."""

import asyncio
import logging
from datetime import timedelta

import pytest
from contract_server import TOKEN, ContractServer, camera, person
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from conftest import Until

LOGGER = "custom_components.marengocam"
SENSOR = "binary_sensor.front_door_connection"


def our_lines(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name.startswith(LOGGER) and r.levelno >= level]


async def test_a_backend_that_is_away_is_tried_again_until_it_is_there(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, until: Until
) -> None:
    await server.stop()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert "cannot be reached" in entry.reason
    await server.start()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=2))
    await until(lambda: entry.state is ConfigEntryState.LOADED)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"api_version": 0}, "Update MarengoCam's backend"),
        ({"api_version": 2}, "Update the integration"),
        ({"installation_id": "another"}, "Another MarengoCam"),
        ({"models": None}, "cannot be understood"),
    ],
)
async def test_a_backend_that_does_not_fit_is_explained(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, changes: dict[str, object], reason: str
) -> None:
    server.info = changes
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert reason in entry.reason


async def test_a_revoked_token_asks_the_owner_for_a_new_one(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    server.token = "another"
    await server.drop_sockets()
    await until(lambda: hass.config_entries.flow.async_progress_by_handler("marengocam"))
    (flow,) = hass.config_entries.flow.async_progress_by_handler("marengocam")
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert hass.states.get(SENSOR).state == STATE_UNAVAILABLE


async def test_backend_away_and_back_is_one_line_each_and_shows_in_the_entities(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    until: Until,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.clear()
    caplog.set_level(logging.INFO, LOGGER)
    await server.stop()
    await until(lambda: hass.states.get(SENSOR).state == STATE_UNAVAILABLE)
    for minutes in range(1, 4):
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=minutes))
        await hass.async_block_till_done(wait_background_tasks=False)
    assert len(our_lines(caplog, logging.INFO)) == 1, our_lines(caplog, logging.INFO)

    caplog.clear()
    server.cameras[0]["state"] = "connecting"
    await server.start()
    await until(lambda: hass.states.get(SENSOR).state == "off")
    assert len(our_lines(caplog, logging.INFO)) == 1, our_lines(caplog, logging.INFO)


async def test_with_the_stream_dead_the_poll_still_brings_the_state(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    server.refuse("/events/stream", 503, "hub_unavailable")
    await server.drop_sockets()
    await until(lambda: not loaded.runtime_data.feed.connected)
    server.cameras[0]["state"] = "offline"
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=31))
    await until(lambda: hass.states.get(SENSOR).state == "off")


@pytest.mark.parametrize(
    ("hint", "paths"),
    [
        ("tracks", {"/cameras"}),
        ("cameras", {"/cameras"}),
        ("persons", {"/persons"}),
        ("health", {"/health", "/preferences"}),
    ],
)
async def test_a_hint_asks_for_that_part_only(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until, hint: str, paths: set[str]
) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2))  # the cooldown of the set-up's own refresh
    await hass.async_block_till_done()
    server.asked.clear()
    await server.changed("weather")
    await server.changed(hint)
    await until(lambda: server.asked)
    await hass.async_block_till_done()
    assert {path for _, path, _ in server.asked} == paths


async def test_a_hint_shows_at_once(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    server.cameras[0]["open_person_tracks"] = 1
    await server.changed("tracks")
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2))
    await until(lambda: hass.states.get("binary_sensor.front_door_person_present").state == "on")


async def test_hints_in_a_row_cannot_starve_the_rest(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    coordinator = loaded.runtime_data.coordinator
    coordinator._complete_at -= 31
    server.asked.clear()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=2))
    await server.changed("cameras")
    await until(lambda: "/health" in {path for _, path, _ in server.asked})


async def test_loading_and_unloading_many_times_leaves_nothing_behind(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry, until: Until
) -> None:
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: entry.runtime_data.feed.connected)

    def listeners() -> dict[str, int]:
        # The registries' own delayed saves come and go with this one.
        counts = dict(hass.bus.async_listeners())
        counts.pop(EVENT_HOMEASSISTANT_FINAL_WRITE, None)
        return counts

    before = listeners()
    for _ in range(30):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    await until(lambda: len(server.sockets) == 1)
    assert listeners() == before
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    await until(lambda: not server.sockets)
    ours = [task for task in asyncio.all_tasks() if "marengocam" in task.get_name()]
    assert ours == []


async def test_removing_forgets_the_position(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, hass_storage: dict[str, object]
) -> None:
    key = f"marengocam.{loaded.entry_id}"
    await hass.config_entries.async_unload(loaded.entry_id)
    assert key in hass_storage
    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()
    assert key not in hass_storage


async def test_sixty_four_cameras_and_two_hundred_persons_are_set_up(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry
) -> None:
    server.cameras = [camera(f"c{n}", f"Camera {n}") for n in range(64)]
    server.persons = [person(f"Person {n}", n) for n in range(1, 201)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert len(hass.states.async_entity_ids("camera")) == 64
    assert hass.states.get("sensor.person_200_last_seen") is not None
    assert TOKEN not in str(hass.states.async_all())
