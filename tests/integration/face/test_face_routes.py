"""CodeProject.AI's face routes over HTTP, on the real models where they are, with a real hub."""

import asyncio
import struct
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
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

from marengocam.core.clock import SystemClock
from marengocam.core.secret import Secret
from marengocam.db.hub import Hub, open_hub
from marengocam.face.pictures import KeptPictures
from marengocam.face.routes import MAX_WAITING, Engine, add_routes, refresh
from marengocam.ingest.face_client import FaceClient
from marengocam.media.store import MARKER, Store
from marengocam.runtime.endpoint import CLIENT_MAX_BYTES
from marengocam.settings import Settings
from marengocam.vision.faces import load_face_analyser
from marengocam.vision.models import Models


class Client:
    """Posts as CodeProject.AI's clients do."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def post(self, route: str, *pictures: bytes, status: int = 200, **texts: str) -> dict[str, Any]:
        form = aiohttp.FormData()
        for name, text in texts.items():
            form.add_field(name, text)
        for number, picture in enumerate(pictures):
            form.add_field(f"image{number}", BytesIO(picture), filename="p.jpg", content_type="image/jpeg")
        async with self.session.post(f"{self.base}/v1/vision/face{route}", data=form) as reply:
            assert reply.status == status
            return await reply.json()


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine without models and without a hub, until a test gives it some."""
    with ThreadPoolExecutor(1) as pool:
        yield Engine(pool=pool, problem="No face model was found: see `marengocam models list`.")


@pytest_asyncio.fixture
async def client(engine: Engine) -> AsyncIterator[Client]:
    app = web.Application(client_max_size=CLIENT_MAX_BYTES)
    add_routes(app, engine)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield Client(session, str(server.make_url("")).rstrip("/"))


@pytest.fixture
def faces() -> Path:
    return needed_folder("faces")


@pytest.fixture
def seeing(engine: Engine, tmp_path: Path) -> Engine:
    """The engine with real models."""
    settings = Settings(
        data_dir=tmp_path, media_dir=tmp_path, models_dir=needed_folder("models"), download_models=False
    )
    engine.analyser = load_face_analyser(settings, Models(settings))
    assert engine.analyser is not None
    return engine


def grey_picture(width: int = 320, height: int = 240) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), 127, np.uint8))[1].tobytes()


async def test_a_registered_face_is_recognised_in_other_pictures_and_a_stranger_is_not(
    seeing: Engine, client: Client, hub: Hub, faces: Path
) -> None:
    seeing.hub = hub
    enrolled = [(faces / name).read_bytes() for name in ("obama.jpg", "obama2.jpg")]
    added = await client.post("/register", *enrolled, userid="Barack")
    assert (added["success"], added["message"]) == (True, "face added")

    answer = await client.post("/recognize", (faces / "obama3.jpg").read_bytes(), min_confidence="0.5")
    (seen,) = answer["predictions"]
    assert (answer["success"], answer["count"], seen["userid"]) == (True, 1, "Barack")
    assert seen["confidence"] > 0.9
    assert 0 <= seen["x_min"] < seen["x_max"]
    assert {"inferenceMs", "processMs", "analysisRoundTripMs"} <= answer.keys()

    (stranger,) = (await client.post("/recognize", (faces / "biden.jpg").read_bytes()))["predictions"]
    assert (stranger["userid"], stranger["confidence"]) == ("unknown", 0)


