"""A face enrolled from a picture, with an engine that answers over HTTP as others' engines do."""

import contextlib
import io
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
from aiohttp import web
from tests.support.web_app import serving_api

from marengocam.media.store import MARKER

PNG = cv2.imencode(".png", np.full((120, 160, 3), 90, np.uint8))[1].tobytes()
JPEG = b"\xff\xd8\xff"
FACE = {"x_min": 10, "y_min": 10, "x_max": 110, "y_max": 110, "quality": 0.9, "embedding_model": "sface-128"}
FACE["embedding"] = [1.0] + [0.0] * 127
SMALL = FACE | {"x_max": 40, "y_max": 40}


@contextlib.asynccontextmanager
async def _engine(answer, break_first=0):
    """Serve a face engine's route; the first connections break as when it restarts."""
    calls = []

    async def face(request):
        form = await request.post()
        calls.append(form["image"].file.read())
        if len(calls) <= break_first:
            request.transport.close()
        return web.json_response(answer)

    app = web.Application(client_max_size=12 << 20)
    app.router.add_post("/v1/vision/face", face)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", calls
    finally:
        await runner.cleanup()


async def _enrol(api, picture=PNG, name="Alice"):
    _, alice = await api.call("POST", "/persons", {"name": name})
    url = f"{api.address}/api/v1/persons/{alice['person_id']}/faces"
    headers = {"Authorization": f"Bearer {api.token}"}
    async with api.session.post(url, data={"picture": io.BytesIO(picture)}, headers=headers) as reply:
        return reply.status, await reply.json()


async def test_the_clearly_larger_face_is_kept_with_its_picture_though_the_engine_just_restarted(hub, hub_settings):
    answer = {"success": True, "predictions": [SMALL, FACE]}
    async with (
        _engine(answer, break_first=1) as (address, calls),
        serving_api(hub, replace(hub_settings, face_url=address)) as api,
    ):
        status, person = await _enrol(api)
        assert (status, person["faces"], person["has_picture"]) == (201, 1, True)
        assert len(calls) == 2
        assert all(call.startswith(JPEG) for call in calls), "made anew: nothing else that was in the file goes on"
        headers = {"Authorization": f"Bearer {api.token}"}
        url = f"{api.address}/api/v1/persons/{person['person_id']}/picture.jpg"
        async with api.session.get(url, headers=headers) as reply:
            assert (reply.content_type, await reply.read()) == ("image/jpeg", calls[1])


@pytest.mark.parametrize(
    ("answer", "status", "code", "said"),
    [
        ({"success": True, "predictions": []}, 400, "bad_input", "No face was found"),
        ({"success": True, "predictions": [FACE, FACE]}, 400, "bad_input", "2 faces"),
        ({"success": False, "code": 400, "error": "too dark"}, 400, "bad_input", "too dark"),
        ({"success": False, "code": 500, "error": "broken"}, 503, "face_engine_unavailable", "broken"),
        ({"success": True, "predictions": [{"x_min": "left"}]}, 503, "face_engine_unavailable", "understood"),
        ({"success": True, "predictions": [{**SMALL, "embedding": None}]}, 400, "bad_input", "no model"),
        (["odd"], 503, "face_engine_unavailable", "failed"),
    ],
)
async def test_what_cannot_be_enrolled_is_told_and_nothing_is_kept(hub, hub_settings, answer, status, code, said):
    async with (
        _engine(answer) as (address, _),
        serving_api(hub, replace(hub_settings, face_url=address)) as api,
    ):
        found, reply = await _enrol(api)
        assert (found, reply["error"]["code"]) == (status, code)
        assert said in reply["error"]["message"]
        (known,) = await hub.persons.list()
        assert known.faces == 0
        assert not list(hub_settings.media_dir.rglob("*.jpg"))


async def test_hostile_pictures_reach_neither_the_engine_nor_the_disk(hub, hub_settings):
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0)
    noise = np.random.default_rng(7).integers(0, 255, (300, 300, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
    hostile = [b"", b"GIF89a" + bytes(50), header + bytes(100), jpeg[:40], jpeg[:-2] + b"\xff\xda\x00\x08" * 100]
    answer = {"success": True, "predictions": [FACE]}
    async with (
        _engine(answer) as (address, calls),
        serving_api(hub, replace(hub_settings, face_url=address)) as api,
    ):
        for number, picture in enumerate(hostile):
            status, reply = await _enrol(api, picture, name=f"Nobody {number}")
            assert (status, reply["error"]["field"]) == (400, "picture"), picture[:8]
        assert calls == []
        assert list(hub_settings.media_dir.rglob("*.*")) == [hub_settings.media_dir / MARKER]
        hidden = b"<script>alert(1)</script>"
        assert (await _enrol(api, jpeg + hidden, name="Alice"))[0] == 201
        (kept,) = hub_settings.media_dir.rglob("*.jpg")
        assert hidden not in kept.read_bytes()
        assert hidden not in calls[0]


async def test_a_picture_is_not_written_onto_the_disk_under_the_mount_point(hub, hub_settings):
    async with (
        _engine({"success": True, "predictions": [FACE]}) as (address, _),
        serving_api(hub, replace(hub_settings, face_url=address)) as api,
    ):
        (hub_settings.media_dir / MARKER).unlink()
        status, told = await _enrol(api)
        assert (status, told["error"]["code"]) == (503, "store_unavailable")
        assert "mount its disk" in told["error"]["message"]
        assert list(hub_settings.media_dir.iterdir()) == []
        assert await hub.persons.exemplars() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"embedding": [float("nan"), 1.0]},
        {"embedding": [0.0] * 128},
        {"embedding": [[1.0], [0.0]]},
        {"embedding": ["a"]},
        {"embedding": []},
        {"embedding": [1.0] * 20_000},
        {"embedding_model": "x" * 5000},
        {"embedding_model": "sface\0"},
        {"x_max": float("nan")},
    ],
    ids=lambda wrong: f"{next(iter(wrong))} {str(next(iter(wrong.values())))[:12]}",
)
async def test_what_is_no_embedding_joins_no_gallery(hub, hub_settings, wrong):
    async with (
        _engine({"success": True, "predictions": [FACE | wrong]}) as (address, _),
        serving_api(hub, replace(hub_settings, face_url=address)) as api,
    ):
        status, told = await _enrol(api)
        assert (status, told["error"]["code"]) == (503, "face_engine_unavailable"), told
        assert await hub.persons.exemplars() == []


@pytest.mark.parametrize(("quality", "kept"), [(None, 0.5), ("x", 0.5), (7, 1.0), (float("nan"), 0.5)])
async def test_a_quality_that_is_none_costs_no_face(hub, hub_settings, quality, kept):
    async with (
        _engine({"success": True, "predictions": [FACE | {"quality": quality, "embedding": [2.0, 0.0]}]}) as (
            address,
            _,
        ),
        serving_api(hub, replace(hub_settings, face_url=address)) as api,
    ):
        assert (await _enrol(api))[0] == 201
        (one,) = await hub.persons.exemplars()
        assert (one.embedding.quality, one.embedding.vector.tolist()) == (kept, [1.0, 0.0])
