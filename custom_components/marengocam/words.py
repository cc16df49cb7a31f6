"""Words outside the user interface (media browser, logbook, Assist), in the owner's language: `common` of the texts."""

from collections.abc import Mapping

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations, async_get_translations

from .const import DOMAIN

PREFIX = f"component.{DOMAIN}.common."


@callback
def word(hass: HomeAssistant, key: str) -> str:
    """Return a word in Home Assistant's language, or else in English."""
    return _named(async_get_cached_translations(hass, hass.config.language, "common", DOMAIN), key)


async def word_in(hass: HomeAssistant, language: str, key: str) -> str:
    """Return a word in a language that somebody speaks to Home Assistant, or else in English."""
    return _named(await async_get_translations(hass, language, "common", [DOMAIN]), key)


def _named(texts: Mapping[str, str], key: str) -> str:
    return texts.get(f"{PREFIX}{key}", key)
