"""Changes that entities and actions ask the backend for, shown at once; its refusals in the owner's language."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .client import ApiError, Camera, MarengoCamClientError
from .coordinator import MarengoCamCoordinator
from .failures import explain

ALWAYS = "always"
OFF = "off"


@contextmanager
def explained() -> Iterator[None]:
    """Turn the client's errors into Home Assistant's: a refusal is the caller's, all else the backend's."""
    try:
        yield
    except ApiError as error:
        raise explain(error, ServiceValidationError) from error
    except MarengoCamClientError as error:
        raise explain(error, HomeAssistantError) from error


async def change_camera(coordinator: MarengoCamCoordinator, camera_id: str, changes: Mapping[str, Any]) -> None:
    """Change a camera; raises HomeAssistantError."""
    with explained():
        coordinator.put_camera(await coordinator.client.change_camera(camera_id, changes))


async def change_preferences(coordinator: MarengoCamCoordinator, **changes: Any) -> None:
    """Change what holds for the whole installation; raises HomeAssistantError."""
    with explained():
        coordinator.put_preferences(await coordinator.client.change_preferences(**changes))


def recording_change(camera: Camera, mode: str, **options: Any) -> dict[str, Any]:
    """Return the change that gives a camera another recording mode and keeps its other options."""
    recording = camera.recording
    kept = {"pre_roll_s": recording.pre_roll_s, "post_roll_s": recording.post_roll_s, "sound": recording.sound}
    return {"recording": kept | options | {"mode": mode}}


def faces_change(camera: Camera, *, on: bool) -> dict[str, Any]:
    """Return the change that has faces looked for or not."""
    return {"analysis": {**camera.analysis, "faces": on}}
