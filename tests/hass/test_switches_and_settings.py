"""What an owner switches, chooses and presses reaches the backend, shows at once, and is explained when refused."""

from pathlib import Path

import pytest
from contract_server import PICTURE, ContractServer, camera
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from conftest import Until


async def do(hass: HomeAssistant, entity_id: str, action: str, **data: object) -> None:
    domain = entity_id.split(".", maxsplit=1)[0]
    await hass.services.async_call(domain, action, {"entity_id": entity_id, **data}, blocking=True)


def state(hass: HomeAssistant, entity_id: str) -> str:
    found = hass.states.get(entity_id)
    assert found is not None, entity_id
    return found.state


def sent(server: ContractServer, method: str = "PATCH") -> list[object]:
    return [body for used, _, body in server.asked if used == method]


@pytest.mark.parametrize(
    ("entity_id", "change"),
    [
        ("switch.front_door_camera", {"enabled": False}),
        ("switch.front_door_detection", {"detect": False}),
        (
            "switch.front_door_recording",
            {"recording": {"mode": "off", "pre_roll_s": 5.0, "post_roll_s": 10.0, "sound": True}},
        ),
    ],
)
async def test_a_switch_of_a_camera_changes_that_and_nothing_else(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, entity_id: str, change: dict[str, object]
) -> None:
    assert state(hass, entity_id) == "on"
    await do(hass, entity_id, "turn_on")
    assert sent(server) == [], "it is on already"
    await do(hass, entity_id, "turn_off")
    assert sent(server) == [change]
    assert state(hass, entity_id) == "off"
    await do(hass, entity_id, "turn_on")
    assert state(hass, entity_id) == "on"


