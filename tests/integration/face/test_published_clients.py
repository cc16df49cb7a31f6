"""The face routes as published client programs call them: what each puts on the wire, and what it reads of the answer.

Read from their sources: DeepStack's own face test, deepstack-sdk, deepstack-python (HASS-Deepstack-face, Viseron), the
CodeProject.AI SDK of Home Assistant's integrations, double-take, and DeepStack's C# examples.
"""

import struct
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.support.shared_assets import needed_folder

from marengocam.db.hub import Hub
from marengocam.face.routes import Engine, add_routes
from marengocam.runtime.endpoint import CLIENT_MAX_BYTES
from marengocam.settings import Settings
from marengocam.vision.faces import load_face_analyser
from marengocam.vision.models import Models

BOUNDARY = "7f3c0de"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def python_requests(files: dict[str, bytes], **texts: str) -> bytes:
    """Return the form that Python's requests makes of `files={"image": data}`: texts first, a part without a type."""
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode() for name, text in texts.items()]
    parts += [
        f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'.encode() + content
        for name, content in files.items()
    ]
    return form(parts)


def node_form_data(picture: bytes, **texts: str) -> bytes:
    """Return the form of Node's form-data, as double-take sends it: the picture first, as a stream."""
    head = b'Content-Disposition: form-data; name="image"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    texts_ = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode() for name, text in texts.items()]
    return form([head + picture, *texts_])


def dotnet(files: dict[str, bytes], **texts: str) -> bytes:
    """Return the form of .NET's MultipartFormDataContent: names without quotes, the file's name twice."""
    parts = [
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name={name}\r\n\r\n{text}".encode()
        for name, text in texts.items()
    ]
    parts += [
        f"Content-Disposition: form-data; name={name}; filename=a.jpg; filename*=utf-8''a.jpg\r\n\r\n".encode()
        + content
        for name, content in files.items()
    ]
    return form(parts)


