"""Cameras and persons by Home Assistant's own forms; backends that announce themselves."""

from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from contract_server import INSTALLATION, PICTURE, TOKEN, ContractServer, camera
from custom_components.marengocam.option_persons import MEDIA_FORM
from homeassistant.config_entries import SOURCE_HASSIO, SOURCE_ZEROCONF
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.selector import TextSelector
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from pytest_socket import socket_allow_hosts

FOUND = {"name": "Acme C1", "host": "10.0.0.8", "onvif_url": "http://10.0.0.8/onvif", "model": None, "camera_id": None}


async def choose(hass: HomeAssistant, entry: MockConfigEntry, *steps: str) -> Any:
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    for step in steps:
        assert flow["type"] is FlowResultType.MENU, flow
        flow = await hass.config_entries.options.async_configure(flow["flow_id"], {"next_step_id": step})
    return flow


async def fill(hass: HomeAssistant, flow: Any, **values: Any) -> Any:
    return await hass.config_entries.options.async_configure(flow["flow_id"], values)


async def test_a_camera_is_found_on_the_network_tried_and_added(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.found = [FOUND, FOUND | {"name": "Known", "camera_id": "front", "onvif_url": "http://10.0.0.9/onvif"}]
    flow = await choose(hass, loaded, "add_camera", "find_camera")
    options = flow["data_schema"].schema["camera"].config["options"]
    assert [one["label"] for one in options] == ["Acme C1 (10.0.0.8)"], "those that are known are not offered"
    flow = await fill(hass, flow, camera=FOUND["onvif_url"], username="viewer", password="pass")
    assert flow["step_id"] == "enter_camera"
    suggested = {str(key): (key.description or {}).get("suggested_value") for key in flow["data_schema"].schema}
    assert suggested["name"] == "Acme C1"
    assert suggested["main_url"] == "rtsp://10.0.0.8/main"
    values = {"name": "Garage", "main_url": "rtsp://10.0.0.8/main", "sub_url": "rtsp://10.0.0.8/sub"}
    done = await fill(hass, flow, **values, username="viewer", password="pass", untested=False)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    login = {"username": "viewer", "password": "pass"}
    asked = [(path, body) for _, path, body in server.asked if path in ("/cameras", "/cameras/probe") and body]
    assert asked == [
        ("/cameras/probe", {"main_url": "rtsp://10.0.0.8/main", **login}),
        ("/cameras/probe", {"main_url": "rtsp://10.0.0.8/sub", **login}),
        ("/cameras", {**values, **login}),
    ]
    await hass.async_block_till_done()
    assert "pass" not in str(loaded.options)


async def test_a_camera_that_does_not_answer_is_explained_and_can_be_added_all_the_same(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.refuse("/cameras/probe", 400, "bad_input", "The camera wants a password.")
    flow = await choose(hass, loaded, "add_camera", "enter_camera")
    values = {"name": "Gate", "main_url": "rtsp://10.0.0.7/main"}
    flow = await fill(hass, flow, **values, untested=False)
    assert flow["errors"] == {"main_url": "refused"}
    assert flow["description_placeholders"]["reason"] == "The camera wants a password."
    done = await fill(hass, flow, **values, untested=True)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert server.cameras[-1]["name"] == "Gate"


async def test_without_a_camera_on_the_network_it_is_said_what_to_do(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    assert (await choose(hass, loaded, "add_camera", "find_camera"))["reason"] == "no_cameras_found"
    server.refuse("/discovery/search", 503, "hub_unavailable")
    assert (await choose(hass, loaded, "add_camera", "find_camera"))["reason"] == "no_cameras_found"


async def test_a_login_that_onvif_refuses_is_asked_for_again(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.found = [FOUND]
    server.refuse("/discovery/lookup", 400, "bad_input", "Wrong user or password.")
    flow = await choose(hass, loaded, "add_camera", "find_camera")
    flow = await fill(hass, flow, camera=FOUND["onvif_url"])
    assert flow["errors"] == {"camera": "refused"}
    assert flow["description_placeholders"]["reason"] == "Wrong user or password."


async def test_a_camera_is_changed_and_keeps_its_password(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await choose(hass, loaded, "edit_camera")
    flow = await fill(hass, flow, camera="front")
    assert flow["step_id"] == "change_camera"
    suggested = {str(key): (key.description or {}).get("suggested_value") for key in flow["data_schema"].schema}
    assert (suggested["username"], suggested["password"]) == ("viewer", None)
    done = await fill(hass, flow, name="Porch", main_url="rtsp://10.0.0.9/other", untested=False)
    assert done["type"] is FlowResultType.CREATE_ENTRY
    (change,) = [body for method, _, body in server.asked if method == "PATCH"]
    assert change == {"name": "Porch", "main_url": "rtsp://10.0.0.9/other", "sub_url": None, "username": None}


async def test_what_connects_as_before_is_not_tried_again(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.refuse("/cameras/probe", 400, "bad_input", "The camera is away.")
    flow = await fill(hass, await choose(hass, loaded, "edit_camera"), camera="front")
    values = {"name": "Porch", "main_url": "rtsp://10.0.0.9/main", "username": "viewer", "untested": False}
    for change in ({"password": "new"}, {"sub_url": "rtsp://10.0.0.9/sub"}, {"username": "admin"}):
        flow = await fill(hass, flow, **values | change)
        assert flow["errors"] == {"main_url": "refused"}, change
    assert (await fill(hass, flow, **values))["type"] is FlowResultType.CREATE_ENTRY
    assert server.cameras[0]["name"] == "Porch"


async def test_what_the_backend_refuses_is_shown_where_it_was_entered(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    values = {"name": "Porch", "main_url": "rtsp://10.0.0.9/other", "untested": True}
    adding = await choose(hass, loaded, "add_camera", "enter_camera")
    changing = await fill(hass, await choose(hass, loaded, "edit_camera"), camera="front")
    removing = await choose(hass, loaded, "remove_camera")
    for path in ("/cameras", "/cameras/front"):
        server.refuse(path, 409, "conflict", "Somebody else changes it.")
    for flow, entered, field in (
        (adding, values, "main_url"),
        (changing, values, "main_url"),
        (removing, {"camera": "front", "confirm": True}, "camera"),
    ):
        shown = await fill(hass, flow, **entered)
        assert shown["errors"] == {field: "refused"}
        assert shown["description_placeholders"]["reason"] == "Somebody else changes it."


async def test_a_camera_that_went_meanwhile_is_not_changed(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await choose(hass, loaded, "edit_camera")
    del server.cameras[0]
    await loaded.runtime_data.coordinator.async_refresh()
    assert (await fill(hass, flow, camera="front"))["reason"] == "camera_gone"


async def test_a_choice_of_zones_goes_with_its_camera(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await fill(hass, await choose(hass, loaded, "edit_camera"), camera="front")
    values = {"name": "Front door", "main_url": "rtsp://10.0.0.9/main", "username": "viewer", "untested": False}
    await fill(hass, flow, **values, zones=[])
    assert loaded.options == {"zones": {"front": []}}
    server.cameras[1] = camera("yard", "Back yard", zones=[])
    await loaded.runtime_data.coordinator.async_refresh()
    flow = await fill(hass, await choose(hass, loaded, "edit_camera"), camera="yard")
    assert "zones" not in {str(key) for key in flow["data_schema"].schema}, "there are none to choose"
    await fill(hass, flow, **values | {"name": "Garden"})
    assert loaded.options == {"zones": {"front": []}}
    flow = await choose(hass, loaded, "remove_camera")
    await fill(hass, flow, camera="front", confirm=True)
    assert loaded.options == {}


async def test_a_camera_is_removed_only_when_that_is_meant(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    flow = await choose(hass, loaded, "remove_camera")
    flow = await fill(hass, flow, camera="front", confirm=False)
    assert flow["errors"] == {"confirm": "not_confirmed"}
    await fill(hass, flow, camera="front", confirm=True)
    assert [one["camera_id"] for one in server.cameras] == ["yard"]


async def test_without_cameras_none_can_be_changed(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.cameras = []
    await loaded.runtime_data.coordinator.async_refresh()
    assert (await choose(hass, loaded, "edit_camera"))["reason"] == "no_cameras"
    await hass.config_entries.async_unload(loaded.entry_id)
    assert (await choose(hass, loaded))["reason"] == "not_loaded"


async def test_a_person_is_added_with_a_picture(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, tmp_path: Path
) -> None:
    upload = tmp_path / "face.jpg"
    upload.write_bytes(PICTURE)
    with patch("custom_components.marengocam.option_persons.process_uploaded_file") as taken:
        taken.return_value.__enter__.return_value = upload
        server.faceless = True
        flow = await choose(hass, loaded, "add_person", "person_upload")
        flow = await fill(hass, flow, name="Dave", picture="00000000-0000-0000-0000-000000000001")
        assert flow["errors"] == {"picture": "refused"}
        assert flow["description_placeholders"]["reason"] == "No face was found."
        assert [one["name"] for one in server.persons] == ["Alice"], "nobody is left behind"
        server.faceless = False
        done = await fill(hass, flow, name="Dave", picture="00000000-0000-0000-0000-000000000001")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert server.enrolled == [(server.persons[1]["person_id"], PICTURE)]


async def test_a_person_is_added_with_the_picture_that_home_assistant_has_of_them(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    served = await hass_client()
    hass.config.internal_url = str(served.make_url("/")).rstrip("/")
    picture = (
        f"/api/camera_proxy/camera.front_door?token={hass.states.get('camera.front_door').attributes['access_token']}"
    )
    hass.states.async_set("person.dave", "home", {"entity_picture": picture, "friendly_name": "Dave"})
    flow = await choose(hass, loaded, "add_person", "person_entity")
    flow = await fill(hass, flow, entity_id="image.back_yard_last_person", name="Eve")
    assert flow["errors"] == {"entity_id": "refused"}
    assert "has no picture" in flow["description_placeholders"]["reason"]
    server.refuse("/persons", 503, "hub_unavailable", "The database is away.")
    flow = await fill(hass, flow, entity_id="person.dave")
    assert flow["errors"] == {"entity_id": "refused"}
    assert flow["description_placeholders"]["reason"] == "The database is away."
    server.answers.clear()
    done = await fill(hass, flow, entity_id="person.dave")
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert [one["name"] for one in server.persons] == ["Alice", "Dave"], "named as the entity is"
    assert server.enrolled == [(server.persons[1]["person_id"], PICTURE)]


async def test_a_person_is_added_with_a_picture_out_of_the_media_folder(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, tmp_path: Path
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    hass.config.media_dirs = {"local": str(tmp_path)}
    (tmp_path / "face.jpg").write_bytes(PICTURE)

    def chosen(name: str) -> Any:
        address = f"media-source://media_source/local/{name}"
        older = isinstance(MEDIA_FORM.schema["media"], TextSelector)
        return address if older else {"media_content_id": address, "media_content_type": "image/jpeg"}

    flow = await choose(hass, loaded, "add_person", "person_media")
    flow = await fill(hass, flow, name="Dave", media=chosen("nobody.jpg"))
    assert flow["errors"] == {"media": "refused"}
    done = await fill(hass, flow, name="alice", media=chosen("face.jpg"))
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert [one["name"] for one in server.persons] == ["Alice"], "whom we know gets one more picture"
    assert server.enrolled == [(server.persons[0]["person_id"], PICTURE)]


async def test_a_camera_is_tried_with_the_login_that_the_backend_has(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.refuse("/cameras/front/probe", 400, "bad_input", "The camera wants another password.")
    flow = await choose(hass, loaded, "test_camera")
    flow = await fill(hass, flow, camera="front")
    assert flow["errors"] == {"camera": "refused"}
    assert flow["description_placeholders"]["reason"] == "The camera wants another password."
    server.answers.clear()
    flow = await fill(hass, flow, camera="front")
    assert flow["description_placeholders"] == {"camera": "Front door", "main": "640 x 360, h264", "sub": "-"}
    assert (await fill(hass, flow))["type"] is FlowResultType.CREATE_ENTRY


def announced(server: ContractServer, **properties: str) -> ZeroconfServiceInfo:
    return ZeroconfServiceInfo(
        ip_address=ip_address("127.0.0.1"),
        ip_addresses=[ip_address("127.0.0.1")],
        port=server.port,
        hostname="nas.local.",
        type="_marengocam._tcp.local.",
        name="MarengoCam._marengocam._tcp.local.",
        properties=properties,
    )


async def test_a_backend_on_the_network_is_found_and_asks_for_its_token(
    hass: HomeAssistant, server: ContractServer
) -> None:
    info = announced(server, installation_id=INSTALLATION, name="MarengoCam")
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_ZEROCONF}, data=info)
    assert flow["step_id"] == "discovered"
    assert flow["description_placeholders"]["address"] == server.address
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {"token": "mc_wrong"})
    assert flow["errors"] == {"token": "invalid_auth"}
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], {"token": TOKEN})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["result"].unique_id == INSTALLATION
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(done["result"].entry_id)


async def test_a_known_backend_that_moved_is_followed(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={"address": "http://10.9.9.9:8470", "token": TOKEN})
    info = announced(server, installation_id=INSTALLATION)
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_ZEROCONF}, data=info)
    assert flow["reason"] == "already_configured"
    assert entry.data == {"address": server.address, "token": TOKEN}
    await hass.async_block_till_done()


async def test_of_several_addresses_one_that_answers_is_taken(hass: HomeAssistant, server: ContractServer) -> None:
    socket_allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])
    info = announced(server, installation_id=INSTALLATION)
    info.ip_address = ip_address("127.0.0.2")  # where nobody listens, as behind a container's bridge
    info.ip_addresses = [ip_address("127.0.0.2"), ip_address("::1"), ip_address("127.0.0.1")]
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_ZEROCONF}, data=info)
    assert flow["description_placeholders"]["address"] == server.address
    info.ip_addresses = [ip_address("::1")]
    hass.config_entries.flow.async_abort(flow["flow_id"])
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_ZEROCONF}, data=info)
    assert flow["reason"] == "cannot_connect"


async def test_an_address_that_works_is_kept_whatever_is_announced(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    info = announced(server, installation_id=INSTALLATION)
    info.ip_address, info.ip_addresses = ip_address("127.0.0.2"), [ip_address("127.0.0.2")]
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_ZEROCONF}, data=info)
    assert flow["reason"] == "already_configured"
    assert loaded.data["address"] == server.address


