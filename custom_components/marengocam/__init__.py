"""MarengoCam: who is where, from your own cameras."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType

from .cards import async_list_cards, async_remove_cards, async_serve_cards
from .client import MarengoCamClient
from .const import CONF_ADDRESS, CONF_TOKEN, DOMAIN, PLATFORMS
from .coordinator import MarengoCamCoordinator
from .feed import EventFeed, position_store
from .intents import async_setup_intents
from .issues import Repairs, tell_versions
from .registry import device_is_wanted, device_names, sync_devices
from .runtime import MarengoCamConfigEntry, MarengoCamRuntime
from .services import async_setup_services
from .views import async_register_views
from .zones import forget_zones_not_shown, shown_zone_ids

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions, once and for all entries."""
    async_setup_services(hass)
    async_register_views(hass)
    async_setup_intents(hass)
    await async_serve_cards(hass)
    await async_list_cards(hass)  # before entries that are set up side by side would each list them
    return True


async def async_setup_entry(hass: HomeAssistant, entry: MarengoCamConfigEntry) -> bool:
    """Connect to the backend, mirror its devices and follow its events."""
    client = MarengoCamClient(async_get_clientsession(hass), entry.data[CONF_ADDRESS], entry.data[CONF_TOKEN])
    coordinator = MarengoCamCoordinator(hass, entry, client)
    try:
        await coordinator.async_config_entry_first_refresh()
    except ConfigEntryNotReady:
        tell_versions(hass, entry, coordinator.last_exception)
        raise
    feed = EventFeed(hass, entry, coordinator, client)
    await feed.async_load()
    entry.runtime_data = MarengoCamRuntime(client, coordinator, feed)

    # Before the platforms' own listeners, so that a device is there when its entities come.
    _follow_devices(hass, entry)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    Repairs(hass, entry).start()
    await async_list_cards(hass)  # they went with the last entry, if this one comes after it
    feed.async_start()
    return True


async def async_unload_entry(hass: HomeAssistant, entry: MarengoCamConfigEntry) -> bool:
    """Stop everything that async_setup_entry started."""
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if unloaded:
        await entry.runtime_data.feed.async_stop()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: MarengoCamConfigEntry) -> None:
    """Forget the number of the last event handled; with the last entry the cards go from the dashboards' resources."""
    await position_store(hass, entry.entry_id).async_remove()
    tell_versions(hass, entry, None)
    if not hass.config_entries.async_entries(DOMAIN):
        await async_remove_cards(hass)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: MarengoCamConfigEntry, device: DeviceEntry
) -> bool:
    """Let the owner remove a device that the backend no longer has."""
    return not device_is_wanted(device, entry.runtime_data.coordinator.data)


@callback
def _follow_devices(hass: HomeAssistant, entry: MarengoCamConfigEntry) -> None:
    coordinator = entry.runtime_data.coordinator
    shown: dict[str, str] | None = None
    zones: frozenset[str] | None = None

    @callback
    def look() -> None:
        nonlocal shown, zones
        if (wanted := shown_zone_ids(entry.options, coordinator.data)) != zones:
            forget_zones_not_shown(hass, entry, wanted)
            zones = wanted
        names = device_names(coordinator.data)
        if names != shown:
            sync_devices(hass, entry, coordinator.data, entry.runtime_data.client.address)
            shown = names

    look()
    entry.async_on_unload(coordinator.async_add_listener(look))
