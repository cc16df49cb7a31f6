"""The cards: one file, served and made known to every dashboard."""

import asyncio
import hashlib
from pathlib import Path
from typing import Any, Final

from homeassistant.components import frontend
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER

FILE: Final = Path(__file__).parent / "frontend" / "marengocam-cards.js"
ADDRESS: Final = f"/{DOMAIN}/marengocam-cards.js"
LOVELACE: Final = "lovelace"
SERVED_AT: HassKey[str] = HassKey(f"{DOMAIN}_cards")


async def async_serve_cards(hass: HomeAssistant) -> None:
    """Serve the cards; their address changes with their content, so that browsers keep no old ones."""
    try:
        content = await asyncio.to_thread(FILE.read_bytes)
    except OSError as error:
        LOGGER.warning("The cards cannot be shown, their file is missing: %s", error)
        return
    await hass.http.async_register_static_paths([StaticPathConfig(ADDRESS, str(FILE), cache_headers=True)])
    hass.data[SERVED_AT] = f"{ADDRESS}?{hashlib.sha256(content).hexdigest()[:12]}"


async def async_list_cards(hass: HomeAssistant) -> None:
    """List the cards as a resource, once, where they are served."""
    address = hass.data.get(SERVED_AT)
    if address is None:
        return
    resources = await _resources(hass)
    if resources is None:
        if frontend.DOMAIN not in hass.config.components:
            return  # nobody looks at dashboards here
        # Dashboards written in YAML list their resources themselves; this way nobody has to.
        frontend.add_extra_js_url(hass, address)
        return
    ours = _ours(resources)
    if not ours:
        await resources.async_create_item({"res_type": "module", "url": address})
        return
    if ours[0]["url"] != address:
        await resources.async_update_item(ours[0]["id"], {"res_type": "module", "url": address})
    for twin in ours[1:]:
        await resources.async_delete_item(twin["id"])


async def async_remove_cards(hass: HomeAssistant) -> None:
    """Take the cards off the list of resources."""
    resources = await _resources(hass)
    for item in _ours(resources) if resources is not None else []:
        await resources.async_delete_item(item["id"])


async def _resources(hass: HomeAssistant) -> Any:
    """Return the list of resources that Home Assistant keeps; None where it is written in YAML or there is none."""
    resources = getattr(hass.data.get(LOVELACE), "resources", None)
    if resources is None or not hasattr(resources, "async_create_item"):
        return None
    await resources.async_get_info()  # loads it, if nobody has yet
    return resources


def _ours(resources: Any) -> list[dict[str, Any]]:
    return [item for item in resources.async_items() if str(item.get("url", "")).partition("?")[0] == ADDRESS]
