"""Clients that others published, installed and run as they are: against `marengocam face`, and against our CompreFace.

They tell whether our service answers as theirs does, and whether our stand-in for CompreFace is one.
"""

import asyncio
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import cv2
import numpy as np
import pytest
import pytest_asyncio
from PIL import Image
from tests.support.face_service import face_process, health
from tests.support.foreign_engines import NO_FACE, CompreFaceServer, served
from tests.support.shared_assets import needed_folder

from marengocam.db.hub import Hub
from marengocam.media.store import Store
from marengocam.settings import Settings

pytestmark = pytest.mark.usefixtures("published_clients")
pytest_plugins = ["tests.support.face_clients"]
GREY = cv2.imencode(".jpg", np.full((240, 320, 3), 127, np.uint8))[1].tobytes()
LIMIT_S = 20  # the machine may be busy
KEY, OTHER_KEY = "00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003"


@pytest_asyncio.fixture
async def address(hub: Hub, hub_settings: Settings) -> AsyncIterator[str]:
    """The service, running with real models."""
    Store(hub_settings.media_dir).prepare(await hub.settings_store.installation_id())  # as ingest does
    models = needed_folder("models")
    async with face_process(hub_settings, models) as (_, base), aiohttp.ClientSession() as session:
        await health(session, base, "ok")
        yield base


@pytest.fixture
def faces() -> Path:
    return needed_folder("faces")


# Pictures go as bytes: these clients leave the files open that they are given by name.
def deepstack_sdk(address: str, key: str | None = None) -> Any:
    config = import_module("deepstack_sdk").ServerConfig(address, api_key=key)
    return import_module("deepstack_sdk.face").Face(config)


@pytest.mark.parametrize("key", [None, "some key"])
def test_deepstack_s_sdk_does_all_that_it_can_with_pictures(
    address: str, faces: Path, tmp_path: Path, key: str | None
) -> None:
    client, path = deepstack_sdk(address, key), faces / "obama.jpg"
    array = cv2.imread(str(path))
    with Image.open(path) as picture:
        seen = [client.detectFace(path.read_bytes())]
        seen += [client.detectFace(array, format=kind) for kind in ("jpg", "png", "webp", "bmp")]
        seen += [client.detectFace(picture, format=kind) for kind in ("jpg", "png")]
    boxes = [(one.x_min, one.y_min, one.x_max, one.y_max) for (one,) in seen]
    assert np.ptp(boxes, axis=0).max() <= 3, "the same face, however it was sent"
    assert all(0.4 <= one.confidence <= 1 for (one,) in seen)
    assert len(client.detectFace(GREY)) == 0
    assert len(client.detectFace(array, min_confidence=1)) == 0

    assert client.registerFace([(faces / "obama2.jpg").read_bytes(), array], "Barack") is True
    assert list(client.listFaces()) == ["Barack"]
    drawn = tmp_path / "drawn.jpg"
    both = client.recognizeFace((faces / "obama_and_biden.jpg").read_bytes(), output=str(drawn))
    assert sorted({one.userid for one in both}) == ["Barack", "unknown"]
    assert drawn.stat().st_size > 0
    assert client.deleteFace("Barack") is True
    assert (list(client.listFaces()), client.deleteFace("Nobody")) == ([], True)
    assert {one.userid for one in client.recognizeFace(array)} == {"unknown"}


def test_deepstack_s_sdk_with_a_key_is_told_what_cannot_be_used(address: str) -> None:
    client = deepstack_sdk(address, "some key")
    for failing in (
        lambda: client.detectFace(b"no picture"),
        lambda: client.detectFace(GREY, min_confidence=45),
        lambda: client.recognizeFace(b"no picture"),
        lambda: client.registerFace([GREY], "Nobody"),
        lambda: client.registerFace([b"no picture"], "Nobody"),
        lambda: client.registerFace([], "Nobody"),
        lambda: client.registerFace([GREY], ""),
        lambda: client.deleteFace(""),
    ):
        with pytest.raises(Exception, match=r"^Invalid image$"):
            failing()
    assert list(client.listFaces()) == []


