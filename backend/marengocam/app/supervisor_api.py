"""What the app asks of Home Assistant's Supervisor: its own name, the MQTT broker, and to tell Home Assistant of it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import aiohttp

from marengocam.core.errors import MarengoCamError
from marengocam.core.secret import Secret

ADDRESS = "http://supervisor"
CALL_LIMIT = aiohttp.ClientTimeout(total=10.0)
MQTT_PORT = 1883


class SupervisorError(MarengoCamError):
    """The Supervisor is away or says no; the text says what it said."""


class SupervisorApi:
    """A client for the calls that every app may make."""

    def __init__(self, session: aiohttp.ClientSession, token: Secret, address: str = ADDRESS) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {token.reveal()}"}
        self._address = address

    async def hostname(self) -> str:
        """Return the name under which Home Assistant reaches this container."""
        return str((await self._call("GET", "/addons/self/info"))["hostname"])

    async def mqtt_url(self) -> Secret:
        """Return the address of the broker that another app provides, empty when there is none."""
        try:
            return mqtt_url(await self._call("GET", "/services/mqtt"))
        except _RefusedError:
            return Secret("")

    async def announce(self, service: str, config: Mapping[str, Any]) -> None:
        """Have Home Assistant offer an integration; repeating the same is harmless."""
        await self._call("POST", "/discovery", {"service": service, "config": dict(config)})

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            async with self._session.request(
                method, self._address + path, json=body, headers=self._headers, timeout=CALL_LIMIT
            ) as answer:
                content = await answer.json(content_type=None)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SupervisorError(f"The Supervisor does not answer {method} {path}: {type(error).__name__}.") from error
        if not isinstance(content, dict) or content.get("result") != "ok":
            said = content.get("message") if isinstance(content, dict) else None
            raise _RefusedError(f"The Supervisor refuses {method} {path} ({status}): {said or 'without a reason'}.")
        data = content.get("data")
        return data if isinstance(data, dict) else {}


class _RefusedError(SupervisorError):
    """It answered, and said no."""


def mqtt_url(service: Mapping[str, Any]) -> Secret:
    """Return a broker's address from what the Supervisor's services say of it; empty without a host."""
    host = str(service.get("host") or "")
    if not host:
        return Secret("")
    scheme = "mqtts" if service.get("ssl") else "mqtt"
    user, password = service.get("username"), service.get("password")
    login = f"{quote(str(user), safe='')}:{quote(str(password or ''), safe='')}@" if user else ""
    return Secret(f"{scheme}://{login}{host}:{int(service.get('port') or MQTT_PORT)}")
