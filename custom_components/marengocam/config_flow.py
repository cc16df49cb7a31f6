"""Adding a backend in the user interface: address and token, tested before they are saved."""

import asyncio
from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlow, ConfigFlowResult, OptionsFlow
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.selector import (
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
from homeassistant.helpers.service_info.hassio import HassioServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo

from .client import (
    AddressError,
    ApiError,
    BackendTooNewError,
    BackendTooOldError,
    CannotConnectError,
    Info,
    InvalidTokenError,
    MarengoCamClient,
    MarengoCamClientError,
    UnexpectedAnswerError,
    normalise_address,
)
from .const import CONF_ADDRESS, CONF_TOKEN, DOMAIN, LOGGER
from .options_flow import MarengoCamOptionsFlow
from .schema import vol

ADDRESS_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT, autocomplete="url"))
TOKEN_FIELD = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off"))
BOTH_FIELDS = vol.Schema({vol.Required(CONF_ADDRESS): ADDRESS_FIELD, vol.Required(CONF_TOKEN): TOKEN_FIELD})
TOKEN_ONLY = vol.Schema({vol.Required(CONF_TOKEN): TOKEN_FIELD})

# Texts for translators hold no addresses.
EXAMPLES = {"example_address": "http://nas.local:8470"}

Errors = dict[str, str]
REASONS: Mapping[type[MarengoCamClientError], Errors] = {
    CannotConnectError: {CONF_ADDRESS: "cannot_connect"},
    InvalidTokenError: {CONF_TOKEN: "invalid_auth"},
    BackendTooOldError: {"base": "backend_too_old"},
    BackendTooNewError: {"base": "backend_too_new"},
    UnexpectedAnswerError: {CONF_ADDRESS: "not_marengocam"},
}


async def ask(hass: HomeAssistant, values: Mapping[str, str]) -> tuple[Info | None, Errors, dict[str, str]]:
    """Return who answers at the address, or which field is wrong and why, and the values as they are to be saved."""
    saved = {CONF_ADDRESS: values[CONF_ADDRESS], CONF_TOKEN: values[CONF_TOKEN].strip()}
    try:
        saved[CONF_ADDRESS] = normalise_address(values[CONF_ADDRESS])
        info = await MarengoCamClient(async_get_clientsession(hass), saved[CONF_ADDRESS], saved[CONF_TOKEN]).info()
    except AddressError:
        return None, {CONF_ADDRESS: "invalid_address"}, saved
    except MarengoCamClientError as error:
        return None, _reason(error), saved
    except Exception:  # noqa: BLE001 - the owner sees a sentence, the log has the rest
        LOGGER.exception("Asking the backend failed in a way nobody thought of")
        return None, {"base": "unknown"}, saved
    return info, {}, saved


def _reason(error: MarengoCamClientError) -> Errors:
    if isinstance(error, ApiError):
        if error.code == "forbidden":
            return {CONF_TOKEN: "forbidden"}
        LOGGER.warning("The backend answers but does not let itself be added: %s", error.message)
    return REASONS.get(type(error), {"base": "refused"})


