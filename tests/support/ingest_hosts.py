"""Several real ingest processes that share cameras, each as on a host of its own."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from marengocam.core.model import Camera
from marengocam.db.hub import Hub
from marengocam.demo.rtsp import RtspServer
from marengocam.settings import Settings
from tests.support.ingest_service import end_of, start_ingest
from tests.support.squares import render_walks


@dataclass(frozen=True)
class IngestHosts:
    """The processes with their logs, and what the hub knows of their cameras."""

    hub: Hub
    processes: Sequence[asyncio.subprocess.Process]
    logs: Sequence[Path]

    async def holders(self) -> dict[str, str]:
        """Return who serves each camera."""
        return {one.name.removeprefix("camera:"): one.holder for one in await self.hub.leases.list()}

    async def shared(self) -> bool:
        """Return whether each process serves some."""
        return len(set((await self.holders()).values())) == len(self.processes)

    async def server_of(self, camera_id: str) -> asyncio.subprocess.Process:
        """Return the process that serves a camera."""
        holder = (await self.holders())[camera_id]
        return next(one for one in self.processes if f":{one.pid}:" in holder)

    async def recorded(self, camera_id: str, since: datetime) -> datetime | None:
        """Return when the first recording of a camera since then began."""
        found = [one for one, _ in await self.hub.chunks.page("", 500) if one.camera_id == camera_id]
        return min((one.started_at for one in found if one.started_at > since), default=None)

    async def longest_gap_s(self, camera_id: str, since: datetime) -> float:
        """Return the longest time between two recordings of a camera that began since then."""
        found = [one for one, _ in await self.hub.chunks.page("", 500) if one.camera_id == camera_id]
        chunks = sorted((one for one in found if one.started_at > since), key=lambda one: one.started_at)
        return max((after.started_at - before.ended_at).total_seconds() for before, after in pairwise(chunks))


@contextlib.asynccontextmanager
async def ingest_hosts(
    hub: Hub, settings: Settings, folder: Path, cameras: Collection[str], hosts: Collection[str]
) -> AsyncIterator[IngestHosts]:
    """Run an ingest process for each host, with RTSP cameras of these names; all are ended, frozen ones too."""
    clip = await asyncio.to_thread(render_walks, folder / "walks.mp4", 8.0, [2.0])
    common = replace(settings, detector="hog", chunk_s=3.0)
    logs = [folder / f"{host}.log" for host in hosts]
    async with RtspServer(dict.fromkeys(cameras, clip)) as server:
        for name in cameras:
            await hub.cameras.add(Camera(name, name, server.url(name)))
        # A data folder of its own each: neither can see whether another's process lives.
        processes = [
            await start_ingest(replace(common, data_dir=folder / log.stem, secret_key_file=None), log) for log in logs
        ]
        try:
            yield IngestHosts(hub, processes, logs)
        finally:
            living = [one for one in processes if one.returncode is None]
            for process in living:
                process.send_signal(signal.SIGCONT)
            await asyncio.gather(*(end_of(process) for process in living))
