"""Files made for who asks: few at once, nameless on the media folder's disk, gone with the answer."""

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from uuid import UUID, uuid4

from aiohttp import web

from marengocam.core.errors import StoreError
from marengocam.media.disk_thread import DiskThreads
from marengocam.media.mounting import check_ours
from marengocam.media.names import RECORDINGS
from marengocam.media.store import Store
from marengocam.web.table import Desk

FOLDER = "exports"  # under the media root: files may be large, and /tmp is a piece of memory in a container
TURN_LIMIT_S = 60.0  # few are made at once
LIMIT_S = 300.0
LEAVES_SHARE = 0.02  # of the disk; what is recorded now comes first
PART_BYTES = 256 << 10
PART_LIMIT_S = 60.0  # a client that takes nothing for so long has gone
Made = tuple[BinaryIO, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made: under which name it is sent, how large it may become, and what writes it."""

    name: str
    content_type: str
    size_bytes: Callable[[], int]  # at most; asks the disk
    write: Callable[[Path], object]


async def exported(desk: Desk, request: web.Request, wanted: Wanted, disk: DiskThreads) -> web.StreamResponse:
    """Make a file on a disk's threads when it is its turn, and send it. Raises StoreError, and what `write` raises."""
    installation_id = await desk.hub.settings_store.installation_id()
    await _turn(desk, request)
    making = asyncio.create_task(disk.run(_made, desk.store, installation_id, wanted))
    making.add_done_callback(partial(_ended, desk.exports))
    try:
        async with asyncio.timeout(LIMIT_S):
            content, size_bytes = await asyncio.shield(making)
    except TimeoutError:
        making.add_done_callback(_unclaimed)
        raise StoreError(
            "Making the file took too long: ask for a shorter stretch, or see the disk's health."
        ) from None
    except asyncio.CancelledError:
        making.add_done_callback(_unclaimed)
        raise
    response = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="{wanted.name}"'})
    response.content_type, response.content_length = wanted.content_type, size_bytes
    with content:
        await response.prepare(request)
        while part := await desk.first_disk.run(content.read, PART_BYTES):
            async with asyncio.timeout(PART_LIMIT_S):
                await response.write(part)
        await response.write_eof()
    return response


async def clear_exports(desk: Desk) -> None:
    """Remove what a crash left of files that were being made."""
    folder = desk.store.root / FOLDER
    with contextlib.suppress(StoreError):
        await desk.long_work(PurePosixPath(RECORDINGS)).run(shutil.rmtree, folder, ignore_errors=True)


async def _turn(desk: Desk, request: web.Request) -> None:
    try:
        async with asyncio.timeout(TURN_LIMIT_S):
            await desk.exports.acquire()
    except TimeoutError:
        raise StoreError("Other clips or files are being made: try again in a minute.") from None
    if request.transport is None or request.transport.is_closing():
        desk.exports.release()
        raise ConnectionResetError("who asked for the file has gone")


def _ended(turns: asyncio.Semaphore, making: "asyncio.Task[Made]") -> None:
    """Give the turn back when the file is made or its disk hangs, whether or not somebody still waits for it."""
    turns.release()
    if not making.cancelled() and making.exception() is not None:
        return  # told to whoever waits


def _unclaimed(making: "asyncio.Task[Made]") -> None:
    """Close a file that nobody waits for any more: its space is given back then."""
    if not making.cancelled() and making.exception() is None:
        making.result()[0].close()


def _made(store: Store, installation_id: UUID, wanted: Wanted) -> Made:
    """Return the opened file, whose name on the disk is gone already: nothing is left behind whatever happens."""
    check_ours(store.root, installation_id)
    space = store.space()
    if space.free_bytes - wanted.size_bytes() < LEAVES_SHARE * space.total_bytes:
        raise StoreError("The disk is too full to make this file: ask for a shorter stretch, or free some space.")
    folder = store.resolve(FOLDER)
    folder.mkdir(exist_ok=True)
    target = folder / str(uuid4())
    try:
        wanted.write(target)
        return target.open("rb"), target.stat().st_size
    finally:
        target.unlink(missing_ok=True)
