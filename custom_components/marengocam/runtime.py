"""What lives as long as the config entry is loaded."""

from dataclasses import dataclass
from typing import TypeAlias

from homeassistant.config_entries import ConfigEntry

from .client import MarengoCamClient
from .coordinator import MarengoCamCoordinator
from .feed import EventFeed


@dataclass(slots=True)
class MarengoCamRuntime:
    """The connection to one backend and what follows it."""

    client: MarengoCamClient
    coordinator: MarengoCamCoordinator
    feed: EventFeed


MarengoCamConfigEntry: TypeAlias = ConfigEntry[MarengoCamRuntime]
