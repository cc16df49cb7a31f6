"""The action that runs a recording through the current code once more."""

import asyncio
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from ..changes import explained
from ..client import MarengoCamClient, Replay
from ..const import DOMAIN
from ..schema import vol
from .targets import SPAN_FIELDS, camera_of, for_a_camera, in_zone, span_of

ATTR_DEBUG: Final = "debug"
ATTR_OVERRIDES: Final = "overrides"
ATTR_GALLERY_AT: Final = "gallery_at"
ATTR_WAIT: Final = "wait"
FINISHED: Final = "finished"

REPLAY_LIMIT_S = 1800.0
REPLAY_POLL_S = 1.0

REPLAY_SCHEMA = for_a_camera(
    {
        **SPAN_FIELDS,
        vol.Optional(ATTR_DEBUG, default=False): cv.boolean,
        vol.Optional(ATTR_OVERRIDES): vol.Schema({cv.string: cv.string}),
        vol.Optional(ATTR_GALLERY_AT): cv.datetime,
        vol.Optional(ATTR_WAIT, default=False): cv.boolean,
    }
)


async def replay(call: ServiceCall) -> ServiceResponse:
    """Run a stretch of a camera's recording through the current code once more."""
    entry, camera = camera_of(call)
    from_at, to_at = span_of(call)
    client = entry.runtime_data.client
    with explained():
        run = await client.request_replay(
            camera.camera_id,
            from_at,
            to_at,
            debug=call.data[ATTR_DEBUG],
            overrides=call.data.get(ATTR_OVERRIDES),
            gallery_at=in_zone(call.data[ATTR_GALLERY_AT]) if ATTR_GALLERY_AT in call.data else None,
        )
        if call.data[ATTR_WAIT]:
            run = await _finished(client, run)
        seen = await client.replay_difference(run.run_id) if run.state == FINISHED else None
    response: dict[str, Any] = {"run_id": run.run_id, "state": run.state}
    if run.done:
        response |= {"reason": run.reason, "report": dict(run.report)}
    if seen is not None:
        response |= {"summary": seen.summary, "difference": dict(seen.difference)}
    return response


async def _finished(client: MarengoCamClient, run: Replay) -> Replay:
    try:
        async with asyncio.timeout(REPLAY_LIMIT_S):
            while not run.done:
                await asyncio.sleep(REPLAY_POLL_S)
                run = await client.replay(run.run_id)
    except TimeoutError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="replay_not_finished",
            translation_placeholders={"run_id": run.run_id, "minutes": f"{REPLAY_LIMIT_S / 60:.0f}"},
        ) from error
    return run
