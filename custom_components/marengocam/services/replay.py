"""The action that runs a recording through the current code once more, or has a moment of it explained."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from homeassistant.core import ServiceCall, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from ..changes import explained
from ..client import MarengoCamClient, Replay
from ..const import DOMAIN
from ..schema import vol
from .targets import ATTR_FROM, ATTR_TO, camera_of, for_a_camera, in_zone, span_of

ATTR_DEBUG: Final = "debug"
ATTR_OVERRIDES: Final = "overrides"
ATTR_MODELS: Final = "models"
ATTR_GALLERY_AT: Final = "gallery_at"
ATTR_PACE: Final = "pace"
ATTR_WHY: Final = "why"
ATTR_WAIT: Final = "wait"
FINISHED: Final = "finished"

REPLAY_LIMIT_S = 1800.0
REPLAY_POLL_S = 1.0

PACES: Final = ("fast", "real_time", "step")
OF_A_STRETCH: Final = (ATTR_FROM, ATTR_TO, ATTR_GALLERY_AT, ATTR_PACE)


def _stretch_or_moment(data: dict[str, Any]) -> dict[str, Any]:
    """Let pass what names either a stretch of time or the one moment to be explained."""
    if ATTR_WHY not in data:
        missing = [name for name in (ATTR_FROM, ATTR_TO) if name not in data]
        if missing:
            raise vol.RequiredFieldInvalid("required key not provided", path=[missing[0]])
        return data
    for name in OF_A_STRETCH:
        if name in data:
            raise vol.Invalid("not taken together with why", path=[name])
    return data


REPLAY_SCHEMA = for_a_camera(
    {
        vol.Optional(ATTR_FROM): cv.datetime,
        vol.Optional(ATTR_TO): cv.datetime,
        vol.Optional(ATTR_WHY): cv.datetime,
        vol.Optional(ATTR_DEBUG, default=False): cv.boolean,
        vol.Optional(ATTR_OVERRIDES, default={}): vol.Schema({cv.string: cv.string}),
        vol.Optional(ATTR_MODELS, default=[]): vol.All(cv.ensure_list, [cv.string]),
        vol.Optional(ATTR_GALLERY_AT): cv.datetime,
        vol.Optional(ATTR_PACE): vol.In(PACES),
        vol.Optional(ATTR_WAIT, default=False): cv.boolean,
    },
    _stretch_or_moment,
)


async def replay(call: ServiceCall) -> ServiceResponse:
    """Run a stretch of a camera's recording through the current code once more, or have a moment explained."""
    entry, camera = camera_of(call)
    data: Mapping[str, Any] = call.data
    changes = {"overrides": data[ATTR_OVERRIDES], "models": data[ATTR_MODELS]}
    client = entry.runtime_data.client
    with explained():
        if ATTR_WHY in data:
            run = await client.ask_why(camera.camera_id, in_zone(data[ATTR_WHY]), **changes)
        else:
            from_at, to_at = span_of(call)
            run = await client.request_replay(
                camera.camera_id,
                from_at,
                to_at,
                debug=data[ATTR_DEBUG],
                pace=data.get(ATTR_PACE, PACES[0]),
                gallery_at=in_zone(data[ATTR_GALLERY_AT]) if ATTR_GALLERY_AT in data else None,
                **changes,
            )
        if call.data[ATTR_WAIT]:
            run = await _finished(client, run)
        compares = run.state == FINISHED and ATTR_WHY not in data
        seen = await client.replay_difference(run.run_id) if compares else None
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
