"""What a bench runs beside itself: cameras in a process of their own, a hub, services as processes."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tests.bench.measuring import ROOT, shared_folder

from marengocam.db.embedded import EmbeddedServer
from marengocam.db.migrate import migrate_database
from marengocam.settings import Settings

READY_LIMIT_S = 40.0
END_LIMIT_S = 15.0
_HEALTH_PORTS = ("INGEST_HEALTH", "RESOLVER_HEALTH", "AUTOMATION_HEALTH")


@contextlib.contextmanager
def cameras(mounts: Mapping[str, Path]) -> Iterator[dict[str, str]]:
    """Show files as live cameras; yield their addresses by name."""
    port = free_port()
    mounted = [f"--mount={name}={file}" for name, file in mounts.items()]
    command = [sys.executable, "-m", "marengocam.demo.rtsp", "--port", str(port), *mounted]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment())
    try:
        _until_listening(port)
        yield {name: f"rtsp://127.0.0.1:{port}/{name}" for name in mounts}
    finally:
        end(server)


@contextlib.asynccontextmanager
async def hub_settings(**changes: object) -> AsyncIterator[Settings]:
    """Yield settings on an empty hub and an empty media folder."""
    with tempfile.TemporaryDirectory(prefix="mc-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the embedded server's own account has to get in when this runs as root
        media = folder / "media"
        media.mkdir()
        server = EmbeddedServer(folder / "data", durable=False, die_with_parent=True)
        try:
            address = await asyncio.to_thread(server.start)
            await migrate_database(address)
            settings = Settings(
                data_dir=folder / "data", media_dir=media, database_url=address, models_dir=shared_folder("models"),
                download_models=False, loopback_cameras=True, face_url="off",
            )  # fmt: skip
            yield replace(settings, **changes)
        finally:
            await asyncio.to_thread(server.stop)


def start_service(name: str, settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    """Start one service as a process that logs into a file."""
    told = {
        "DATA_DIR": settings.data_dir,
        "MEDIA_DIR": settings.media_dir,
        "MODELS_DIR": settings.models_dir or "",
        "DATABASE_URL": settings.database_url.reveal(),
        "DETECTOR": settings.detector,
        "CHUNK_S": settings.chunk_s,
        "LOOPBACK_CAMERAS": settings.loopback_cameras,
        "DOWNLOAD_MODELS": "false",
        "FACE_URL": settings.face_url,
        "FACE_PORT": settings.face_port,
        **{f"{service}_PORT": free_port() for service in _HEALTH_PORTS},
    }
    ours = {f"MARENGOCAM_{key}": str(value) for key, value in told.items() if str(value)}
    command = [sys.executable, "-m", "marengocam.cli", name]
    with log.open("ab") as output:
        return subprocess.Popen(command, env=environment() | ours, stdout=output, stderr=output)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end; kill it when it does not."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARENGOCAM_")}
    return kept | {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_listening(port: int) -> None:
    give_up_s = time.monotonic() + READY_LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > give_up_s:
                raise
            time.sleep(0.1)
        else:
            return