def form(parts: list[bytes]) -> bytes:
    return b"".join(f"--{BOUNDARY}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


@dataclass
class Wire:
    session: aiohttp.ClientSession
    base: str

    async def post(self, route: str, body: Any = None, headers: dict[str, str] | None = FORM) -> dict[str, Any]:
        """Post bytes as they are; every client takes another status than 200 for a broken server."""
        url = f"{self.base}/v1/vision/face{route}"
        async with self.session.post(url, data=body, headers=headers if body is not None else None) as reply:
            assert reply.status == 200
            return await reply.json()


@pytest_asyncio.fixture
async def wire(hub: Hub, tmp_path: Path) -> AsyncIterator[Wire]:
    settings = Settings(
        data_dir=tmp_path, media_dir=tmp_path, models_dir=needed_folder("models"), download_models=False
    )
    app = web.Application(client_max_size=CLIENT_MAX_BYTES)
    with ThreadPoolExecutor(1) as pool:
        engine = Engine(pool=pool, hub=hub, analyser=load_face_analyser(settings, Models(settings)))
        add_routes(app, engine)
        async with TestServer(app) as server, aiohttp.ClientSession() as session:
            yield Wire(session, str(server.make_url("")).rstrip("/"))


@pytest.fixture
def faces() -> dict[str, bytes]:
    folder = needed_folder("faces")
    return {name: (folder / f"{name}.jpg").read_bytes() for name in ("obama", "obama2", "obama3", "biden", "biden2")}


async def test_deepstack_s_own_face_test_passes(wire: Wire, faces: dict[str, bytes]) -> None:
    key = {"api_key": ""}
    for _ in range(2):  # it registers the same picture twice
        added = await wire.post("/register", python_requests({"image": faces["obama"]}, userid="Adele", **key))
        assert added["success"] is True
    (seen,) = (await wire.post("/recognize", python_requests({"image": faces["obama2"]}, **key)))["predictions"]
    assert seen["userid"] == "Adele"
    (other,) = (await wire.post("/recognize", python_requests({"image": faces["biden"]}, **key)))["predictions"]
    assert other["userid"] == "unknown"
    same = await wire.post("/match", python_requests({"image1": faces["obama"], "image2": faces["obama3"]}, **key))
    assert (same["success"], same["similarity"] > 0.65) == (True, True)
    apart = await wire.post("/match", python_requests({"image1": faces["obama"], "image2": faces["biden"]}, **key))
    assert (apart["success"], apart["similarity"] < 0.51) == (True, True)
    urlencoded = {"Content-Type": "application/x-www-form-urlencoded"}
    assert "Adele" in (await wire.post("/list", b"api_key=", urlencoded))["faces"]
    assert (await wire.post("/delete", b"userid=Adele", urlencoded))["success"] is True
    (gone,) = (await wire.post("/recognize", python_requests({"image": faces["obama2"]}, **key)))["predictions"]
    assert gone["userid"] == "unknown"
    assert "Adele" not in (await wire.post("/list", b"api_key=", urlencoded))["faces"]


async def test_the_python_sdks_register_recognise_and_list(wire: Wire, faces: dict[str, bytes]) -> None:
    several = {"image0e6b-41": faces["obama"], "image77aa-42": faces["obama2"]}  # deepstack-sdk: image + a UUID
    assert (await wire.post("/register", python_requests(several, userid="Barack", api_key="None")))["success"]
    # deepstack-python and the CodeProject.AI SDK send min_confidence with every form, and read `message`.
    body = python_requests({"image": faces["biden"]}, userid="Joe", min_confidence="0.45")
    assert (await wire.post("/register", body))["message"] == "face added"
    answer = await wire.post("/recognize", python_requests({"image": faces["biden2"]}, min_confidence="0.7"))
    (seen,) = answer["predictions"]
    assert (seen["userid"], seen["confidence"] >= 0.7) == ("Joe", True)
    assert all(isinstance(seen[side], int) for side in ("x_min", "y_min", "x_max", "y_max"))
    (found,) = (await wire.post("", python_requests({"image": faces["biden2"]}, min_confidence="0.4")))["predictions"]
    assert 0.4 <= found["confidence"] <= 1
    assert sorted((await wire.post("/list"))["faces"]) == ["Barack", "Joe"]  # posted without a body
    async with wire.session.get(f"{wire.base}/v1/vision/face/list") as reply:
        assert sorted((await reply.json())["faces"]) == ["Barack", "Joe"]


async def test_a_failed_registration_says_why_where_the_sdks_look(wire: Wire) -> None:
    grey = (b"P5 64 64 255\n" + bytes(4096)) * 1
    answer = await wire.post("/register", python_requests({"image": grey}, userid="Nobody", min_confidence="0.45"))
    assert (answer["success"], isinstance(answer["error"], str)) == (False, True)


@pytest.mark.parametrize("key", ["", "secret"])
async def test_who_sends_deepstack_s_field_is_told_failures_by_the_status_too(
    wire: Wire, faces: dict[str, bytes], key: str
) -> None:
    for route, pictures, texts in (
        ("", {"image": b"no picture"}, {}),
        ("/recognize", {"image": faces["obama"]}, {"min_confidence": "45"}),
        ("/register", {"image": b"P5 64 64 255\n" + bytes(4096)}, {"userid": "Nobody"}),
        ("/match", {"image1": faces["obama"]}, {}),
    ):
        body = python_requests(pictures, api_key=key, **texts)
        async with wire.session.post(f"{wire.base}/v1/vision/face{route}", data=body, headers=FORM) as reply:
            answer = await reply.json()
        assert (reply.status, answer["success"], answer["code"], bool(answer["error"])) == (400, False, 400, True)
    fine = await wire.post("/recognize", python_requests({"image": faces["obama"]}, api_key=key))
    assert fine["predictions"][0]["userid"] == "unknown"


async def test_whose_faces_were_deleted_is_added_and_not_updated(wire: Wire, faces: dict[str, bytes]) -> None:
    body = python_requests({"image": faces["obama"]}, userid="Barack")
    assert [(await wire.post("/register", body))["message"] for _ in range(2)] == ["face added", "face updated"]
    await wire.post("/delete", python_requests({}, userid="Barack"))
    assert (await wire.post("/register", body))["message"] == "face added"


async def test_double_take_trains_recognises_and_removes(wire: Wire, faces: dict[str, bytes]) -> None:
    async def streamed(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 16_384):
            yield body[start : start + 16_384]

    trained = await wire.post("/register", streamed(node_form_data(faces["obama"], userid="barack")))
    assert trained["success"] is True
    (seen,) = (await wire.post("/recognize", streamed(node_form_data(faces["obama3"], api_key="k"))))["predictions"]
    assert (seen["userid"].lower(), round(seen["confidence"] * 100) > 60) == ("barack", True)
    assert (seen["x_max"] - seen["x_min"]) * (seen["y_max"] - seen["y_min"]) > 0
    removing = form([b'Content-Disposition: form-data; name="userid"\r\n\r\nbarack'])
    assert (await wire.post("/delete", streamed(removing)))["success"] is True


async def test_the_forms_of_dotnet_clients_are_read(wire: Wire, faces: dict[str, bytes]) -> None:
    quoted = {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'}
    pictures = {"image1": faces["obama"], "image2": faces["obama2"]}
    assert (await wire.post("/register", dotnet(pictures, userid="Barack"), quoted))["success"] is True
    body = dotnet({"image": faces["obama3"]}, min_confidence="0.6")
    (seen,) = (await wire.post("/recognize", body, quoted))["predictions"]
    assert seen["userid"] == "Barack"
    match = await wire.post("/match", dotnet(pictures), quoted)
    assert match["similarity"] > 0.65


async def test_an_address_may_end_with_a_slash_and_texts_may_stand_in_it(wire: Wire, faces: dict[str, bytes]) -> None:
    named = await wire.post("/register/?userid=Barack", python_requests({"image": faces["obama"]}))
    assert named["success"] is True
    assert (await wire.post("/list/"))["faces"] == ["Barack"]
    answer = await wire.post("/recognize/", python_requests({"image": faces["obama2"]}, min_confidence="0.1"))
    assert answer["predictions"][0]["userid"] == "Barack"
    strict = await wire.post("/recognize?min_confidence=1", python_requests({"image": faces["obama2"]}))
    assert strict["predictions"][0]["userid"] == "unknown"
    assert (await wire.post("/delete?userid=Nobody", python_requests({}, userid="Barack")))["success"] is True
    assert (await wire.post("/", python_requests({"image": faces["obama2"]})))["count"] == 1


@pytest.mark.parametrize("name", ["", '; filename=""'])
async def test_a_picture_whose_part_has_a_type_and_no_name_is_read(
    wire: Wire, faces: dict[str, bytes], name: str
) -> None:
    head = f'Content-Disposition: form-data; name="image"{name}\r\nContent-Type: image/jpeg\r\n\r\n'.encode()
    assert (await wire.post("", form([head + faces["obama2"]])))["count"] == 1


async def test_answers_carry_what_codeproject_ai_s_server_adds(wire: Wire, faces: dict[str, bytes]) -> None:
    answer = await wire.post("/recognize", python_requests({"image": faces["obama"]}))
    assert (answer["code"], answer["command"], answer["moduleId"]) == (200, "recognize", "MarengoCamFace")
    assert parsedate_to_datetime(answer["timestampUTC"]).utcoffset() == timedelta(0)
    assert (await wire.post("", python_requests({"image": faces["obama"]})))["command"] == "detect"
    failed = await wire.post("/register", python_requests({"image": faces["obama"]}))
    assert (failed["code"], failed["command"]) == (400, "register")
    for path in ("/v1/status/ping", "/v1/server/status/ping", "/v1/status/ping/"):
        async with wire.session.get(wire.base + path) as reply:
            assert (await reply.json())["success"] is True


@pytest.mark.parametrize(
    ("part", "headers"),
    [
        (b"Content-Type: text/plain; charset=bogus\r\nContent-Disposition: form-data; name=userid\r\n\r\nx", {}),
        (b"Content-Disposition: form-data; name=userid\r\n\r\n\xff\xfe", {}),
        (b"Content-Disposition: form-data; name=userid\r\n\r\nx", {"Content-Encoding": "gzip"}),
    ],
    ids=["a character set that does not exist", "no text", "not compressed as it says"],
)
async def test_a_form_that_cannot_be_read_is_a_failure_like_any_other(
    wire: Wire, part: bytes, headers: dict[str, str]
) -> None:
    answer = await wire.post("/delete", form([part]), FORM | headers)
    assert (answer["success"], answer["code"], "multipart" in answer["error"]) == (False, 400, True)


@pytest.mark.parametrize("orientation", [3, 6, 8])
async def test_a_picture_that_a_phone_took_turned_shows_its_face_upright(
    wire: Wire, faces: dict[str, bytes], orientation: int
) -> None:
    upright = cv2.imdecode(np.frombuffer(faces["obama2"], np.uint8), cv2.IMREAD_COLOR)
    turns = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_COUNTERCLOCKWISE, 8: cv2.ROTATE_90_CLOCKWISE}
    stored = cv2.imencode(".jpg", cv2.rotate(upright, turns[orientation]))[1].tobytes()
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    turned = stored[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(exif)) + exif + stored[2:]
    (plain,) = (await wire.post("", python_requests({"image": faces["obama2"]})))["predictions"]
    (seen,) = (await wire.post("", python_requests({"image": turned})))["predictions"]
    assert all(abs(seen[side] - plain[side]) < 15 for side in ("x_min", "y_min", "x_max", "y_max"))
