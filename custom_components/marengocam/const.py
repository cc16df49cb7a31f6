"""Names and limits of the integration."""

import logging
from datetime import timedelta
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "marengocam"
LOGGER: Final = logging.getLogger(__package__)
MANUFACTURER: Final = "MarengoCam"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
]

CONF_ADDRESS: Final = "address"
CONF_TOKEN: Final = "token"  # noqa: S105 - the field's name
OPTION_LATE_AS_TRIGGERS: Final = "late_as_triggers"
OPTION_ZONES: Final = "zones"  # ids of those that the owner chose, by camera

POLL_INTERVAL: Final = timedelta(seconds=30)
GAPS_EVERY_S: Final = 300.0  # how often the backend is asked what it did not record
HURRY_COOLDOWN_S: Final = 1.0  # hints within this make one refresh

# Home Assistant's own addresses for what the backend has, for those who are logged in.
TRACK_PICTURE: Final = f"/api/{DOMAIN}/{{}}/track/{{}}.jpg"
CLIP: Final = f"/api/{DOMAIN}/{{}}/clip/{{}}/{{}}/{{}}.mp4"

# Events whose fact is old when it comes fire this instead of marengocam_<type>.
LATE_EVENT: Final = f"{DOMAIN}_late_event"
