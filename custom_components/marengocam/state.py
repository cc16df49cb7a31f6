"""What the backend told last, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass

from .client import Camera, Health, Info, Person, Preferences


@dataclass(frozen=True, slots=True)
class BackendState:
    """Everything the entities show."""

    info: Info
    cameras: Mapping[str, Camera]
    persons: Mapping[str, Person]
    health: Health
    preferences: Preferences
    not_recorded_s: Mapping[str, float]  # of the last 24 hours, by camera
