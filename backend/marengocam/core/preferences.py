"""What an owner changes while all runs, for the whole installation; everything else is in the settings."""

from dataclasses import dataclass, replace

from marengocam.core.model import Camera

PRIVACY_REASON = "Privacy mode is on: neither recorded nor analysed."


@dataclass(frozen=True, slots=True)
class Preferences:
    """The wishes in force."""

    privacy: bool = False  # True: no camera is recorded or analysed
    confirm_probability: float | None = None  # None: the setting of that name


def in_force(cameras: list[Camera], preferences: Preferences) -> list[Camera]:
    """Return the cameras as they are to be served: under privacy all are switched off."""
    return [replace(camera, enabled=False) for camera in cameras] if preferences.privacy else cameras
