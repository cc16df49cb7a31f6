"""The route table: one declaration per route, from which the server and the OpenAPI document are made."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar

import msgspec
from aiohttp import web

from marengocam.db.hub import Hub
from marengocam.media.disk_thread import DiskThreads
from marengocam.media.mounting import while_ours
from marengocam.media.names import ARCHIVE, RECORDINGS
from marengocam.media.playlist import LiveView
from marengocam.media.space import Space
from marengocam.media.store import Store
from marengocam.runtime.context import ServiceContext
from marengocam.web.access import Gate
from marengocam.web.ingress import IngressGate
from marengocam.web.limits import Limit, Meter
from marengocam.web.signing import Signer

PREFIX = "/api/v1"
SPEAKER = web.RequestKey("speaker", str)  # whose word it is: a token's or a user's name
PROBES_AT_ONCE = 2  # of addresses that may never answer; in threads of their own
DISK_LIMIT_S = 5.0  # a disk that sleeps is asked again by who wanted something
DISK_THREADS = 4  # of each disk
EXPORTS_AT_ONCE = 2  # files made of recordings or of a person's pictures; more would take the disk from recording
LONG_LIMIT_S = 60.0  # without a sign of life: an hour's clip is read and written once more at its end, in one step
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Desk:
    """What handlers work with."""

    context: ServiceContext
    store: Store
    gate: Gate | IngressGate
    signer: Signer
    views: dict[str, LiveView]
    meters: dict[str, Meter]  # of routes with a limit, by their handler's name
    probing: Executor = field(default_factory=lambda: ThreadPoolExecutor(PROBES_AT_ONCE, "probe"))
    pictures: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))  # a large one takes 250 MB
    exports: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EXPORTS_AT_ONCE))
    disks: dict[Path, DiskThreads] = field(default_factory=dict)
    long_works: dict[Path, DiskThreads] = field(default_factory=dict)

    @property
    def hub(self) -> Hub:
        return self.context.hub

    async def read(self, path: PurePosixPath) -> bytes | None:
        """Return a small file's content, None when it is gone. Raises BadInputError, and StoreError where it hangs."""
        return await self.disk(path).run(_content, self.store, path)

    async def space(self) -> Space:
        """Return how full the recordings' disk is; raises StoreError."""
        return await self.first_disk.run(self.store.space)

    @property
    def first_disk(self) -> DiskThreads:
        """The threads of the disk on which everything but the archive lies."""
        return self.disk(PurePosixPath(RECORDINGS))

    def disk(self, path: PurePosixPath) -> DiskThreads:
        """Return the threads of the disk on which a path lies: one that hangs holds them, and nothing else."""
        folder = self._folder(path)
        return self.disks.setdefault(folder, DiskThreads(folder, DISK_LIMIT_S, DISK_THREADS))

    def long_work(self, path: PurePosixPath) -> DiskThreads:
        """Return the threads for what takes long on the disk on which a path lies: nobody who reads waits behind it."""
        folder = self._folder(path)
        return self.long_works.setdefault(folder, DiskThreads(folder, LONG_LIMIT_S, EXPORTS_AT_ONCE))

    def _folder(self, path: PurePosixPath) -> Path:
        in_archive = self.store.archive is not None and path.parts[:1] == (ARCHIVE,)
        return self.store.archive if in_archive and self.store.archive is not None else self.store.root

    async def on_ours(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Have something done on the first disk while it is ours. Raises NotOurDiskError, StoreError."""
        installation_id = await self.hub.settings_store.installation_id()
        return await self.first_disk.run(
            while_ours, self.store.root, installation_id, partial(work, *arguments, **named)
        )

    def close(self) -> None:
        """Let the disks' threads end."""
        for disk in (*self.disks.values(), *self.long_works.values()):
            disk.close()


def _content(store: Store, path: PurePosixPath) -> bytes | None:
    file = store.resolve(path)
    return file.read_bytes() if file.is_file() else None


Handler = Callable[[Desk, web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter."""

    name: str
    kind: str = "string"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """One route; `scope` None is open to everybody (signed paths check themselves)."""

    method: str
    path: str
    scope: str | None
    handler: Handler
    text: str
    answer: type[msgspec.Struct] | None = None
    body: type[msgspec.Struct] | None = None
    status: int = 200
    parameters: tuple[Parameter, ...] = ()
    media_type: str = "application/json"
    upload: str | None = None  # name of a multipart file field
    limit: Limit | None = None  # how often one peer may ask for what costs much