async def test_a_face_registered_here_is_a_person_everywhere_until_it_is_deleted(
    seeing: Engine, client: Client, hub: Hub, faces: Path
) -> None:
    seeing.hub = hub
    picture = (faces / "biden2.jpg").read_bytes()
    await client.post("/register", picture, userid="Joe")
    person = await hub.persons.by_name("joe")
    assert person is not None
    (exemplar,) = await hub.persons.exemplars(person.person_id)
    assert (exemplar.kind, exemplar.source, exemplar.embedding.model) == ("face", "enrolled", seeing.analyser.model)
    assert (await client.post("/list"))["faces"] == ["Joe"]

    assert (await client.post("/delete", userid="Joe"))["success"]
    assert (await client.post("/list"))["faces"] == []
    (seen,) = (await client.post("/recognize", picture))["predictions"]
    assert seen["userid"] == "unknown"
    for name in ("Joe", "Nobody"):  # as there: a client that tidies up needs not know who is left
        assert (await client.post("/delete", userid=name))["success"] is True
    assert (await client.post("/delete"))["success"] is False, "but without a name nothing was asked"


async def test_pictures_without_a_face_are_passed_over_and_the_others_registered(
    seeing: Engine, client: Client, hub: Hub, faces: Path
) -> None:
    seeing.hub = hub
    shown = (faces / "obama.jpg").read_bytes()
    answer = await client.post("/register", grey_picture(), shown, grey_picture(), userid="Barack")
    assert (answer["success"], answer["message"], answer["skipped"]) == (True, "face added", 2)
    person = await hub.persons.by_name("Barack")
    assert person is not None
    assert len(await hub.persons.exemplars(person.person_id)) == 1
    again = await client.post("/register", shown, userid="Barack")
    assert (again["success"], again["message"], again["skipped"]) == (True, "face updated", 0)


async def test_pictures_of_a_new_name_that_are_sent_at_once_register_one_person(
    seeing: Engine, client: Client, hub: Hub, faces: Path
) -> None:
    seeing.hub = hub
    shown = (faces / "obama.jpg").read_bytes()
    answers = await asyncio.gather(
        *(client.post("/register", shown, userid=f"Zo{end}") for end in ("\u00eb", "e\u0308") * 3)
    )
    assert [answer["success"] for answer in answers] == [True] * 6
    (known,) = await hub.persons.list()
    assert known.faces == 6


async def test_a_registration_without_any_face_or_with_a_damaged_picture_registers_nothing(
    seeing: Engine, client: Client, hub: Hub, faces: Path
) -> None:
    seeing.hub = hub
    answer = await client.post("/register", grey_picture(), grey_picture(), userid="Barack")
    assert (answer["success"], "No face was found" in answer["error"]) == (False, True)
    answer = await client.post("/register", (faces / "obama.jpg").read_bytes(), b"no picture", userid="Barack")
    assert (answer["success"], "no JPEG" in answer["error"]) == (False, True)
    assert await hub.persons.by_name("Barack") is None


async def test_match_tells_the_same_face_from_another(seeing: Engine, client: Client, faces: Path) -> None:
    obama, obama3, biden = ((faces / name).read_bytes() for name in ("obama.jpg", "obama3.jpg", "biden.jpg"))
    same, other = await client.post("/match", obama, obama3), await client.post("/match", obama, biden)
    assert same["similarity"] > 0.5
    assert other["similarity"] < 0.3


async def test_our_own_extension_gives_a_unit_embedding_with_model_and_quality(
    seeing: Engine, client: Client, faces: Path
) -> None:
    plain = await client.post("", (faces / "obama.jpg").read_bytes())
    assert "embedding" not in plain["predictions"][0]
    (seen,) = (await client.post("", (faces / "obama.jpg").read_bytes(), embedding="1"))["predictions"]
    assert seen["embedding_model"] == seeing.analyser.model
    assert np.linalg.norm(seen["embedding"]) == pytest.approx(1, abs=1e-4)
    assert 0.5 < seen["quality"] <= 1
    assert all(abs(seen["pose"][angle]) < 20 for angle in ("yaw", "pitch", "roll")), "he looks into the camera"


