"""Live view and recordings: signed HLS, chunk files."""

import asyncio
from datetime import UTC, timedelta
from pathlib import Path, PurePosixPath
from urllib.parse import urlencode

from aiohttp import web

from marengocam.core.errors import NotFoundError
from marengocam.core.model import Chunk
from marengocam.media.export import export
from marengocam.media.names import ARCHIVE, GROWING_SUFFIX, RECORDINGS
from marengocam.media.playlist import ALL_PARTS, LiveView, init_bytes, recording_playlist, segment_bytes
from marengocam.media.runs import earliest, recordings_in
from marengocam.media.store import Store
from marengocam.web.answers import InputFieldError, given, told
from marengocam.web.exports import Wanted, exported
from marengocam.web.files import file_answer
from marengocam.web.limits import Limit
from marengocam.web.query import aware, moment, path_uuid
from marengocam.web.signing import LIVE_VALID
from marengocam.web.table import PREFIX, Desk, Parameter, Route
from marengocam.web.wire import models as wire

MAX_SPAN = timedelta(hours=24)
PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
SEGMENT_MAX_AGE_S = 3600
AWAITED_LIMIT_S = 5.0  # a player that waits for the next part asks again after that
AWAITED_POLL_S = 0.15
MAX_CLIP = timedelta(hours=1)


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
    query, clock, wanted = _signature(request), desk.context.clock, _awaited(request)
    give_up_s = clock.monotonic_s() + AWAITED_LIMIT_S
    while True:
        listed = await desk.first_disk.run(view.playlist, lambda name: f"{name}?{query}", clock.now())
        if listed.reached >= wanted or clock.monotonic_s() > give_up_s:
            break
        await asyncio.sleep(AWAITED_POLL_S)
    return web.Response(text=listed.text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": "no-store"})


async def span_playlist(desk: Desk, request: web.Request) -> web.Response:
    camera_id = _checked(desk, request)
    from_at, to_at = moment(request, "from"), moment(request, "to")
    if from_at is None or to_at is None:
        raise InputFieldError("The address lacks its stretch of time.", "from")
    chunks = await desk.hub.chunks.span(camera_id, from_at, to_at)
    query = _signature(request)
    disk = desk.disk(next((one.path for one in chunks if one.path.parts[0] == ARCHIVE), PurePosixPath(RECORDINGS)))

    def playlist() -> str:
        here = Store(desk.store.root).recordings_since(camera_id, earliest(from_at), to_at)
        indexed = {chunk.path.name for chunk in chunks}
        growing = [file for file in here if file.name.endswith(GROWING_SUFFIX) and file.stem not in indexed]
        return recording_playlist(desk.store, chunks, from_at, to_at, lambda name: f"{name}?{query}", growing)

    text = await disk.run(playlist)
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
    chunks = await desk.hub.chunks.span(camera.camera_id, from_at, to_at)
    old = next((one.path for one in chunks if one.path.parts[0] == ARCHIVE), None)
    # The first disk is read alone where that is enough, so that an archive that hangs keeps no other clip.
    store = Store(desk.store.root) if old is None else desk.store

    def files() -> list[Path]:
        return recordings_in(store, camera.camera_id, from_at, to_at)

    wanted = Wanted(
        f"{camera.camera_id}-{from_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.mp4",
        "video/mp4",
        lambda: sum(file.stat().st_size for file in files() if file.exists()),
        lambda target: export(store, files(), from_at, to_at, target),
    )
    return await exported(desk, request, wanted, desk.long_work(old or PurePosixPath(RECORDINGS)))


def _signed(desk: Desk, camera_id: str, name: str, query: str = "") -> str:
    signed = desk.signer.query(_scope(camera_id), desk.context.clock.now() + LIVE_VALID)
    return f"{_scope(camera_id)}/{name}?{f'{query}&' if query else ''}{signed}"


def _signature(request: web.Request) -> str:
    return urlencode({name: request.query[name] for name in ("expires", "signature")})


def _awaited(request: web.Request) -> tuple[int, int]:
    """Return the segment and part that a player wants to wait for (RFC 8216bis, 6.2.5.2); (0, 0): for none."""
    try:
        segment = int(request.query.get("_HLS_msn", "0"))
        return segment, int(request.query.get("_HLS_part", ALL_PARTS if segment else 0))
    except ValueError:
        raise InputFieldError("_HLS_msn and _HLS_part are whole numbers.", "_HLS_msn") from None


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
        "Live playlist (signed), in parts of a second or less; a player may wait for one that is to come",
        parameters=(*_SIGNED, Parameter("_HLS_msn", "integer"), Parameter("_HLS_part", "integer")),
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
