"""Live view and recordings: signed HLS, chunk files."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from marengocam.core.errors import NotFoundError, StoreError
from marengocam.core.model import Chunk
from marengocam.media.export import export
from marengocam.media.names import ARCHIVE, RECORDINGS
from marengocam.media.playlist import LiveView, init_bytes, recording_playlist, segment_bytes
from marengocam.media.store import Store
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.files import file_answer
from marengocam.web.limits import Limit
from marengocam.web.query import aware, moment, path_uuid
from marengocam.web.signing import LIVE_VALID
from marengocam.web.table import PREFIX, Desk, Parameter, Route
from marengocam.web.wire import models as wire

MAX_SPAN = timedelta(hours=24)
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_MAX_AGE_S = 3600
MAX_CLIP = timedelta(hours=1)
CLIP_FOLDER = "exports"  # under the media root: as large as a clip may be, and on the same disk
CLIP_TURN_LIMIT_S = 60.0  # few are made at once
CLIP_LIMIT_S = 300.0
CLIP_LEAVES_SHARE = 0.02  # of the disk; what is recorded now comes first
CLIP_PART_BYTES = 256 << 10
CLIP_PART_LIMIT_S = 60.0  # a client that takes nothing for so long has gone


async def live_url(desk: Desk, request: web.Request) -> web.Response:
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    return told(wire.MediaUrl(url=_signed(desk, camera.camera_id, "live.m3u8")))


async def recording_url(desk: Desk, request: web.Request) -> web.Response:
    body = await given(request, wire.SpanIn)
    from_at, to_at = aware(body.from_at, "from_at"), aware(body.to_at, "to_at")
    if to_at <= from_at or to_at - from_at > MAX_SPAN:
        raise InputFieldError("to_at must lie after from_at, at most 24 hours.", "to_at")
    span = urlencode({"from": from_at.isoformat(), "to": to_at.isoformat()})
    return told(wire.MediaUrl(url=_signed(desk, request.match_info["camera_id"], "recording.m3u8", span)))


async def live_playlist(desk: Desk, request: web.Request) -> web.Response:
    camera_id = _checked(desk, request)
    view = desk.views.setdefault(camera_id, LiveView(desk.store, camera_id))
    query = request.rel_url.raw_query_string
    text = await desk.first_disk.run(view.playlist, lambda name: f"{name}?{query}", desk.context.clock.now())
    return web.Response(text=text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"})


async def span_playlist(desk: Desk, request: web.Request) -> web.Response:
    camera_id = _checked(desk, request)
    from_at, to_at = moment(request, "from"), moment(request, "to")
    if from_at is None or to_at is None:
        raise InputFieldError("The address lacks its stretch of time.", "from")
    chunks = await desk.hub.chunks.span(camera_id, from_at, to_at)
    query = urlencode({name: request.query[name] for name in ("expires", "signature")})
    disk = desk.disk(next((one.path for one in chunks if one.path.parts[0] == ARCHIVE), PurePosixPath(RECORDINGS)))
    text = await disk.run(recording_playlist, desk.store, chunks, from_at, to_at, lambda name: f"{name}?{query}")
    return web.Response(text=text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"})


async def segment(desk: Desk, request: web.Request) -> web.Response:
    camera_id = _checked(desk, request)
    name = request.match_info["name"]
    read = init_bytes if name.startswith("init_") else segment_bytes
    try:  # the first disk is asked alone, so that one that hangs holds its own threads only
        content = await desk.first_disk.run(read, Store(desk.store.root), camera_id, name)
    except NotFoundError:
        if desk.store.archive is None:
            raise
        content = await desk.disk(PurePosixPath(ARCHIVE)).run(read, desk.store, camera_id, name)
    headers = {"Cache-Control": f"private, max-age={SEGMENT_MAX_AGE_S}"}
    return web.Response(body=content, content_type="video/mp4", headers=headers)


async def list_chunks(desk: Desk, request: web.Request) -> web.Response:
    now = desk.context.clock.now()
    camera_id = request.query.get("camera_id")
    if not camera_id:
        raise InputFieldError("camera_id is needed.", "camera_id")
    to_at = moment(request, "to_at") or now
    from_at = moment(request, "from_at") or to_at - timedelta(hours=1)
    chunks = await desk.hub.chunks.span(camera_id, from_at, to_at)
    return told(wire.ChunkList(chunks=[_chunk(chunk) for chunk in chunks]))


async def chunk_file(desk: Desk, request: web.Request) -> web.StreamResponse:
    chunk = await desk.hub.chunks.get(path_uuid(request, "chunk_id"))
    missing = "The file of this recording is gone: `marengocam check` tells what else is missing."
    return await file_answer(desk, request, PurePosixPath(chunk.path), {"Content-Type": "video/mp4"}, missing)


def _scope(camera_id: str) -> str:
    return f"{PREFIX}/media/{camera_id}"


async def clip_file(desk: Desk, request: web.Request) -> web.StreamResponse:
    camera = await desk.hub.cameras.get(request.match_info["camera_id"])
    from_at, to_at = moment(request, "from_at"), moment(request, "to_at")
    if from_at is None or to_at is None:
        raise InputFieldError("from_at and to_at are needed.", "from_at")
    if to_at <= from_at or to_at - from_at > MAX_CLIP:
        raise InputFieldError("to_at must lie after from_at, at most one hour.", "to_at")
    try:
        async with asyncio.timeout(CLIP_TURN_LIMIT_S):
            await desk.clips.acquire()
    except TimeoutError:
        raise StoreError("Other clips are being made: try again in a minute.") from None
    if request.transport is None or request.transport.is_closing():
        desk.clips.release()
        raise ConnectionResetError("who asked for the clip has gone")
    making = asyncio.create_task(asyncio.to_thread(_clip, desk.store, camera.camera_id, from_at, to_at))
    making.add_done_callback(partial(_made, desk.clips))
    try:
        async with asyncio.timeout(CLIP_LIMIT_S):
            content, size_bytes = await asyncio.shield(making)
    except TimeoutError:
        making.add_done_callback(_unclaimed)
        raise StoreError(
            "Making the clip took too long: ask for a shorter stretch, or see the disk's health."
        ) from None
    except asyncio.CancelledError:
        making.add_done_callback(_unclaimed)
        raise
    name = f"{camera.camera_id}-{from_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.mp4"
    response = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="{name}"'})
    response.content_type, response.content_length = "video/mp4", size_bytes
    with content:
        await response.prepare(request)
        while part := await desk.first_disk.run(content.read, CLIP_PART_BYTES):
            async with asyncio.timeout(CLIP_PART_LIMIT_S):
                await response.write(part)
        await response.write_eof()
    return response


def _made(turns: asyncio.Semaphore, making: "asyncio.Task[tuple[BinaryIO, int]]") -> None:
    """Give the turn back when the thread has really ended, whether or not somebody still waits for it."""
    turns.release()
    if not making.cancelled() and making.exception() is not None:
        return  # told to whoever waits


def _unclaimed(making: "asyncio.Task[tuple[BinaryIO, int]]") -> None:
    """Close a clip that nobody waits for any more: its space is given back then."""
    if not making.cancelled() and making.exception() is None:
        making.result()[0].close()


def clear_clips(store: Store) -> None:
    """Remove what a crash left of clips that were being made."""
    shutil.rmtree(store.root / CLIP_FOLDER, ignore_errors=True)


def _clip(store: Store, camera_id: str, from_at: datetime, to_at: datetime) -> tuple[BinaryIO, int]:
    """Return the opened clip, whose name on the disk is gone already: nothing is left behind whatever happens."""
    files = store.recordings_in(camera_id, from_at, to_at)
    _check_room(store, files)
    folder = store.resolve(CLIP_FOLDER)
    folder.mkdir(exist_ok=True)
    target = folder / f"{uuid4()}.mp4"
    try:
        done = export(store, files, from_at, to_at, target)
        return target.open("rb"), done.size_bytes
    finally:
        target.unlink(missing_ok=True)


def _check_room(store: Store, files: Sequence[Path]) -> None:
    """Raise StoreError when a clip of these recordings could take the room that recording needs."""
    space = store.space()
    needed_bytes = sum(file.stat().st_size for file in files if file.exists())
    if space.free_bytes - needed_bytes < CLIP_LEAVES_SHARE * space.total_bytes:
        raise StoreError("The disk is too full to make this clip: ask for a shorter stretch, or free some space.")


def _signed(desk: Desk, camera_id: str, name: str, query: str = "") -> str:
    signed = desk.signer.query(_scope(camera_id), desk.context.clock.now() + LIVE_VALID)
    return f"{_scope(camera_id)}/{name}?{f'{query}&' if query else ''}{signed}"


def _checked(desk: Desk, request: web.Request) -> str:
    camera_id = request.match_info["camera_id"]
    expires, signature = request.query.get("expires", ""), request.query.get("signature", "")
    desk.signer.check(_scope(camera_id), expires, signature, desk.context.clock.now())
    return camera_id


def _chunk(chunk: Chunk) -> wire.ChunkOut:
    return wire.ChunkOut(
        chunk_id=chunk.chunk_id,
        camera_id=chunk.camera_id,
        started_at=chunk.started_at,
        duration_s=chunk.duration_s,
        size_bytes=chunk.size_bytes,
        codec=chunk.codec,
        width_px=chunk.width_px,
        height_px=chunk.height_px,
    )


_SIGNED = (Parameter("expires", "integer"), Parameter("signature"))
ROUTES = (
    Route("POST", "/cameras/{camera_id}/stream", "read", live_url, "A signed live address (HLS)", wire.MediaUrl),
    Route(
        "POST",
        "/cameras/{camera_id}/recording",
        "read",
        recording_url,
        "A signed address of a stretch of its recording (HLS)",
        wire.MediaUrl,
        wire.SpanIn,
    ),
    Route(
        "GET",
        "/media/{camera_id}/live.m3u8",
        None,
        live_playlist,
        "Live playlist (signed)",
        parameters=_SIGNED,
        media_type=PLAYLIST_TYPE,
    ),
    Route(
        "GET",
        "/media/{camera_id}/recording.m3u8",
        None,
        span_playlist,
        "Recording playlist (signed)",
        parameters=(Parameter("from"), Parameter("to"), *_SIGNED),
        media_type=PLAYLIST_TYPE,
    ),
    Route(
        "GET",
        "/media/{camera_id}/{name}",
        None,
        segment,
        "Header or segment of a playlist (signed)",
        parameters=_SIGNED,
        media_type="video/mp4",
    ),
    Route(
        "GET",
        "/chunks",
        "read",
        list_chunks,
        "Recorded files of a camera",
        wire.ChunkList,
        parameters=(Parameter("camera_id"), Parameter("from_at"), Parameter("to_at")),
    ),
    Route(
        "GET",
        "/cameras/{camera_id}/clip.mp4",
        "read",
        clip_file,
        "A stretch of its recording as one file, copied from the keyframe before; an hour at most",
        parameters=(Parameter("from_at"), Parameter("to_at")),
        media_type="video/mp4",
        limit=Limit(20),
    ),
    Route("GET", "/chunks/{chunk_id}/file.mp4", "read", chunk_file, "A recorded file", media_type="video/mp4"),
)