async def test_what_announces_itself_wrongly_is_left_alone(hass: HomeAssistant, server: ContractServer) -> None:
    nameless = await hass.config_entries.flow.async_init(
        "marengocam", context={"source": SOURCE_ZEROCONF}, data=announced(server)
    )
    assert nameless["reason"] == "not_marengocam"
    liar = announced(server, installation_id="somebody else")
    flow = await hass.config_entries.flow.async_init("marengocam", context={"source": SOURCE_ZEROCONF}, data=liar)
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {"token": TOKEN})
    assert flow["reason"] == "other_installation"


def from_the_app(server: ContractServer, **changes: Any) -> HassioServiceInfo:
    config = {"host": "127.0.0.1", "port": server.port, "token": TOKEN} | changes
    return HassioServiceInfo(config=config, name="MarengoCam", slug="marengocam", uuid="1234")


async def test_our_own_app_is_connected_by_one_click(hass: HomeAssistant, server: ContractServer) -> None:
    flow = await hass.config_entries.flow.async_init(
        "marengocam", context={"source": SOURCE_HASSIO}, data=from_the_app(server)
    )
    assert flow["step_id"] == "hassio_confirm"
    done = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert done["type"] is FlowResultType.CREATE_ENTRY
    assert done["data"] == {"address": server.address, "token": TOKEN}
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(done["result"].entry_id)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"token": "mc_wrong"}, "cannot_connect"),
        ({"port": "many"}, "not_marengocam"),
        ({"host": None}, "not_marengocam"),
    ],
)
async def test_an_app_that_does_not_answer_is_no_new_backend(
    hass: HomeAssistant, server: ContractServer, changes: dict[str, Any], reason: str
) -> None:
    flow = await hass.config_entries.flow.async_init(
        "marengocam", context={"source": SOURCE_HASSIO}, data=from_the_app(server, **changes)
    )
    assert flow["reason"] == reason


async def test_an_app_that_restarted_with_a_new_token_is_followed(
    hass: HomeAssistant, server: ContractServer, entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(entry, data={"address": server.address, "token": "mc_old"})
    flow = await hass.config_entries.flow.async_init(
        "marengocam", context={"source": SOURCE_HASSIO}, data=from_the_app(server)
    )
    assert flow["reason"] == "already_configured"
    assert entry.data["token"] == TOKEN
    await hass.async_block_till_done()


async def test_an_app_that_goes_away_before_the_click_is_told(hass: HomeAssistant, server: ContractServer) -> None:
    flow = await hass.config_entries.flow.async_init(
        "marengocam", context={"source": SOURCE_HASSIO}, data=from_the_app(server)
    )
    await server.stop()
    assert (await hass.config_entries.flow.async_configure(flow["flow_id"], {}))["reason"] == "cannot_connect"