async def test_ingests_client_gets_the_embedding_of_the_person_in_the_middle(
    seeing: Engine, client: Client, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.ingest.face_client.LIMIT_S", 10.0)  # how fast it is, benches tell
    crop = (faces / "clip_woman_grey_top_3.png").read_bytes()
    asking = FaceClient.stock(client.base, client.session, SystemClock())
    answer = await asking.look(crop, (160, 160))
    assert answer.face is not None
    assert answer.face.model == seeing.analyser.model
    assert (await asking.look(grey_picture(), (320, 240))).face is None


async def test_several_faces_are_found_and_the_largest_stands_first(
    seeing: Engine, client: Client, faces: Path
) -> None:
    answer = await client.post("", (faces / "obama_and_biden.jpg").read_bytes())
    widths = [one["x_max"] - one["x_min"] for one in answer["predictions"]]
    assert answer["count"] == len(widths) >= 2
    assert widths == sorted(widths, reverse=True)


async def test_without_the_database_faces_are_found_and_names_wait(
    seeing: Engine, client: Client, faces: Path, tmp_path: Path
) -> None:
    away = Settings(data_dir=tmp_path, media_dir=tmp_path, database_url=Secret("postgresql://nobody@127.0.0.1:9/none"))
    async with open_hub(away, "test") as hub:
        seeing.hub = hub
        assert (await client.post("", (faces / "obama.jpg").read_bytes()))["count"] == 1
        (seen,) = (await client.post("/recognize", (faces / "obama.jpg").read_bytes()))["predictions"]
        assert seen["userid"] == "unknown"
        answer = await client.post("/register", (faces / "obama.jpg").read_bytes(), userid="Barack")
        assert (answer["success"], answer["code"]) == (False, 500)
        assert "database" in answer["error"].lower()


async def test_the_gallery_of_other_processes_is_seen_after_a_refresh(
    seeing: Engine, client: Client, hub: Hub, faces: Path
) -> None:
    seeing.hub = hub
    picture = (faces / "obama.jpg").read_bytes()
    (seen,) = (await client.post("", picture, embedding="1"))["predictions"]
    person = await hub.persons.add("Barack", SystemClock().now())
    face = seeing.analyser.faces(cv2.cvtColor(cv2.imread(str(faces / "obama.jpg")), cv2.COLOR_BGR2RGB))[0].embedding
    assert face.vector == pytest.approx(seen["embedding"], abs=1e-3)
    await hub.persons.add_exemplar(person.person_id, face, SystemClock().now())
    await refresh(seeing)
    assert (await client.post("/recognize", picture))["predictions"][0]["userid"] == "Barack"


async def test_without_models_every_call_says_what_to_do(client: Client, hub: Hub, engine: Engine) -> None:
    engine.hub = hub
    for route in ("", "/recognize", "/match"):
        answer = await client.post(route, grey_picture(), grey_picture())
        assert answer["success"] is False
        assert "models list" in answer["error"]
    async with client.session.get(f"{client.base}/v1/status/ping") as reply:
        assert (await reply.json())["success"] is False


@pytest.mark.parametrize(
    ("route", "pictures", "texts", "message"),
    [
        ("", [], {}, "A picture is needed"),
        ("", [b"not a picture"], {}, "no JPEG"),
        ("", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 60000, 60000) + bytes(9)], {}, "40 megapixels"),
        pytest.param("", [bytes(9 << 20)], {}, "too large", id="over the picture's limit"),
        pytest.param("", [bytes(13 << 20)], {}, "at most 12 MB, and 8 MB a picture", id="over the request's limit"),
        pytest.param("/register", [grey_picture()] * 200, {"userid": "x"}, "At most 20 pictures", id="too many"),
        ("", [grey_picture()], {"min_confidence": "high"}, "number from 0 to 1"),
        ("", [grey_picture()], {"min_confidence": "nan"}, "number from 0 to 1"),
        ("/register", [grey_picture()], {}, "userid is needed"),
        ("/register", [], {"userid": "x"}, "A picture is needed"),
        ("/match", [grey_picture()], {}, "Two pictures"),
        ("/recognize", [grey_picture(3000, 1)], {}, None),
    ],
)
async def test_bad_input_is_answered_with_a_sentence_and_the_engine_goes_on(
    seeing: Engine,
    client: Client,
    hub: Hub,
    route: str,
    pictures: list[bytes],
    texts: dict[str, str],
    message: str | None,
) -> None:
    seeing.hub = hub
    answer = await client.post(route, *pictures, **texts)
    if message is None:
        assert answer["success"] or answer["error"]
    else:
        assert answer["success"] is False
        assert message in answer["error"]
    assert (await client.post("", grey_picture()))["message"] == "No faces found"


