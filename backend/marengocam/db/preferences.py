"""What an owner changes while all runs."""

from dataclasses import replace
from typing import Any

import msgspec

from marengocam.core.preferences import Preferences
from marengocam.db.database import Database
from marengocam.db.queries import from_json, load

KEY = "preferences"
CHANNELS = ("camera", "health")  # who serves by them is woken by these
_SETTINGS, _CAMERAS = load("access"), load("cameras")


class PreferencesStore:
    """`hub.preferences`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> Preferences:
        """Return the wishes in force."""
        async with self._database.connection() as connection:
            return _preferences(await _SETTINGS.get_setting(connection, setting_key=KEY))

    async def change(self, **changes: Any) -> Preferences:
        """Change some wishes and return all; two changes at once are both kept."""
        async with self._database.transaction() as connection:
            await _SETTINGS.first_setting(connection, setting_key=KEY, value="{}")
            before = _preferences(await _SETTINGS.hold_setting(connection, setting_key=KEY))
            after = replace(before, **changes)
            await _SETTINGS.set_setting(connection, setting_key=KEY, value=msgspec.json.encode(after).decode())
            for channel in CHANNELS:
                await _CAMERAS.notify(connection, channel=channel, payload=KEY)
        return after


def _preferences(text: str | None) -> Preferences:
    return msgspec.convert(from_json(text) or {}, Preferences)