PYTHON_CLIENTS = pytest.mark.parametrize(
    ("module", "maker"), [("codeprojectai.core", "CodeProjectAI"), ("deepstack.core", "Deepstack")]
)


@PYTHON_CLIENTS
def test_home_assistant_s_clients_register_recognise_and_list(
    address: str, faces: Path, module: str, maker: str
) -> None:
    core, (host, port) = import_module(module), address.removeprefix("http://").split(":")
    client = getattr(core, f"{maker}Face")(host, int(port), timeout=LIMIT_S)
    obama = (faces / "obama.jpg").read_bytes()
    assert (len(client.detect(obama)), client.detect(GREY), client.get_registered_faces()) == (1, [], [])
    assert core.get_recognized_faces(client.recognize(obama)) == {}
    assert client.register("Barack", obama) == "face added"
    assert client.register("Barack", (faces / "obama2.jpg").read_bytes()) == "face updated"
    assert client.get_registered_faces() == ["Barack"]
    names = core.get_recognized_faces(client.recognize((faces / "obama_and_biden.jpg").read_bytes()))
    assert (list(names), names["Barack"] > 60) == (["Barack"], True)
    strict = getattr(core, f"{maker}Face")(host, int(port), timeout=LIMIT_S, min_confidence=1)
    assert core.get_recognized_faces(strict.recognize((faces / "obama3.jpg").read_bytes())) == {}


@PYTHON_CLIENTS
def test_home_assistant_s_clients_raise_their_own_errors(address: str, module: str, maker: str) -> None:
    core, (host, port) = import_module(module), address.removeprefix("http://").split(":")
    face, objects, error = (getattr(core, maker + name) for name in ("Face", "Object", "Exception"))
    client = face(host, int(port), timeout=LIMIT_S)
    why = "status code: 400" if maker == "Deepstack" else "No face was found"  # each as its own server tells it
    with pytest.raises(error, match=why):
        client.register("Nobody", GREY)
    with pytest.raises(error if maker == "Deepstack" else KeyError):  # CodeProject.AI's server tells no predictions
        client.recognize(b"no picture")
    assert client.get_registered_faces() == []
    for elsewhere in (objects(host, int(port)), objects(host, int(port), custom_model="animals")):
        with pytest.raises(error, match="404"):
            elsewhere.detect(GREY)
    with pytest.raises(error, match="imeout"):
        face(host, int(port), timeout=0.000_1).recognize(GREY)
    assert client.detect(GREY) == []


async def test_compreface_s_sdk_takes_our_stand_in_for_a_compreface() -> None:
    server, sdk, picture = CompreFaceServer(KEY), import_module("compreface"), b"a picture of Alice"
    async with served(server) as address:
        host, port = address.split(":")
        recognition = sdk.CompreFace(f"http://{host}", port).init_face_recognition(KEY)
        refused = sdk.CompreFace(f"http://{host}", port).init_face_recognition(OTHER_KEY)

        def work() -> None:
            learning, subjects = recognition.get_face_collection(), recognition.get_subjects()
            added = learning.add(image_path=picture, subject="Alice")
            assert (added["subject"], UUID(added["image_id"]).version) == ("Alice", 4)
            (seen,) = recognition.recognize(image_path=picture)["result"]
            assert (seen["subjects"][0]["subject"], seen["box"]["probability"] > 0.9) == ("Alice", True)
            assert recognition.recognize(image_path=NO_FACE)["code"] == 28
            assert refused.recognize(image_path=picture)["code"] == 10
            assert subjects.delete("Alice") == {"subject": "Alice"}
            assert subjects.delete("Alice")["code"] == 42

        await asyncio.to_thread(work)
