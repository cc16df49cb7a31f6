"""Actions of the integration."""

import asyncio
from datetime import datetime
from typing import Any, Final

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .client import ApiError, MarengoCamClient, MarengoCamClientError, Replay
from .const import DOMAIN
from .coordinator import MarengoCamConfigEntry
from .failures import explain
from .registry import camera_unique_id
from .schema import vol

SERVICE_REPLAY: Final = "replay"
ATTR_CAMERA_ID: Final = "camera_id"
ATTR_FROM: Final = "from"
ATTR_TO: Final = "to"
ATTR_DEBUG: Final = "debug"
ATTR_WAIT: Final = "wait"

REPLAY_LIMIT_S = 1800.0
REPLAY_POLL_S = 1.0

REPLAY_SCHEMA = vol.All(
    vol.Schema(
        {
            vol.Exclusive(ATTR_ENTITY_ID, "camera"): cv.entity_domain(CAMERA_DOMAIN),
            vol.Exclusive(ATTR_CAMERA_ID, "camera"): cv.string,
            vol.Required(ATTR_FROM): cv.datetime,
            vol.Required(ATTR_TO): cv.datetime,
            vol.Optional(ATTR_DEBUG, default=False): cv.boolean,
            vol.Optional(ATTR_WAIT, default=False): cv.boolean,
        }
    ),
    cv.has_at_least_one_key(ATTR_ENTITY_ID, ATTR_CAMERA_ID),
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions."""
    hass.services.async_register(
        DOMAIN, SERVICE_REPLAY, _replay, REPLAY_SCHEMA, supports_response=SupportsResponse.OPTIONAL
    )


async def _replay(call: ServiceCall) -> ServiceResponse:
    """Run a stretch of a camera's recording through the current code once more."""
    entry, camera_id = _camera_of(call)
    from_at, to_at = (_in_zone(call.data[key]) for key in (ATTR_FROM, ATTR_TO))
    if from_at >= to_at:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="replay_order")
    client = entry.runtime_data.client
    try:
        replay = await client.request_replay(camera_id, from_at, to_at, debug=call.data[ATTR_DEBUG])
        if call.data[ATTR_WAIT]:
            replay = await _finished(client, replay)
    except ApiError as error:
        raise explain(error, ServiceValidationError) from error
    except MarengoCamClientError as error:
        raise explain(error, HomeAssistantError) from error
    response: dict[str, Any] = {"run_id": replay.run_id, "state": replay.state}
    if replay.done:
        response |= {"reason": replay.reason, "report": dict(replay.report)}
    return response


async def _finished(client: MarengoCamClient, replay: Replay) -> Replay:
    try:
        async with asyncio.timeout(REPLAY_LIMIT_S):
            while not replay.done:
                await asyncio.sleep(REPLAY_POLL_S)
                replay = await client.replay(replay.run_id)
    except TimeoutError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="replay_not_finished",
            translation_placeholders={"run_id": replay.run_id, "minutes": f"{REPLAY_LIMIT_S / 60:.0f}"},
        ) from error
    return replay


def _camera_of(call: ServiceCall) -> tuple[MarengoCamConfigEntry, str]:
    """Return the loaded entry and the camera that the call names; raises ServiceValidationError."""
    entries: list[MarengoCamConfigEntry] = call.hass.config_entries.async_entries(DOMAIN)
    loaded = [entry for entry in entries if entry.state is ConfigEntryState.LOADED]
    if not loaded:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_loaded")
    entity_id: str | None = call.data.get(ATTR_ENTITY_ID)
    known = er.async_get(call.hass).async_get(entity_id) if entity_id else None
    for entry in loaded:
        state = entry.runtime_data.coordinator.data
        for camera_id in state.cameras:
            if entity_id is None:
                found = camera_id == call.data[ATTR_CAMERA_ID]
            else:
                unique_id = camera_unique_id(state.info.installation_id, camera_id)
                found = known is not None and known.platform == DOMAIN and known.unique_id == unique_id
            if found:
                return entry, camera_id
    raise ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key="unknown_camera",
        translation_placeholders={"camera": entity_id or call.data[ATTR_CAMERA_ID]},
    )


def _in_zone(moment: datetime) -> datetime:
    """Take a time without a zone as Home Assistant's own."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt_util.get_default_time_zone())
