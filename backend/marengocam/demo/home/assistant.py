"""A real Home Assistant, driven over its public APIs as its owner's browser would."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from marengocam.core.secret import Secret
from marengocam.demo.backend import DemoError
from marengocam.demo.home.configuration import write_configuration
from marengocam.demo.processes import Child, free_port, start_child

USER = "demo"
PASSWORD = "marengocam-demo"  # noqa: S105 - a throw-away Home Assistant on the loopback address, printed on purpose
DEFAULT_PORT = 8123
READY_LIMIT_S = 120.0
POLL_S = 0.2
CALL_LIMIT = aiohttp.ClientTimeout(total=20)
ANSWER_LIMIT_S = 20.0
ENTITIES_LIMIT_S = 30.0
EVENT_PREFIX = "marengocam_"
AUTOMATION = frozenset({"automation_triggered"})


@dataclass(slots=True)
class HomeAssistant:
    """A running Home Assistant, logged in as the demo's user."""

    child: Child
    address: str
    session: aiohttp.ClientSession
    access_token: Secret = Secret("")
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, path: str, body: Any = None, form: dict[str, str] | None = None) -> Any:
        """Return the JSON answer of a REST call; raises DemoError."""
        headers = {"Authorization": f"Bearer {self.access_token.reveal()}"} if self.access_token else {}
        async with self.session.request(
            method, self.address + path, json=body, data=form, headers=headers, timeout=CALL_LIMIT
        ) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise DemoError(f"Home Assistant refused {method} {path}: {answer.status} {text[:300]}")
            return json.loads(text) if answer.content_type == "application/json" else text

    async def sign_in(self) -> None:
        """Create the demo's user on the first run, sign in on later ones."""
        client = f"{self.address}/"
        if await self._is_new():
            code = (await self.call("POST", "/api/onboarding/users", self._new_user(client)))["auth_code"]
            await self._take_token(client, code)
            for step, body in self._other_steps(client):
                await self.call("POST", f"/api/onboarding/{step}", body)
            return
        flow = await self.call(
            "POST",
            "/auth/login_flow",
            {"client_id": client, "handler": ["homeassistant", None], "redirect_uri": client},
        )
        result = await self.call(
            "POST", f"/auth/login_flow/{flow['flow_id']}", {"client_id": client, "username": USER, "password": PASSWORD}
        )
        await self._take_token(client, result["result"])

    async def add_integration(self, address: str, token: Secret) -> str:
        """Add MarengoCam through its own config flow unless it is there already; return the entry id."""
        entries = await self.call("GET", "/api/config/config_entries/entry?domain=marengocam")
        for entry in entries:
            await self.call("DELETE", f"/api/config/config_entries/entry/{entry['entry_id']}")
        flow = await self.call("POST", "/api/config/config_entries/flow", {"handler": "marengocam"})
        names = [item["name"] for item in flow["data_schema"]]
        values = dict(zip(names, (address, token.reveal()), strict=False))
        result = await self.call("POST", f"/api/config/config_entries/flow/{flow['flow_id']}", values)
        if result["type"] != "create_entry":
            raise DemoError(f"The integration's config flow did not finish: {result.get('errors') or result['type']}")
        return str(result["result"]["entry_id"])

    async def entities(self) -> list[str]:
        """Return the ids of MarengoCam's entities, waiting until there is a camera among them."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + ENTITIES_LIMIT_S
        while True:
            registry = await self.command({"type": "config/entity_registry/list"})
            shown = [entity for entity in registry if entity["platform"] == "marengocam" and not entity["disabled_by"]]
            ours = sorted(entity["entity_id"] for entity in shown)
            if any(name.startswith("camera.") for name in ours) or loop.time() > deadline:
                return ours
            await asyncio.sleep(POLL_S)

    async def command(self, message: dict[str, Any]) -> Any:
        """Return the result of one WebSocket command; raises DemoError."""
        async with self._socket() as socket:
            await socket.send_json({"id": 1, **message})
            while True:
                answer = await socket.receive_json(timeout=ANSWER_LIMIT_S)
                if answer.get("id") == 1 and answer["type"] == "result":
                    if not answer["success"]:
                        raise DemoError(f"Home Assistant refused {message['type']}: {answer['error']['message']}")
                    return answer["result"]

    async def events(self, started: asyncio.Event, also: frozenset[str] = frozenset()) -> AsyncIterator[dict[str, Any]]:
        """Yield our events on Home Assistant's bus and every automation that fires, and what is asked for `also`.

        Sets `started` once subscribed.
        """
        async with self._socket() as socket:
            await socket.send_json({"id": 1, "type": "subscribe_events"})
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                content = json.loads(message.data)
                if content["type"] == "result":
                    started.set()
                elif content["type"] == "event":
                    kind = content["event"]["event_type"]
                    if kind.startswith(EVENT_PREFIX) or kind in also | AUTOMATION:
                        yield content["event"]

    async def _is_new(self) -> bool:
        """Return whether nobody has been set up yet; afterwards Home Assistant drops the onboarding address."""
        async with self.session.get(f"{self.address}/api/onboarding", timeout=CALL_LIMIT) as answer:
            return answer.status == 200 and not all(step["done"] for step in await answer.json())

    def _socket(self) -> "_SignedInSocket":
        return _SignedInSocket(self.session, self.address, self.access_token)

    async def _take_token(self, client: str, code: str) -> None:
        form = {"client_id": client, "grant_type": "authorization_code", "code": code}
        self.access_token = Secret((await self.call("POST", "/auth/token", form=form))["access_token"])

    @staticmethod
    def _new_user(client: str) -> dict[str, str]:
        return {"client_id": client, "name": "Demo", "username": USER, "password": PASSWORD, "language": "en"}

    @staticmethod
    def _other_steps(client: str) -> list[tuple[str, dict[str, str]]]:
        redirect = {"client_id": client, "redirect_uri": f"{client}?auth_callback=1"}
        return [("core_config", {}), ("analytics", {}), ("integration", redirect)]


class _SignedInSocket:
    """A WebSocket of Home Assistant after its authentication dance."""

    def __init__(self, session: aiohttp.ClientSession, address: str, token: Secret) -> None:
        self._opening = session.ws_connect(f"{address}/api/websocket", max_msg_size=0, heartbeat=30)
        self._token = token

    async def __aenter__(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self._opening.__aenter__()
        await socket.receive_json(timeout=ANSWER_LIMIT_S)
        await socket.send_json({"type": "auth", "access_token": self._token.reveal()})
        answer = await socket.receive_json(timeout=ANSWER_LIMIT_S)
        if answer["type"] != "auth_ok":
            raise DemoError("Home Assistant did not accept the demo's own token.")
        return socket

    async def __aexit__(self, *error: object) -> None:
        await self._opening.__aexit__(*error)  # type: ignore[arg-type]  # the triple is passed on as it came


async def start_home_assistant(
    hass: Path, component: Path, data: Path, session: aiohttp.ClientSession, more: str = ""
) -> HomeAssistant:
    """Start `hass` on the demo's data folder, with `more` lines of configuration, and return it signed in."""
    folder = data / "home-assistant"
    port = free_port(DEFAULT_PORT)
    write_configuration(folder, component, port, more)
    command = [str(hass), "-c", str(folder), "--skip-pip"]
    child = await start_child("Home Assistant", command, data / "logs" / "home-assistant.log", {})
    home = HomeAssistant(child, f"http://127.0.0.1:{port}", session)
    await _wait_until_ready(home)
    await home.sign_in()
    await _wait_until_running(home)
    return home


async def _wait_until_running(home: HomeAssistant) -> None:
    """Wait until automations listen; the integration's events begin only then."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_LIMIT_S
    while (await home.call("GET", "/api/config"))["state"] != "RUNNING":
        if loop.time() > deadline:
            raise DemoError(f"Home Assistant did not finish its start:\n{home.child.last_lines()}")
        await asyncio.sleep(POLL_S)


async def _wait_until_ready(home: HomeAssistant) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_LIMIT_S
    while loop.time() < deadline:
        if not home.child.running:
            raise DemoError(f"Home Assistant ended at once. The end of its log:\n{home.child.last_lines()}")
        try:
            async with home.session.get(f"{home.address}/manifest.json", timeout=CALL_LIMIT) as answer:
                if answer.status == 200:
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(POLL_S)
    raise DemoError(f"Home Assistant was not ready after {READY_LIMIT_S:.0f} s:\n{home.child.last_lines()}")
