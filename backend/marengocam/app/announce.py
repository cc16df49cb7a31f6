"""Telling Home Assistant of us, with a token, and taking its MQTT broker: the one process that knows the Supervisor."""

import asyncio
import contextlib
import json
import logging
import shutil
import signal
from pathlib import Path
from typing import Any

import aiohttp

from marengocam.app.layout import Layout
from marengocam.app.prepare import SERVICES
from marengocam.app.supervisor_api import ADDRESS, SupervisorApi
from marengocam.core.clock import SystemClock
from marengocam.core.errors import MarengoCamError
from marengocam.core.secret import Secret
from marengocam.db.hub import Hub, open_hub
from marengocam.settings import Settings

DOMAIN = "marengocam"
TOKEN_NAME = "Home Assistant (app)"  # noqa: S105 - the token's name
TOKEN_SCOPES = ("read", "write")
TOKEN_FILE = "token"  # noqa: S105 - a file's name
RESTART_DUE = "restart-due"
RETRY_S = 3.0
REPEAT_S = 10.0
RESTART_LIMIT_S = 10.0
_LOG = logging.getLogger(__name__)


async def keep_announced(settings: Settings, layout: Layout, address: str = ADDRESS) -> int:
    """Announce, and look for a broker again and again, until told to end; return the exit status."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    token = Secret(layout.supervisor_token.read_text().strip())
    if not token:
        _LOG.info("no Supervisor here: Home Assistant is not told of the app")
        while not stopping.is_set():
            layout.announcer_alive.touch()
            await _pause(stopping, REPEAT_S)
        return 0
    async with aiohttp.ClientSession() as session, open_hub(settings, "announce", pool_size=1) as hub:
        keeper = Announcer(SupervisorApi(session, token, address), hub, settings, layout)
        while not stopping.is_set():
            layout.announcer_alive.touch()
            wait_s = REPEAT_S if await keeper.once() else RETRY_S
            await _pause(stopping, wait_s)
    return 0


async def _pause(stopping: asyncio.Event, limit_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await stopping.wait()


class Announcer:
    """One round of it at a time."""

    def __init__(self, supervisor: SupervisorApi, hub: Hub, settings: Settings, layout: Layout) -> None:
        self._supervisor = supervisor
        self._hub = hub
        self._settings = settings
        self._layout = layout
        self._told: dict[str, Any] | None = None
        self._complaints: dict[str, str] = {}

    async def once(self) -> bool:
        """Take the broker's address, tell Home Assistant what it has not been told; return whether both worked."""
        taken = await self._attempt("MQTT", self._take_broker)
        if not self._layout.schema_ready.exists():
            return False  # a small machine makes its database for long: until then it refuses us
        return await self._attempt("discovery", self._announce) and taken

    async def _attempt(self, what: str, part: Any) -> bool:
        try:
            await part()
        except MarengoCamError as error:
            if self._complaints.get(what) != str(error):
                _LOG.warning("%s: %s", what, error)
            self._complaints[what] = str(error)
            return False
        self._complaints.pop(what, None)
        return True

    async def _take_broker(self) -> None:
        if self._settings.mqtt_url:  # the owner's own wish goes before
            return
        url = await self._supervisor.mqtt_url()
        file = self._layout.mqtt_url
        restart_due = file.with_name(RESTART_DUE)  # left by whoever ends between the two: automation knows the old one
        if url.reveal() != (file.read_text() if file.exists() else ""):
            restart_due.touch()
            _write_secret(file, url.reveal(), mode=0o640, group=SERVICES)
            _LOG.info("the MQTT broker of Home Assistant is %s", "used" if url else "gone")
        if restart_due.exists():
            await restart("automation", self._layout)
            restart_due.unlink(missing_ok=True)

    async def _announce(self) -> None:
        token = await self._token()
        config = {
            "host": await self._supervisor.hostname(),
            "port": self._settings.web_port,
            "token": token,
        }
        if config != self._told:
            await self._supervisor.announce(DOMAIN, config)
            self._told = config
            _LOG.info("Home Assistant is told of MarengoCam at http://%s:%d", config["host"], config["port"])

    async def _token(self) -> str:
        """Return the token that Home Assistant was given, or a new one when there is none that opens anything."""
        file = self._layout.announced / TOKEN_FILE
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = str(json.loads(file.read_text())["token"])
            if await self._hub.tokens.find(known) is not None:
                return known
        token = await self._hub.tokens.add(TOKEN_NAME, TOKEN_SCOPES, SystemClock().now())
        _write_secret(file, json.dumps({"token": token}), mode=0o600)
        return token


async def restart(name: str, layout: Layout) -> None:
    """Have s6 restart one process; raises MarengoCamError when it does not take the order."""
    try:
        process = await asyncio.create_subprocess_exec("s6-svc", "-r", str(layout.services / name))
        async with asyncio.timeout(RESTART_LIMIT_S):
            await process.wait()
    except OSError as error:
        raise MarengoCamError(f"s6 does not take the order to restart {name}: {error}.") from error
    if process.returncode != 0:
        raise MarengoCamError(f"s6 does not restart {name} (status {process.returncode}).")


def _write_secret(file: Path, text: str, mode: int, group: str | None = None) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=mode)
    if group is not None:
        shutil.chown(partial, group=group)
    partial.write_text(text)
    partial.replace(file)
