"""The backend's events onto the bus and to the event entities, once each and in order, across restarts."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.core import Event as BusEvent
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import Store

from .bus import bus_data, bus_event_type
from .client import Changed, Connected, Disconnected, Event, EventStream, MarengoCamClient, Skipped, StreamMessage
from .const import DOMAIN, LATE_EVENT, LOGGER, OPTION_LATE_AS_TRIGGERS
from .coordinator import HINTS, MarengoCamCoordinator, Part
from .registry import camera_unique_id

STORE_VERSION = 1
SAVE_DELAY_S = 1.0  # after a power cut at most the events of this time come twice
TOUCHED_BY_EVENTS = frozenset({Part.CAMERAS, Part.PERSONS})

EventListener = Callable[[Event], None]


def position_store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    """Return where the number of the last event handled is kept."""
    return Store(hass, STORE_VERSION, f"{DOMAIN}.{entry_id}")


class EventFeed:
    """Follows the event stream while the entry is loaded, from the event after the last one handled."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        coordinator: MarengoCamCoordinator,
        client: MarengoCamClient,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._coordinator = coordinator
        self._client = client
        self._store = position_store(hass, entry.entry_id)
        self._listeners: dict[object, EventListener] = {}
        self._task: asyncio.Task[None] | None = None
        self._saving = False
        self.last_number = 0
        self.handled = 0
        self.late = 0
        self.connected = False

    async def async_load(self) -> None:
        """Take up the number that was stored; the first time begin with what happens from now on."""
        stored = await self._store.async_load()
        if stored is None:
            self.last_number = self._coordinator.data.info.last_event_number
            await self._store.async_save(self._position())
        else:
            self.last_number = stored["last_number"]

    @callback
    def async_start(self) -> None:
        """Follow the stream once automations can listen; stop with Home Assistant."""
        self._entry.async_on_unload(async_at_started(self._hass, self._follow_from_now))
        self._entry.async_on_unload(self._hass.bus.async_listen(EVENT_HOMEASSISTANT_STOP, self._async_stopping))

    @callback
    def async_subscribe(self, listener: EventListener) -> CALLBACK_TYPE:
        """Call `listener` with every event that is announced."""
        token = object()
        self._listeners[token] = listener

        @callback
        def unsubscribe() -> None:
            self._listeners.pop(token, None)

        return unsubscribe

    async def async_stop(self) -> None:
        """Stop following and store the position."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        await self._store.async_save(self._position())

    @callback
    def _follow_from_now(self, hass: HomeAssistant) -> None:
        self._task = self._entry.async_create_background_task(hass, self._follow(), f"{DOMAIN} events")

    async def _async_stopping(self, _event: BusEvent) -> None:
        await self.async_stop()

    async def _follow(self) -> None:
        stream = EventStream(self._client, self.last_number)
        async with aclosing(stream.messages()) as messages:
            async for message in messages:
                self._handle(message)
                self._remember(stream.last_number)

    @callback
    def _handle(self, message: StreamMessage) -> None:
        if isinstance(message, Event):
            self._announce(message)
            self._coordinator.hurry(TOUCHED_BY_EVENTS)
        elif isinstance(message, Changed):
            if parts := HINTS.get(message.what):
                self._coordinator.hurry(parts)
        elif isinstance(message, Skipped):
            LOGGER.warning("Event %d of the backend cannot be read and is left out: %s", message.number, message.reason)
        elif isinstance(message, Connected | Disconnected):
            self.connected = isinstance(message, Connected)
            # The poll finds out, and says once, whether the backend is away.
            LOGGER.debug("Event stream: %s", message)
            self._coordinator.hurry()

    @callback
    def _announce(self, event: Event) -> None:
        data = bus_data(event, self._entry.entry_id, self._camera_entity_id(event.camera_id))
        self.handled += 1
        self.late += event.late
        if event.late and not self._entry.options.get(OPTION_LATE_AS_TRIGGERS, False):
            self._hass.bus.async_fire(LATE_EVENT, {"type": event.type, **data})
            self._coordinator.async_update_listeners()
            return
        self._hass.bus.async_fire(bus_event_type(event), data)
        for listener in list(self._listeners.values()):
            listener(event)

    def _camera_entity_id(self, camera_id: str | None) -> str | None:
        if camera_id is None or self._entry.unique_id is None:
            return None
        unique_id = camera_unique_id(self._entry.unique_id, camera_id)
        return er.async_get(self._hass).async_get_entity_id(CAMERA_DOMAIN, DOMAIN, unique_id)

    def _remember(self, number: int) -> None:
        if number == self.last_number:
            return
        self.last_number = number
        if not self._saving:
            # A save that is waiting takes the newest number when its time comes; asking again would put it off.
            self._saving = True
            self._store.async_delay_save(self._position, SAVE_DELAY_S)

    def _position(self) -> dict[str, Any]:
        self._saving = False
        return {"last_number": self.last_number}
