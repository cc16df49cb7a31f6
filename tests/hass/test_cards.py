"""The cards are served, known to every dashboard under an address of their content, and gone with the last entry."""

from types import SimpleNamespace
from typing import Any

import pytest
from contract_server import ContractServer
from custom_components.marengocam import cards
from homeassistant.components import frontend
from homeassistant.components.lovelace.resources import ResourceStorageCollection
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator


class NoDashboard:
    """Where Home Assistant would look for resources written in YAML."""

    async def async_load(self, _force: bool) -> dict[str, Any]:
        return {}


@pytest.fixture
async def resources(hass: HomeAssistant) -> ResourceStorageCollection:
    """Return Home Assistant's own list of resources, as it keeps it when dashboards are edited by hand."""
    collection = ResourceStorageCollection(hass, NoDashboard())
    hass.data[cards.LOVELACE] = SimpleNamespace(resources=collection)
    return collection


async def test_the_cards_are_listed_once_and_served(
    hass: HomeAssistant,
    resources: ResourceStorageCollection,
    loaded: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    (item,) = resources.async_items()
    assert item["type"] == "module"
    answer = await (await hass_client_no_auth()).get(item["url"])
    text = await answer.text()
    assert answer.status == 200
    for tag in ("marengocam-journeys-card", "marengocam-person-card"):
        assert tag in text


async def test_a_new_build_takes_the_place_of_the_old(
    hass: HomeAssistant, resources: ResourceStorageCollection, loaded: MockConfigEntry
) -> None:
    (item,) = resources.async_items()
    address = item["url"]
    await resources.async_update_item(item["id"], {"res_type": "module", "url": f"{cards.ADDRESS}?old"})
    await resources.async_create_item({"res_type": "module", "url": f"{cards.ADDRESS}?older"})
    await resources.async_create_item({"res_type": "module", "url": "/local/another-card.js"})
    await cards.async_list_cards(hass)
    assert sorted(one["url"] for one in resources.async_items()) == ["/local/another-card.js", address]


async def test_they_go_with_the_last_entry(
    hass: HomeAssistant, resources: ResourceStorageCollection, server: ContractServer, loaded: MockConfigEntry
) -> None:
    other = MockConfigEntry(domain="marengocam", unique_id="another", data=dict(loaded.data))
    other.add_to_hass(hass)
    await hass.config_entries.async_remove(loaded.entry_id)
    assert len(resources.async_items()) == 1
    await hass.config_entries.async_remove(other.entry_id)
    assert resources.async_items() == []


async def test_they_come_back_with_an_entry_that_is_added_after_the_last_was_removed(
    hass: HomeAssistant, resources: ResourceStorageCollection, loaded: MockConfigEntry
) -> None:
    before = [item["url"] for item in resources.async_items()]
    await hass.config_entries.async_remove(loaded.entry_id)
    again = MockConfigEntry(domain="marengocam", unique_id=loaded.unique_id, data=dict(loaded.data))
    again.add_to_hass(hass)
    assert await hass.config_entries.async_setup(again.entry_id)
    assert [item["url"] for item in resources.async_items()] == before


async def test_dashboards_in_yaml_need_not_list_them(
    hass: HomeAssistant, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    added: list[str] = []
    monkeypatch.setattr(frontend, "add_extra_js_url", lambda _hass, url: added.append(url))
    await cards.async_list_cards(hass)
    assert added == [], "nobody looks at dashboards"
    hass.config.components.add("frontend")
    hass.data[cards.LOVELACE] = SimpleNamespace(resources=SimpleNamespace(async_items=list))
    await cards.async_list_cards(hass)
    assert [address.partition("?")[0] for address in added] == [cards.ADDRESS]
    await cards.async_remove_cards(hass)


async def test_without_their_file_everything_else_works(
    hass: HomeAssistant,
    server: ContractServer,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(cards, "FILE", cards.FILE.with_name("lost.js"))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert "cards cannot be shown" in caplog.text
    assert hass.states.get("sensor.marengocam_status").state == "ok"
