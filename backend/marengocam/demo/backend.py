"""The backend as the demo runs it (`marengocam up`) and talks to it: the public API only."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from marengocam.core.errors import MarengoCamError
from marengocam.core.secret import Secret
from marengocam.demo.processes import Child, free_port, start_child

CALL_LIMIT = aiohttp.ClientTimeout(total=15)
READY_LIMIT_S = 60.0
READY_POLL_S = 0.2
TOKEN_LIMIT_S = 20.0
PORT_OPTIONS = {
    "web_port": 8470,
    "face_port": 32168,
    "ingest_health_port": 8471,
    "resolver_health_port": 8472,
    "automation_health_port": 8473,
    "janitor_health_port": 8474,
}


class DemoError(MarengoCamError):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True)
class Backend:
    """A running backend and the way in."""

    child: Child
    address: str
    token: Secret
    session: aiohttp.ClientSession
    environment: dict[str, str]

    async def call(self, method: str, path: str, body: Any = None, data: aiohttp.FormData | None = None) -> Any:
        """Return the JSON answer of an API call; raises DemoError with the API's own sentence."""
        async with self.session.request(
            method, f"{self.address}/api/v1{path}", json=body, data=data, headers=self._headers(), timeout=CALL_LIMIT
        ) as answer:
            text = await answer.text()
            if answer.status >= 400:
                try:
                    raise DemoError(json.loads(text)["error"]["message"])
                except (ValueError, KeyError):
                    raise DemoError(f"{method} {path}: {answer.status} {text[:200]}") from None
            return json.loads(text) if text else None

    async def events(self, after: int) -> AsyncIterator[dict[str, Any]]:
        """Yield events from number `after` + 1 on, for ever, resuming when the connection breaks."""
        while True:
            try:
                async with self.session.ws_connect(
                    f"{self.address}/api/v1/events/stream?after={after}", headers=self._headers(), heartbeat=15
                ) as socket:
                    async for message in socket:
                        if message.type is not aiohttp.WSMsgType.TEXT:
                            continue
                        content = json.loads(message.data)
                        if content.get("kind") == "event":
                            after = content["event"]["number"]
                            yield content["event"]
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(READY_POLL_S)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token.reveal()}"}


async def start_backend(data: Path, environment: dict[str, str], session: aiohttp.ClientSession) -> Backend:
    """Start `marengocam up` on the demo's data folder and return once its API answers."""
    environment = {**_environment(data), **environment}
    command = [sys.executable, "-m", "marengocam.cli", "up"]
    child = await start_child("marengocam", command, data / "logs" / "marengocam.log", environment)
    address = f"http://127.0.0.1:{environment['MARENGOCAM_WEB_PORT']}"
    await _wait_until_ready(child, f"{address}/health", session)
    token = await asyncio.to_thread(_token, data, environment)
    return Backend(child, address, token, session, environment)


async def _wait_until_ready(child: Child, url: str, session: aiohttp.ClientSession) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_LIMIT_S
    while loop.time() < deadline:
        if not child.running:
            raise DemoError(f"The backend ended at once. The end of its log:\n{child.last_lines()}")
        try:
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                if answer.status == 200:
                    return
        except (aiohttp.ClientError, TimeoutError):
            pass
        await asyncio.sleep(READY_POLL_S)
    raise DemoError(f"The backend was not ready after {READY_LIMIT_S:.0f} s. The end of its log:\n{child.last_lines()}")


def _environment(data: Path) -> dict[str, str]:
    """Return the settings of the demo's backend; ports stay the same from run to run while they are free."""
    ports_file = data / "ports.json"
    wanted = PORT_OPTIONS | (json.loads(ports_file.read_text()) if ports_file.is_file() else {})
    ports = {name: free_port(port) for name, port in wanted.items()}
    ports_file.write_text(json.dumps(ports))
    environment = {f"MARENGOCAM_{name.upper()}": str(port) for name, port in ports.items()}
    return environment | {
        "MARENGOCAM_DATA_DIR": str(data / "backend"),
        "MARENGOCAM_MEDIA_DIR": str(data / "media"),
        "MARENGOCAM_CHUNK_S": "10",
        "MARENGOCAM_LOOPBACK_CAMERAS": "true",
    }


def _token(data: Path, environment: dict[str, str]) -> Secret:
    """Return the demo's API token, made on the first run and kept in the data folder (0600)."""
    file = data / "token"
    if file.is_file():
        return Secret(file.read_text().strip())
    made = subprocess.run(
        [sys.executable, "-m", "marengocam.cli", "token", "create", "--name", "demo", "--scope", "read", "write"],
        capture_output=True,
        text=True,
        timeout=TOKEN_LIMIT_S,
        check=False,
        env={**os.environ, **environment},
    )
    tokens = [word for word in made.stdout.split() if word.startswith("mc_")]
    if made.returncode != 0 or not tokens:
        raise DemoError(f"No API token could be made: {made.stderr.strip()}")
    file.touch(mode=0o600)
    file.write_text(tokens[0])
    return Secret(tokens[0])
