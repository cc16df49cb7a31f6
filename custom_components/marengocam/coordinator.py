"""What the backend knows now: polled, and hurried by its hints."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .client import (
    Camera,
    Gap,
    InvalidTokenError,
    MarengoCamClient,
    MarengoCamClientError,
    Person,
    Preferences,
)
from .const import DOMAIN, GAPS_EVERY_S, HURRY_COOLDOWN_S, LOGGER, POLL_INTERVAL
from .failures import explain
from .state import BackendState


class Part(StrEnum):
    """What can be asked for apart from the rest."""

    CAMERAS = "cameras"
    PERSONS = "persons"
    HEALTH = "health"
    PREFERENCES = "preferences"


# Which part a hint of the backend is about; an open track shows in its camera.
HINTS: Mapping[str, frozenset[Part]] = {
    "cameras": frozenset({Part.CAMERAS}),
    "tracks": frozenset({Part.CAMERAS}),
    "persons": frozenset({Part.PERSONS}),
    "health": frozenset({Part.HEALTH, Part.PREFERENCES}),
}
EVERYTHING = frozenset(Part)


class MarengoCamCoordinator(DataUpdateCoordinator[BackendState]):
    """Asks the backend for everything now and then, and for a part of it when told that it changed."""

    config_entry: ConfigEntry

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, client: MarengoCamClient) -> None:
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=DOMAIN,
            update_interval=POLL_INTERVAL,
            always_update=False,
            request_refresh_debouncer=Debouncer(hass, LOGGER, cooldown=HURRY_COOLDOWN_S, immediate=True),
        )
        self.client = client
        self._hurried: set[Part] = set()
        self._complete_at: float | None = None
        self._gaps: Mapping[str, float] = {}
        self._gaps_at: float | None = None
        self.clock_off = timedelta(0)  # how far the backend's clock is from Home Assistant's

    @callback
    def hurry(self, parts: frozenset[Part] = EVERYTHING) -> None:
        """Refresh these parts now; hints that come close together make one refresh."""
        self._hurried |= parts
        self.config_entry.async_create_background_task(
            self.hass, self.async_request_refresh(), f"{DOMAIN} hurried refresh"
        )

    @callback
    def put_camera(self, camera: Camera) -> None:
        """Show at once what the backend answered to a change."""
        self.async_set_updated_data(replace(self.data, cameras={**self.data.cameras, camera.camera_id: camera}))

    @callback
    def put_preferences(self, preferences: Preferences) -> None:
        """Show at once what the backend answered to a change; under privacy every camera looks different."""
        self.async_set_updated_data(replace(self.data, preferences=preferences))
        self.hurry()

    async def _async_update_data(self) -> BackendState:
        now = self.hass.loop.time()
        hurried, self._hurried = frozenset(self._hurried), set()
        due = self._complete_at is None or now - self._complete_at >= POLL_INTERVAL.total_seconds()
        try:
            if due or not hurried or hurried == EVERYTHING or not self.last_update_success:
                state = await self._everything()
                self._complete_at = now
            else:
                state = await self._some(self.data, hurried)
        except InvalidTokenError as error:
            raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="invalid_auth") from error
        except MarengoCamClientError as error:
            raise explain(error, UpdateFailed) from error
        if state.info.installation_id != self.config_entry.unique_id:
            raise UpdateFailed(
                translation_domain=DOMAIN,
                translation_key="other_installation",
                translation_placeholders={"address": self.client.address},
            )
        return state

    async def _everything(self) -> BackendState:
        info, cameras, persons, health, preferences = await asyncio.gather(
            self.client.info(),
            self.client.cameras(),
            self.client.persons(),
            self.client.health(),
            self.client.preferences(),
        )
        self.clock_off = abs(health.now - dt_util.utcnow())
        return BackendState(
            info, _by_camera(cameras), _by_person(persons), health, preferences, await self._not_recorded()
        )

    async def _not_recorded(self) -> Mapping[str, float]:
        now = self.hass.loop.time()
        if self._gaps_at is None or now - self._gaps_at >= GAPS_EVERY_S:
            self._gaps = _by_length(await self.client.gaps())
            self._gaps_at = now
        return self._gaps

    async def _some(self, state: BackendState, parts: frozenset[Part]) -> BackendState:
        if Part.CAMERAS in parts:
            state = replace(state, cameras=_by_camera(await self.client.cameras()))
        if Part.PERSONS in parts:
            state = replace(state, persons=_by_person(await self.client.persons()))
        if Part.HEALTH in parts:
            state = replace(state, health=await self.client.health())
        if Part.PREFERENCES in parts:
            state = replace(state, preferences=await self.client.preferences())
        return state


def _by_camera(cameras: tuple[Camera, ...]) -> dict[str, Camera]:
    return {camera.camera_id: camera for camera in cameras}


def _by_person(persons: tuple[Person, ...]) -> dict[str, Person]:
    return {person.person_id: person for person in persons}


def _by_length(gaps: tuple[Gap, ...]) -> dict[str, float]:
    lengths: dict[str, float] = {}
    for gap in gaps:
        lengths[gap.camera_id] = lengths.get(gap.camera_id, 0.0) + (gap.to_at - gap.from_at).total_seconds()
    return lengths