async def test_unknown_routes_are_404_and_a_broken_form_is_refused(client: Client) -> None:
    await _expect_404(client)
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with client.session.post(f"{client.base}/v1/vision/face", data=b"no form at all", headers=headers) as reply:
        answer = await reply.json()
        assert (reply.status, answer["success"]) == (200, False)


async def _expect_404(client: Client) -> None:
    async with client.session.post(f"{client.base}/v1/vision/nonsense") as reply:
        assert reply.status == 404


async def test_a_full_queue_is_answered_503_at_once_and_empties(seeing: Engine, client: Client) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()
    seeing.pool.submit(lambda: asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20))
    waiting = [asyncio.create_task(client.post("", grey_picture())) for _ in range(MAX_WAITING)]
    while seeing.waiting < MAX_WAITING:
        await asyncio.sleep(0.01)
    refused = await client.post("", grey_picture(), status=503)
    assert "busy" in refused["error"]
    release.set()
    assert all(answer["success"] for answer in await asyncio.gather(*waiting))
    assert seeing.waiting == 0


async def test_a_page_in_somebodys_browser_cannot_add_or_remove_faces(client: Client) -> None:
    for route in ("", "/register", "/delete", "/list", "/match", "/recognize"):
        form = aiohttp.FormData({"userid": "Mallory"})
        url, headers = f"{client.base}/v1/vision/face{route}", {"Origin": "http://evil.example"}
        async with client.session.post(url, data=form, headers=headers) as reply:
            assert (reply.status, (await reply.json())["success"]) == (403, False)


async def test_nobody_is_registered_while_the_disk_of_the_pictures_is_away(
    seeing: Engine, client: Client, hub: Hub, faces: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "media")
    store.prepare(await hub.settings_store.installation_id())
    seeing.hub, seeing.pictures = hub, KeptPictures(hub, store)
    picture, marker = (faces / "obama.jpg").read_bytes(), store.root / MARKER
    ours = marker.read_text()
    marker.unlink()
    answer = await client.post("/register", picture, userid="Barack")
    assert (answer["success"], answer["code"]) == (False, 500)
    assert "mount its disk" in answer["error"]
    assert (await hub.persons.list(), list(store.root.iterdir())) == ([], [])
    marker.write_text(ours)
    assert (await client.post("/register", picture, userid="Barack"))["success"]
    assert len(store.person_pictures()) == 1


async def test_pictures_on_a_disk_that_hangs_are_refused_and_faces_are_found_meanwhile(
    seeing: Engine, client: Client, hub: Hub, faces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marengocam.face.pictures.DISK_LIMIT_S", 0.3)
    store, released = Store(tmp_path / "media"), threading.Event()
    store.prepare(await hub.settings_store.installation_id())
    seeing.hub, seeing.pictures = hub, KeptPictures(hub, store)
    picture, real = (faces / "obama.jpg").read_bytes(), Store.write_picture

    def hangs(*given: Any, **named: Any) -> None:
        released.wait(60)
        real(*given, **named)

    monkeypatch.setattr(Store, "write_picture", hangs)
    try:
        for _ in range(4):
            answer = await client.post("/register", picture, userid="Barack")
            assert (answer["success"], "does not answer" in answer["error"]) == (False, True)
        assert (await client.post("", picture))["count"] == 1
    finally:
        released.set()
