"""Actions about what is filmed: clips and pictures to keep, moments to find again, when to record."""

from typing import Any, Final

from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.helpers import config_validation as cv

from ..changes import change_camera, explained, recording_change
from ..media_folder import Kept, save_clip, save_snapshot
from ..schema import vol
from .targets import (
    ATTR_CAMERA_ID,
    BACKEND_FIELDS,
    CAMERA_FIELDS,
    NAME,
    SPAN_FIELDS,
    backend_of,
    camera_of,
    for_a_camera,
    in_zone,
    span_of,
)

ATTR_FILENAME: Final = "filename"
ATTR_LABEL: Final = "label"
ATTR_AT: Final = "at"
ATTR_MODE: Final = "mode"
ATTR_PRE_ROLL: Final = "pre_roll_s"
ATTR_POST_ROLL: Final = "post_roll_s"
MODES: Final = ["always", "motion", "person", "off"]

EXPORT_CLIP_SCHEMA = for_a_camera({**SPAN_FIELDS, vol.Optional(ATTR_FILENAME): cv.string})
SNAPSHOT_SCHEMA = for_a_camera({vol.Optional(ATTR_FILENAME): cv.string})
CREATE_EVENT_SCHEMA = vol.Schema(
    {**CAMERA_FIELDS, **BACKEND_FIELDS, vol.Required(ATTR_LABEL): NAME, vol.Optional(ATTR_AT): cv.datetime}
)
SET_RECORDING_SCHEMA = for_a_camera(
    {
        vol.Required(ATTR_MODE): vol.In(MODES),
        vol.Optional(ATTR_PRE_ROLL): vol.All(vol.Coerce(float), vol.Range(0, 60)),
        vol.Optional(ATTR_POST_ROLL): vol.All(vol.Coerce(float), vol.Range(1, 600)),
    }
)


async def export_clip(call: ServiceCall) -> ServiceResponse:
    """Keep a stretch of a camera's recording in Home Assistant's media folder."""
    entry, camera = camera_of(call)
    from_at, to_at = span_of(call)
    kept = await save_clip(call.hass, entry.runtime_data.client, camera, from_at, to_at, call.data.get(ATTR_FILENAME))
    return _told(kept)


async def snapshot(call: ServiceCall) -> ServiceResponse:
    """Keep a camera's present picture in Home Assistant's media folder."""
    entry, camera = camera_of(call)
    return _told(await save_snapshot(call.hass, entry.runtime_data.client, camera, call.data.get(ATTR_FILENAME)))


async def create_event(call: ServiceCall) -> ServiceResponse:
    """Mark a moment, so that it can be found again."""
    if ATTR_ENTITY_ID in call.data or ATTR_CAMERA_ID in call.data:
        entry, camera = camera_of(call)
        camera_id: str | None = camera.camera_id
    else:
        entry, camera_id = backend_of(call), None
    at = call.data.get(ATTR_AT)
    with explained():
        event = await entry.runtime_data.client.mark_moment(
            call.data[ATTR_LABEL], camera_id, None if at is None else in_zone(at)
        )
    return {"event_number": event.number, "occurred_at": event.occurred_at.isoformat()}


async def set_recording(call: ServiceCall) -> ServiceResponse:
    """Say when a camera is recorded, and return what holds then."""
    entry, camera = camera_of(call)
    options: dict[str, Any] = {name: call.data[name] for name in (ATTR_PRE_ROLL, ATTR_POST_ROLL) if name in call.data}
    await change_camera(
        entry.runtime_data.coordinator,
        camera.camera_id,
        recording_change(camera, call.data[ATTR_MODE], **options),
    )
    holds = entry.runtime_data.coordinator.data.cameras[camera.camera_id].recording
    return {ATTR_MODE: holds.mode, ATTR_PRE_ROLL: holds.pre_roll_s, ATTR_POST_ROLL: holds.post_roll_s}


def _told(kept: Kept) -> ServiceResponse:
    return {"path": str(kept.path), "media_content_id": kept.media_content_id, "size_bytes": kept.size_bytes}
