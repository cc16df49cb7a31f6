"""A real backend for tests that run in another Python: database and `marengocam web`, driven by JSON lines.

Run by the backend's Python. Prints one JSON line when it is ready, then answers each line of its standard input with
one line; ends, and takes everything with it, when its input ends.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from prometheus_client import CollectorRegistry

from marengocam.core.clock import SystemClock
from marengocam.core.geometry import Box
from marengocam.core.identity import CameraGraph
from marengocam.core.model import CameraState, Chunk, EventType, LocalTrack, NewEvent, PathPoint
from marengocam.db.cameras import CameraStatus
from marengocam.db.embedded import EmbeddedServer
from marengocam.db.hub import Hub, open_hub
from marengocam.db.migrate import migrate_database
from marengocam.media.store import Store
from marengocam.resolver.metrics import ResolverMetrics
from marengocam.resolver.turn import take_turn
from marengocam.settings import Settings
from tests.support.ports import free_port

READY_LIMIT_S = 90.0
STOP_LIMIT_S = 40.0
POLL_S = 0.1
CALL_LIMIT_S = 30.0
LEASE_S = 3600.0
HOLDER = "test"
CONFIRM = 0.95
PICTURE = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")


class Backend:
    """The parts that a test can change."""

    def __init__(self, folder: Path, settings: Settings, hub: Hub, database_url: str) -> None:
        self._folder = folder
        self._settings = settings
        self._hub = hub
        self._database_url = database_url
        self._web: asyncio.subprocess.Process | None = None
        self._clock = SystemClock()
        self.commands: dict[str, Callable[..., Awaitable[Any]]] = {
            "call": self.call,
            "chunk": self.chunk,
            "decide": self.decide,
            "event": self.event,
            "picture": self.picture,
            "start_web": self.start_web,
            "status": self.status,
            "kill_web": self.kill_web,
            "token": self.token,
            "revoke_all": self.revoke_all,
            "track": self.track,
        }

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._settings.web_port}"

    async def start_web(self) -> None:
        environment = {
            **os.environ,
            "MARENGOCAM_DATA_DIR": str(self._settings.data_dir),
            "MARENGOCAM_MEDIA_DIR": str(self._settings.media_dir),
            "MARENGOCAM_WEB_PORT": str(self._settings.web_port),
            "MARENGOCAM_DATABASE_URL": self._database_url,
            "MARENGOCAM_DOWNLOAD_MODELS": "false",
            "MARENGOCAM_LOOPBACK_CAMERAS": "true",
        }
        with (self._folder / "web.log").open("ab") as log:
            self._web = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "marengocam.cli", "web", env=environment, stdout=log, stderr=log
            )
        async with asyncio.timeout(READY_LIMIT_S):
            while not await asyncio.to_thread(self._answers):
                if self._web.returncode is not None:
                    raise RuntimeError(f"web ended at once:\n{(self._folder / 'web.log').read_text()[-4000:]}")
                await asyncio.sleep(POLL_S)

    async def call(self, method: str, path: str, token: str, body: Any = None) -> Any:
        """Use the public API as the owner's own page would."""
        request = urllib.request.Request(
            f"{self.address}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        text = await asyncio.to_thread(_fetch, request)
        return json.loads(text) if text else None

    async def kill_web(self) -> None:
        await self._end_web(signal.SIGKILL)

    async def stop_web(self) -> None:
        await self._end_web(signal.SIGTERM)

    async def token(self, scopes: list[str]) -> str:
        return await self._hub.tokens.add("test", scopes, self._clock.now())

    async def revoke_all(self) -> None:
        for token in await self._hub.tokens.list():
            if token.revoked_at is None:
                await self._hub.tokens.revoke(token.token_id, self._clock.now())

    async def event(self, type: str, ago_s: float = 0.0, person_id: str | None = None, **values: Any) -> int:  # noqa: A002 - the event's own word
        event = NewEvent(
            event_id=uuid4(),
            type=EventType(type),
            occurred_at=self._clock.now() - timedelta(seconds=ago_s),
            person_id=None if person_id is None else UUID(person_id),
            **values,
        )
        (numbered,) = await self._hub.events.append([event])
        return numbered.number

    async def status(self, camera_id: str, state: str, reason: str = "", **metrics: float) -> None:
        now = self._clock.now()
        status = CameraStatus(camera_id, CameraState(state), reason, now, now, now, metrics)
        await self._hub.cameras.write_status(status)

    async def track(self, camera_id: str, *, open: bool, track_id: str | None = None) -> str:  # noqa: A002 - the track's own word
        lease = await self._hub.leases.acquire(f"camera:{camera_id}", HOLDER, LEASE_S)
        if lease is None:
            raise RuntimeError("somebody else holds this camera")
        now = self._clock.now()
        track = LocalTrack(
            local_track_id=UUID(track_id) if track_id else uuid4(),
            camera_id=camera_id,
            label="person",
            first_seen_at=now - timedelta(seconds=2),
            last_seen_at=now,
            open=open,
            score=0.9,
            observations=5,
            path=(PathPoint(now, Box(0.1, 0.1, 0.3, 0.8), 0.9),),
        )
        await self._hub.tracks.save([track], {camera_id: lease.fence})
        return str(track.local_track_id)

    async def decide(self) -> int:
        """Have the real resolver decide on every track that waits; return how many there were."""
        decided = 0
        metrics = ResolverMetrics(CollectorRegistry())
        while taken := await take_turn(self._hub.resolution, CameraGraph(), CONFIRM, self._clock, metrics):
            decided += taken
        return decided

    async def chunk(self, camera_id: str, at: str) -> None:
        """Index a minute of recording; its file is not needed by whom this serves."""
        chunk_id = uuid4()
        path = PurePosixPath("recordings") / camera_id / f"{chunk_id}.mp4"
        chunk = Chunk(chunk_id, camera_id, datetime.fromisoformat(at), 60.0, 1000, path, "h264", 640, 480)
        await self._hub.chunks.add([chunk])

    async def picture(self, camera_id: str) -> str:
        path = self._settings.media_dir / "live" / f"{camera_id}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE)
        return PICTURE.hex()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    async def _end_web(self, number: signal.Signals) -> None:
        if self._web is None or self._web.returncode is not None:
            return
        self._web.send_signal(number)
        async with asyncio.timeout(STOP_LIMIT_S):
            await self._web.wait()


def _fetch(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=CALL_LIMIT_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{request.full_url}: {error.code} {error.read().decode()[:400]}") from error


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(content) + "\n")
    sys.stdout.flush()


async def _obey(backend: Backend) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        order = json.loads(line)
        try:
            answer = {"ok": await backend.commands[order.pop("do")](**order)}
        except Exception as error:  # noqa: BLE001 - the test shows what went wrong here
            answer = {"error": f"{type(error).__name__}: {error}"}
        _say(answer)


async def main() -> None:
    """Serve until the input ends."""
    folder = Path(tempfile.mkdtemp(prefix="mc-backend-"))
    folder.chmod(0o755)  # the database's own account has to get in when the tests run as root
    server = EmbeddedServer(folder / "data", durable=False, die_with_parent=True)
    settings = Settings(
        data_dir=folder / "data",
        media_dir=folder / "media",
        web_port=free_port(),
        download_models=False,
        loopback_cameras=True,
    )
    settings.media_dir.mkdir()
    try:
        url = await asyncio.to_thread(server.start)
        await migrate_database(url)
        async with open_hub(settings, application="test-backend") as hub:
            Store(settings.media_dir).prepare(await hub.settings_store.installation_id())  # as ingest does
            backend = Backend(folder, settings, hub, url.reveal())
            await backend.start_web()
            _say({"address": backend.address})
            with contextlib.suppress(KeyboardInterrupt):
                await _obey(backend)
            await backend.stop_web()
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
