"""Preferences, marked moments and gaps as the API shows and takes them."""

from datetime import datetime
from typing import Annotated

import msgspec

from marengocam.web.wire.base import CameraId, Given, Name, Told

Sureness = Annotated[float, msgspec.Meta(ge=0.5, le=0.9999)]


class PreferencesOut(Told):
    """What holds for the whole installation; under `privacy` no camera is recorded or analysed."""

    privacy: bool
    confirm_probability: float


class PreferencesChange(Given):
    """What is given changes; `confirm_probability` null: as the settings say."""

    privacy: bool | msgspec.UnsetType = msgspec.UNSET
    confirm_probability: Sureness | msgspec.UnsetType | None = msgspec.UNSET


class MomentIn(Given):
    """A moment that somebody wants to find again; without a time it is now."""

    label: Name
    camera_id: CameraId | None = None
    at: datetime | None = None


class GapOut(Told):
    """A stretch without a recording."""

    camera_id: str
    from_at: datetime
    to_at: datetime


class GapList(Told):
    gaps: list[GapOut]
