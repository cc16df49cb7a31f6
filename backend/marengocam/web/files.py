"""A file of the media folder or the archive as an answer, read by its disk's threads: whole, in part, or unchanged."""

import os
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import BinaryIO

from aiohttp import hdrs, web

from marengocam.core.errors import NotFoundError, StoreError
from marengocam.media.store import Store
from marengocam.web.table import Desk

PART_BYTES = 256 << 10


async def file_answer(
    desk: Desk, request: web.Request, path: PurePosixPath, headers: Mapping[str, str], missing: str
) -> web.StreamResponse:
    """Answer with a file; raises NotFoundError with `missing` when it is gone, StoreError where its disk hangs."""
    disk = desk.disk(path)
    opened = await disk.run(_opened, desk.store, path)
    if opened is None:
        raise NotFoundError(missing)
    file, about = opened
    try:
        response, start, count = _about(request, about, headers)
        await response.prepare(request)
        while count > 0:
            # The event loop's own way to send files (sendfile) would stand still with the disk.
            part = await disk.run(os.pread, file.fileno(), min(PART_BYTES, count), start)
            if not part:
                raise ConnectionResetError("the file became shorter while it was sent")
            await response.write(part)
            start, count = start + len(part), count - len(part)
        await response.write_eof()
        return response
    finally:
        disk.later(file.close)


def _opened(store: Store, path: PurePosixPath) -> tuple[BinaryIO, os.stat_result] | None:
    file = store.resolve(path)
    if not file.is_file():
        return None
    try:
        opened = file.open("rb")
        return opened, os.fstat(opened.fileno())
    except FileNotFoundError:
        return None  # deleted since
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}.") from error


def _about(
    request: web.Request, about: os.stat_result, headers: Mapping[str, str]
) -> tuple[web.StreamResponse, int, int]:
    """Return the answer's head, and where in the file its body begins and how long it is."""
    etag, size = f"{about.st_mtime_ns:x}-{about.st_size:x}", about.st_size
    start, count, status = 0, size, 200
    if _unchanged(request, etag, about.st_mtime):
        count, status = 0, 304
    elif request.if_range is None or about.st_mtime <= request.if_range.timestamp():
        start, count, status = _part(request, size)
    response = web.StreamResponse(status=status, headers=headers)
    response.etag, response.last_modified = etag, about.st_mtime
    if status != 304:
        response.headers[hdrs.ACCEPT_RANGES] = "bytes"
        response.content_length = count
    if status == 206:
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{start + count - 1}/{size}"
    elif status == 416:
        response.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
    return response, start, count


def _unchanged(request: web.Request, etag: str, modified_s: float) -> bool:
    """Whether who asks has it already."""
    if request.if_none_match is not None:
        return any(one.value in {etag, "*"} for one in request.if_none_match)
    return request.if_modified_since is not None and modified_s <= request.if_modified_since.timestamp()


def _part(request: web.Request, size: int) -> tuple[int, int, int]:
    """Return start, length and status of what is asked for of so many bytes."""
    try:
        wanted = request.http_range
    except ValueError:
        return 0, 0, 416
    if wanted.start is None:
        return 0, size, 200
    start = max(0, size + wanted.start) if wanted.start < 0 else wanted.start
    end = size if wanted.stop is None else min(wanted.stop, size)
    return (start, end - start, 206) if start < end else (0, 0, 416)
