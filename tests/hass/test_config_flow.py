"""Adding a backend: tested before it is saved, every refusal explained."""

from typing import Any

import pytest
from aiohttp import web
from contract_server import INSTALLATION, TOKEN, ContractServer
from homeassistant.config_entries import SOURCE_USER
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

DOMAIN = "marengocam"


async def begin(hass: HomeAssistant) -> str:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.FORM
    assert [str(key) for key in result["data_schema"].schema] == ["address", "token"]
    return result["flow_id"]


async def finish(hass: HomeAssistant, flow_id: str, **values: str) -> dict[str, Any]:
    return await hass.config_entries.flow.async_configure(flow_id, values)


async def test_address_and_token_make_an_entry_named_after_the_backend(
    hass: HomeAssistant, server: ContractServer
) -> None:
    server.info["name"] = "Home"
    result = await finish(hass, await begin(hass), address=f" 127.0.0.1:{server.port}/ ", token=f" {TOKEN}\n")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Home"
    assert result["data"] == {"address": server.address, "token": TOKEN}
    assert result["result"].unique_id == INSTALLATION
    await hass.async_block_till_done()


def _answer(server: ContractServer, path: str, response: web.Response) -> None:
    server.answers[path] = response


@pytest.mark.parametrize(
    ("spoil", "errors"),
    [
        (lambda s: setattr(s, "token", "another"), {"token": "invalid_auth"}),
        (lambda s: s.info.update(api_version=0), {"base": "backend_too_old"}),
        (lambda s: s.info.update(api_version=2), {"base": "backend_too_new"}),
        (lambda s: s.refuse("/info", 403, "forbidden"), {"token": "forbidden"}),
        (lambda s: s.refuse("/info", 503, "hub_unavailable"), {"base": "refused"}),
        (lambda s: _answer(s, "/info", web.Response(status=502, text="bad gateway")), {"address": "cannot_connect"}),
        (lambda s: _answer(s, "/info", web.Response(status=404, text="<html>")), {"address": "not_marengocam"}),
        (lambda s: _answer(s, "/info", web.Response(text="<html>hello")), {"address": "not_marengocam"}),
        (lambda s: s.info.update(installation_id=None), {"address": "not_marengocam"}),
    ],
    ids=["token", "old", "new", "forbidden", "hub", "proxy", "other-page", "no-json", "half-an-answer"],
)
async def test_every_refusal_is_explained_and_can_be_mended(
    hass: HomeAssistant, server: ContractServer, spoil: Any, errors: dict[str, str]
) -> None:
    spoil(server)
    flow_id = await begin(hass)
    result = await finish(hass, flow_id, address=server.address, token=TOKEN)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors

    server.token, server.info, server.answers = TOKEN, {}, {}
    result = await finish(hass, flow_id, address=server.address, token=TOKEN)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("http://127.0.0.1:1", "cannot_connect"),
        ("ftp://127.0.0.1", "invalid_address"),
        ("", "invalid_address"),
        ("two words", "invalid_address"),
        ("http://user:secret@127.0.0.1", "invalid_address"),
        ("http://127.0.0.1:99999", "invalid_address"),
    ],
)
async def test_an_address_that_leads_nowhere_is_said_to(hass: HomeAssistant, address: str, error: str) -> None:
    result = await finish(hass, await begin(hass), address=address, token=TOKEN)
    assert result["errors"] == {"address": error}


async def test_what_nobody_thought_of_is_logged_and_still_answered(
    hass: HomeAssistant, server: ContractServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr("custom_components.marengocam.config_flow.normalise_address", broken)
    result = await finish(hass, await begin(hass), address=server.address, token=TOKEN)
    assert result["errors"] == {"base": "unknown"}
    assert "a fault of our own" in caplog.text
    assert TOKEN not in caplog.text


async def test_a_backend_is_added_once_and_its_new_address_taken_over(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={"address": "http://127.0.0.1:1", "token": "old"})
    result = await finish(hass, await begin(hass), address=server.address, token=TOKEN)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert entry.data == {"address": server.address, "token": TOKEN}
    await hass.async_block_till_done()


async def test_a_new_token_is_asked_for_and_taken(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.token = "mc_new"
    flow = await loaded.start_reauth_flow(hass)
    assert flow["step_id"] == "reauth_confirm"
    assert flow["description_placeholders"]["address"] == server.address
    wrong = await finish(hass, flow["flow_id"], token="mc_wrong")
    assert wrong["errors"] == {"token": "invalid_auth"}
    done = await finish(hass, flow["flow_id"], token="mc_new")
    assert done["type"] is FlowResultType.ABORT
    assert done["reason"] == "reauth_successful"
    assert loaded.data["token"] == "mc_new"
    await hass.async_block_till_done()


async def test_a_backend_that_is_away_while_a_token_is_asked_for_is_said_to(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await loaded.start_reauth_flow(hass)
    await server.stop()
    result = await finish(hass, flow["flow_id"], token=TOKEN)
    assert result["errors"] == {"base": "cannot_connect"}


async def test_the_token_of_another_backend_is_not_taken(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await loaded.start_reauth_flow(hass)
    server.info["installation_id"] = "another"
    result = await finish(hass, flow["flow_id"], token=TOKEN)
    assert result["reason"] == "other_installation"


async def test_the_connection_can_be_changed(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await loaded.start_reconfigure_flow(hass)
    assert flow["step_id"] == "reconfigure"
    wrong = await finish(hass, flow["flow_id"], address="http://127.0.0.1:1", token=TOKEN)
    assert wrong["errors"] == {"address": "cannot_connect"}
    suggested = {str(key): key.description for key in wrong["data_schema"].schema}
    assert suggested["address"]["suggested_value"] == "http://127.0.0.1:1"
    assert suggested["token"] is None, "a token is never sent back to the browser"
    await server.stop()
    server.port = 0
    await server.start()
    done = await finish(hass, flow["flow_id"], address=f"127.0.0.1:{server.port}", token=TOKEN)
    assert done["reason"] == "reconfigure_successful"
    assert loaded.data["address"] == server.address
    await hass.async_block_till_done()


async def test_another_backend_cannot_slip_in_under_an_entry(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await loaded.start_reconfigure_flow(hass)
    server.info["installation_id"] = "another"
    result = await finish(hass, flow["flow_id"], address=server.address, token=TOKEN)
    assert result["reason"] == "other_installation"


async def test_late_events_are_an_option(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    flow = await hass.config_entries.options.async_init(loaded.entry_id)
    assert flow["type"] is FlowResultType.MENU
    form = await hass.config_entries.options.async_configure(flow["flow_id"], {"next_step_id": "late_events"})
    assert form["step_id"] == "late_events"
    done = await hass.config_entries.options.async_configure(flow["flow_id"], {"late_as_triggers": True})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert loaded.options == {"late_as_triggers": True}
