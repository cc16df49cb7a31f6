"""Repair issues that come and go with their cause; pictures and clips for who is logged in."""

from datetime import timedelta
from typing import Any

import pytest
from contract_server import AT, PICTURE, TRACK, ContractServer, camera, health, person
from custom_components.marengocam.views import clip_path
from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.image import DOMAIN as IMAGE_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator


async def refresh(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await entry.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()


def issues(hass: HomeAssistant) -> set[str]:
    return {
        str(issue.translation_key)
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == "marengocam" and issue.active
    }


def long_ago(**span: float) -> str:
    return (dt_util.utcnow() - timedelta(**span)).isoformat()


async def test_a_camera_that_is_away_for_long_is_to_be_seen_to(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.cameras[0] = camera(state="offline", since=long_ago(minutes=29), reason="No answer.")
    await refresh(hass, loaded)
    assert issues(hass) == set()
    server.cameras[0] = camera(state="offline", since=long_ago(minutes=31), reason="No answer.")
    await refresh(hass, loaded)
    assert issues(hass) == {"camera_away"}
    server.cameras[0] = camera()
    await refresh(hass, loaded)
    assert issues(hass) == set()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"survival_mode": True}, {"survival_mode"}),
        ({"storage": None}, {"no_storage"}),
        ({"storage": health()["storage"] | {"free_bytes": 1_000_000_000}}, {"disk_nearly_full"}),
        ({"now": long_ago(seconds=60)}, {"clock_off"}),
    ],
)
async def test_what_ails_the_backend_is_told_and_gone_when_it_is_over(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    changes: dict[str, Any],
    expected: set[str],
) -> None:
    server.health = health(**changes)
    await refresh(hass, loaded)
    assert issues(hass) == expected
    server.health = health()
    await refresh(hass, loaded)
    assert issues(hass) == set()


async def test_a_face_engine_that_is_away_for_a_moment_is_no_issue(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.health = health(face_engine="away")
    await refresh(hass, loaded)
    assert issues(hass) == set()
    monkeypatch.setattr("custom_components.marengocam.issues.FACES_AWAY_FOR", timedelta(0))
    server.cameras[0] = camera(moving=True)
    await refresh(hass, loaded)
    assert issues(hass) == {"face_engine_away"}
    server.health = health(face_engine="ok")
    await refresh(hass, loaded)
    assert issues(hass) == set()


async def test_versions_that_do_not_fit_are_told(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.info["api_version"] = 9
    await refresh(hass, loaded)
    assert issues(hass) == {"integration_too_old"}
    assert await hass.config_entries.async_unload(loaded.entry_id)
    assert issues(hass) == set()


async def test_versions_that_do_not_fit_from_the_start_are_told_until_they_do(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry
) -> None:
    server.info["api_version"] = 0
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert issues(hass) == {"backend_too_old"}
    server.info = {}
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert issues(hass) == set()
    server.info["api_version"] = 2
    await hass.config_entries.async_reload(entry.entry_id)
    assert issues(hass) == {"integration_too_old"}
    await hass.config_entries.async_remove(entry.entry_id)
    assert issues(hass) == set(), "it goes with the entry"


async def test_pictures_are_for_who_is_logged_in_and_carry_no_token_of_the_backend(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    path = f"/api/marengocam/{loaded.entry_id}/track/{TRACK}.jpg"
    friend, stranger = await hass_client(), await hass_client_no_auth()
    answer = await friend.get(path)
    assert (answer.status, await answer.read()) == (200, PICTURE)
    assert (await stranger.get(path)).status == 401
    signed = async_sign_path(hass, path, timedelta(minutes=1), use_content_user=True)
    assert (await stranger.get(signed)).status == 200
    assert (await friend.get(f"/api/marengocam/nobody/track/{TRACK}.jpg")).status == 404
    server.refuse(f"/tracks/{TRACK}/crop.jpg", 404, "not_found", "It is gone.")
    assert (await friend.get(path)).status == 404
    await server.stop()
    assert (await friend.get(path)).status == 502


async def test_clips_are_handed_through(
    hass: HomeAssistant,
    server: ContractServer,
    loaded: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    begin = dt_util.parse_datetime("2026-11-24T11:15:00+01:00", raise_on_error=True)
    path = clip_path(loaded.entry_id, "front", begin, begin + timedelta(minutes=1))
    friend = await hass_client()
    answer = await friend.get(path)
    assert (answer.status, answer.content_type, await answer.read()) == (200, "video/mp4", server.clip)
    asked = next(query for where, query in server.queries if where == "/cameras/front/clip.mp4")
    assert asked == {"from_at": "2026-11-24T10:15:00Z", "to_at": "2026-11-24T10:16:00Z"}
    assert (await (await hass_client_no_auth()).get(path)).status == 401
    assert (await friend.get(f"/api/marengocam/{loaded.entry_id}/clip/front/noon/night.mp4")).status == 404
    server.refuse("/cameras/front/clip.mp4", 404, "not_found", "Nothing was recorded then.")
    answer = await friend.get(path)
    assert (answer.status, await answer.text()) == (404, "Nothing was recorded then.")


async def test_images_show_who_was_seen_last(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    assert await async_setup_component(hass, IMAGE_DOMAIN, {})
    assert hass.states.get("image.front_door_last_person").state == "unknown"
    server.cameras[0] = camera(last_person_at=AT, last_person_track_id=TRACK)
    server.persons[0] = person(has_picture=True)
    await refresh(hass, loaded)
    assert hass.states.get("image.front_door_last_person").state == AT
    friend = await hass_client()
    for entity_id, path in (
        ("image.front_door_last_person", f"/tracks/{TRACK}/crop.jpg"),
        ("image.alice_picture", f"/persons/{server.persons[0]['person_id']}/picture.jpg"),
    ):
        answer = await friend.get(f"/api/image_proxy/{entity_id}")
        assert (answer.status, await answer.read()) == (200, PICTURE), entity_id
        assert server.asked[-1][1] == path
    server.persons[0] = person(has_picture=True, last_seen_track_id=TRACK, last_seen_at=AT)
    await refresh(hass, loaded)
    await friend.get("/api/image_proxy/image.alice_picture")
    assert server.asked[-1][1] == f"/tracks/{TRACK}/crop.jpg", "how she looked last"
    server.refuse(f"/tracks/{TRACK}/crop.jpg", 404, "not_found", "Gone with retention.")
    assert (await friend.get("/api/image_proxy/image.alice_picture")).status == 500, "Home Assistant's word for none"
