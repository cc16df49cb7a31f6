"""A recording's file as an answer: whole, in part or unchanged, as aiohttp's own answer of a file says it."""

import os
from datetime import timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.clips import write_counter_clip
from tests.support.recordings import recorded
from tests.support.web_app import serving_api

from marengocam.media.store import Store

SAME = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges", "ETag", "Last-Modified")
MODIFIED_S = 1_780_000_000.0
AT, BEFORE = "Thu, 28 May 2026 20:26:40 GMT", "Thu, 28 May 2026 20:26:39 GMT"
ASKED = [
    {},
    {"Range": "bytes=0-"},
    {"Range": "bytes=0-0"},
    {"Range": "bytes=100-299"},
    {"Range": "bytes=100-99999999"},
    {"Range": "bytes=-500"},
    {"Range": "bytes=-99999999"},
    {"Range": "bytes=99999999-"},
    {"Range": "bytes=300-200"},
    {"Range": "pieces=1-2"},
    {"Range": "bytes=10-20", "If-Range": AT},
    {"Range": "bytes=10-20", "If-Range": BEFORE},
    {"If-Modified-Since": AT},
    {"If-Modified-Since": BEFORE},
    {"If-None-Match": '"other"'},
    {"If-None-Match": '"ETAG"'},
    {"If-None-Match": "*", "Range": "bytes=10-20"},
]


@pytest.fixture
async def both(hub, hub_settings, tmp_path):
    """Addresses of one recording, ours and aiohttp's own, and the file."""
    store = Store(hub_settings.media_dir)
    chunk = recorded(store, write_counter_clip(tmp_path / "c.mp4", frames=20), timedelta(days=2))
    await hub.chunks.add([chunk])
    file = store.resolve(chunk.path)
    os.utime(file, (MODIFIED_S, MODIFIED_S))

    async def own(_request):
        return web.FileResponse(file, headers={"Content-Type": "video/mp4"})

    app = web.Application()
    app.router.add_get("/", own)
    async with serving_api(hub, hub_settings) as api, TestServer(app) as theirs:
        yield api, f"{api.address}/api/v1/chunks/{chunk.chunk_id}/file.mp4", str(theirs.make_url("/")), file


async def test_every_way_of_asking_is_answered_as_by_the_library(both) -> None:
    api, ours, theirs, file = both
    etag = f"{file.stat().st_mtime_ns:x}-{file.stat().st_size:x}"
    async with aiohttp.ClientSession() as session:
        for asked in ASKED:
            headers = {name: value.replace("ETAG", etag) for name, value in asked.items()}
            async with session.get(theirs, headers=headers) as reply:
                wanted = reply.status, {name: reply.headers.get(name) for name in SAME}, await reply.read()
            headers["Authorization"] = f"Bearer {api.token}"
            async with session.get(ours, headers=headers) as reply:
                told = reply.status, {name: reply.headers.get(name) for name in SAME}, await reply.read()
                assert reply.headers["X-Content-Type-Options"] == "nosniff"
            if wanted[0] == 416:  # ours tells the length of what it sends, nothing, too
                wanted = (416, told[1] | {"Content-Range": wanted[1]["Content-Range"]}, b"")
            assert told == wanted, asked


async def test_a_file_that_is_gone_is_told_with_a_sentence(both) -> None:
    api, ours, _, file = both
    file.unlink()
    status, answer = await api.call("GET", ours.removeprefix(api.address))
    assert (status, "is gone" in answer["error"]["message"]) == (404, True)