async def test_faces_are_switched_and_the_rest_of_the_analysis_is_kept(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    server.cameras[0]["analysis"] |= {"masks": [[[0, 0], [1, 0], [1, 1]]]}
    await loaded.runtime_data.coordinator.async_refresh()
    await do(hass, "switch.front_door_face_recognition", "turn_off")
    (change,) = sent(server)
    assert change == {"analysis": {**server.cameras[0]["analysis"], "faces": False}}
    assert change["analysis"]["masks"] == [[[0, 0], [1, 0], [1, 1]]]


async def test_the_switch_of_all_cameras_changes_those_that_differ(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    await do(hass, "switch.back_yard_detection", "turn_off")
    assert state(hass, "switch.marengocam_detection") == "on", "one camera has it on"
    server.asked.clear()
    await do(hass, "switch.marengocam_detection", "turn_off")
    assert [path for method, path, _ in server.asked if method == "PATCH"] == ["/cameras/front"]
    assert state(hass, "switch.marengocam_detection") == "off"
    await do(hass, "switch.marengocam_detection", "turn_on")
    assert state(hass, "switch.back_yard_detection") == state(hass, "switch.front_door_detection") == "on"


async def test_privacy_mode_and_certainty_are_the_backend_s(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    assert state(hass, "switch.marengocam_privacy_mode") == "off"
    await do(hass, "switch.marengocam_privacy_mode", "turn_on")
    assert state(hass, "switch.marengocam_privacy_mode") == "on"
    assert state(hass, "number.marengocam_certainty_for_names") == "95.0"
    await do(hass, "number.marengocam_certainty_for_names", "set_value", value=80.5)
    assert state(hass, "number.marengocam_certainty_for_names") == "80.5"
    assert sent(server) == [{"privacy": True}, {"confirm_probability": 0.805}]
    await do(hass, "switch.marengocam_privacy_mode", "turn_off")
    assert server.preferences["privacy"] is False


async def test_the_recording_mode_is_chosen_and_a_refusal_is_explained(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    await do(hass, "select.front_door_recording_mode", "select_option", option="motion")
    assert state(hass, "select.front_door_recording_mode") == "motion"
    server.refuse("/cameras/front", 400, "bad_input", "Recording only on person needs detection.")
    with pytest.raises(ServiceValidationError, match="needs detection"):
        await do(hass, "select.front_door_recording_mode", "select_option", option="person")
    assert state(hass, "select.front_door_recording_mode") == "motion"


async def test_the_camera_entity_is_switched_and_its_detection_too(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    for action in ("turn_off", "turn_on", "disable_motion_detection", "enable_motion_detection"):
        await do(hass, "camera.front_door", action)
    assert sent(server) == [{"enabled": False}, {"enabled": True}, {"detect": False}, {"detect": True}]


async def test_a_camera_is_begun_anew_by_a_button(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    await do(hass, "button.front_door_restart", "press")
    assert ("POST", "/cameras/front/restart", None) in server.asked


async def test_a_snapshot_is_kept_and_none_is_overwritten(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, tmp_path: Path
) -> None:
    hass.config.media_dirs = {"local": str(tmp_path)}
    data = {"entity_id": "camera.front_door", "filename": "../../etc/The gate"}
    answers = [
        await hass.services.async_call("marengocam", "snapshot", data, blocking=True, return_response=True)
        for _ in range(2)
    ]
    await do(hass, "button.front_door_snapshot", "press")
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert files[0].startswith("marengocam/Front door 2")
    assert files[1:] == ["marengocam/_.._etc_The gate 2.jpg", "marengocam/_.._etc_The gate.jpg"]
    assert len(files) == 3, "nothing half-written is left"
    assert {Path(answer["path"]).read_bytes() for answer in answers} == {PICTURE}
    assert answers[0]["media_content_id"] == "media-source://media_source/local/marengocam/_.._etc_The gate.jpg"


async def test_zones_come_change_and_go_live(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    lawn = {"zone_id": "00000000-0000-0000-0000-0000000000aa", "name": "Lawn", "polygon": [[0, 0], [1, 0], [1, 1]]}
    server.cameras[0] = camera(zones=[*camera()["zones"], lawn | {"open_person_tracks": 1}], moving=True)
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor.front_door_lawn_occupied") == "on"
    assert state(hass, "binary_sensor.front_door_path_occupied") == "off"
    assert state(hass, "binary_sensor.front_door_motion") == "on"
    server.cameras[0] = camera()
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert hass.states.get("binary_sensor.front_door_lawn_occupied") is None
    assert state(hass, "binary_sensor.front_door_path_occupied") == "off"
    server.cameras[0] = camera(zones=[*camera()["zones"], lawn | {"open_person_tracks": 0}])
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor.front_door_lawn_occupied") == "off", "drawn again, it is back"


async def test_survival_mode_faces_gaps_and_a_lost_media_folder_show(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    assert state(hass, "binary_sensor.marengocam_face_engine") == "on"
    server.health["survival"] = {"level": 3, "step": "skip_faces", "reasons": ["lag"]}
    server.health |= {"survival_mode": True, "face_engine": "off", "storage": None}
    server.gaps = [{"camera_id": "front", "from_at": "2026-11-24T10:00:00Z", "to_at": "2026-11-24T10:03:12Z"}] * 2
    loaded.runtime_data.coordinator._gaps_at = None
    await loaded.runtime_data.coordinator.async_refresh()
    await hass.async_block_till_done()
    assert state(hass, "binary_sensor.marengocam_survival_mode") == "on"
    assert state(hass, "sensor.marengocam_given_up_by_survival_mode") == "skip_faces"
    assert hass.states.get("sensor.marengocam_given_up_by_survival_mode").attributes["reasons"] == ["lag"]
    assert state(hass, "binary_sensor.marengocam_face_engine") == "unknown"
    assert state(hass, "sensor.marengocam_storage_free") == "unknown"
    assert state(hass, "sensor.front_door_not_recorded_in_24_hours") == "384"
    assert state(hass, "sensor.back_yard_not_recorded_in_24_hours") == "0"