class MarengoCamConfigFlow(ConfigFlow, domain=DOMAIN):
    """Adds a backend, gives it a new token or a new address."""

    VERSION = 1
    MINOR_VERSION = 1

    _address = ""
    _token = ""

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        return MarengoCamOptionsFlow()

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for address and token."""
        errors: Errors = {}
        if user_input is not None:
            info, errors, saved = await ask(self.hass, user_input)
            if info is not None:
                await self.async_set_unique_id(info.installation_id, raise_on_progress=False)
                self._abort_if_unique_id_configured(updates=saved)
                return self.async_create_entry(title=info.name, data=saved)
        return self.async_show_form(
            step_id="user",
            data_schema=self.add_suggested_values_to_schema(BOTH_FIELDS, _shown_again(user_input)),
            errors=errors,
            description_placeholders=EXAMPLES,
        )

    async def async_step_zeroconf(self, discovery_info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Begin because a backend announced itself on the network; its token is still needed."""
        installation_id = discovery_info.properties.get("installation_id")
        if not installation_id:
            return self.async_abort(reason="not_marengocam")
        addresses = _announced(discovery_info)
        if (known := await self.async_set_unique_id(installation_id)) is not None:
            await self._follow(known, addresses)
            return self.async_abort(reason="already_configured")
        session = async_get_clientsession(self.hass)
        answers = await asyncio.gather(*(MarengoCamClient(session, one, "").answers() for one in addresses))
        answering = [address for address, answered in zip(addresses, answers, strict=True) if answered]
        if not answering:
            return self.async_abort(reason="cannot_connect")
        self._address = answering[0]
        self.context["title_placeholders"] = {"name": discovery_info.properties.get("name") or discovery_info.hostname}
        return await self.async_step_discovered()

    async def _follow(self, entry: ConfigEntry, addresses: list[str]) -> None:
        """Take over a new address of a backend that is away at the old one: a working one may be better than announced.

        Aborts when it was taken over.
        """
        if entry.state is ConfigEntryState.LOADED and entry.runtime_data.coordinator.last_update_success:
            return
        for address in addresses:
            info, _, saved = await ask(self.hass, {**entry.data, CONF_ADDRESS: address})
            if info is not None and info.installation_id == entry.unique_id:
                self._abort_if_unique_id_configured(updates=saved)

    async def async_step_discovered(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the token of a backend that was found."""
        errors: Errors = {}
        if user_input is not None:
            info, errors, saved = await ask(self.hass, {CONF_ADDRESS: self._address, **user_input})
            if info is not None:
                if info.installation_id != self.unique_id:
                    return self.async_abort(reason="other_installation")
                return self.async_create_entry(title=info.name, data=saved)
            errors = _for_the_whole(errors)
        return self.async_show_form(
            step_id="discovered",
            data_schema=TOKEN_ONLY,
            errors=errors,
            description_placeholders={"address": self._address},
        )

    async def async_step_hassio(self, discovery_info: HassioServiceInfo) -> ConfigFlowResult:
        """Begin because our own app announced itself to the Supervisor, with address and token."""
        config = discovery_info.config
        host, port, token = config.get("host"), config.get("port"), config.get(CONF_TOKEN)
        if not (isinstance(host, str) and isinstance(port, int) and isinstance(token, str)):
            return self.async_abort(reason="not_marengocam")
        self._address, self._token = f"http://{host}:{port}", token
        info, _, saved = await ask(self.hass, {CONF_ADDRESS: self._address, CONF_TOKEN: token})
        if info is None:
            return self.async_abort(reason="cannot_connect")
        await self.async_set_unique_id(info.installation_id)
        self._abort_if_unique_id_configured(updates=saved)
        self.context["title_placeholders"] = {"name": discovery_info.name}
        return await self.async_step_hassio_confirm()

    async def async_step_hassio_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for one click."""
        if user_input is not None:
            info, _, saved = await ask(self.hass, {CONF_ADDRESS: self._address, CONF_TOKEN: self._token})
            if info is None:
                return self.async_abort(reason="cannot_connect")
            return self.async_create_entry(title=info.name, data=saved)
        return self.async_show_form(step_id="hassio_confirm")

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin because the backend no longer accepts the token."""
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new token."""
        entry = self._get_reauth_entry()
        errors: Errors = {}
        if user_input is not None:
            info, errors, saved = await ask(self.hass, {**entry.data, **user_input})
            if info is not None:
                await self.async_set_unique_id(info.installation_id)
                self._abort_if_unique_id_mismatch(reason="other_installation")
                return self.async_update_reload_and_abort(entry, data_updates=saved)
            errors = _for_the_whole(errors)
        return self.async_show_form(
            step_id="reauth_confirm",
            data_schema=TOKEN_ONLY,
            errors=errors,
            description_placeholders={"address": entry.data[CONF_ADDRESS]},
        )

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a new address or token of the same backend."""
        entry = self._get_reconfigure_entry()
        errors: Errors = {}
        if user_input is not None:
            info, errors, saved = await ask(self.hass, user_input)
            if info is not None:
                await self.async_set_unique_id(info.installation_id)
                self._abort_if_unique_id_mismatch(reason="other_installation")
                return self.async_update_reload_and_abort(entry, data_updates=saved)
        shown = _shown_again(user_input) or {CONF_ADDRESS: entry.data[CONF_ADDRESS]}
        return self.async_show_form(
            step_id="reconfigure",
            data_schema=self.add_suggested_values_to_schema(BOTH_FIELDS, shown),
            errors=errors,
            description_placeholders=EXAMPLES,
        )


def _announced(discovery_info: ZeroconfServiceInfo) -> list[str]:
    """Return the addresses at which a backend says it is; not all of them need to be on our side of its networks."""
    hosts = dict.fromkeys(str(one) for one in (discovery_info.ip_address, *discovery_info.ip_addresses))
    return [f"http://{f'[{host}]' if ':' in host else host}:{discovery_info.port}" for host in hosts]


def _for_the_whole(errors: Errors) -> Errors:
    """Return errors for a form that does not ask for the address: what is wrong with it is shown for all of it."""
    return {"base" if field == CONF_ADDRESS else field: key for field, key in errors.items()}


def _shown_again(user_input: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a form shows the second time; a token is never sent back."""
    return {key: value for key, value in (user_input or {}).items() if key != CONF_TOKEN}
