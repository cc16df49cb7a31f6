"""The gallery is made anew for another model while the face service works; what goes wrong is told, and tried again."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import web
from tests.support.web_app import service_context

from marengocam.core.model import Embedding
from marengocam.db.hub import Hub
from marengocam.face import service
from marengocam.face.service import FaceService
from marengocam.media.store import MARKER, Store
from marengocam.runtime.bus import Bus
from marengocam.runtime.context import CONTEXT
from marengocam.settings import Settings
from marengocam.vision.faces import FaceFound

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIMIT_S = 40.0
NEW = "new-8"
OLD = Embedding("old-4", np.eye(4, dtype=np.float32)[0], 0.8)


@dataclass
class NewModel:
    """An analyser whose faces are told apart by how bright a picture is; `broken` says of which pictures it is not."""

    broken: frozenset[int] = frozenset()
    model: str = NEW
    asked: int = 0

    def faces(self, picture: Any) -> list[FaceFound]:
        self.asked += 1
        brightness = round(float(np.mean(picture)))
        if brightness // 40 in self.broken:
            raise cv2.error("an odd picture")
        vector = np.eye(8, dtype=np.float32)[brightness // 40]
        return [FaceFound((0, 0, 9, 9), 0.9, np.zeros((5, 2), np.float32), 0.9, Embedding(NEW, vector, 0.9))]


def picture(brightness: int) -> bytes:
    return cv2.imencode(".png", np.full((90, 90, 3), brightness, np.uint8))[1].tobytes()


async def enrol(hub: Hub, store: Store, name: str, brightness: int) -> None:
    person = await hub.persons.add(name, AT)
    path = PurePosixPath(f"pictures/persons/{name}.png")
    store.write_picture(path, picture(brightness))
    await hub.persons.add_exemplar(person.person_id, OLD, AT, picture_path=path)


@asynccontextmanager
async def serving(hub: Hub, settings: Settings, model: NewModel, monkeypatch) -> AsyncIterator[FaceService]:
    monkeypatch.setattr(service, "load_face_analyser", lambda *_: model)
    async with Bus(hub).running() as bus:
        context = service_context(hub, settings, bus, "face")
        app, face = web.Application(), FaceService()
        app[CONTEXT] = context
        face.routes(app)
        job = asyncio.create_task(face.run(context))
        try:
            yield face
        finally:
            context.stopping.set()
            async with asyncio.timeout(LIMIT_S):
                await job


async def until(true) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():
            await asyncio.sleep(0.02)


@pytest.fixture
async def store(hub: Hub, hub_settings: Settings) -> Store:
    made = Store(hub_settings.media_dir)
    made.prepare(await hub.settings_store.installation_id())
    return made


async def test_faces_of_another_model_are_known_by_the_present_one_while_it_serves(
    hub: Hub, hub_settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enrol(hub, store, "Alice", 60)
    await enrol(hub, store, "Bob", 140)
    model = NewModel()
    async with serving(hub, hub_settings, model, monkeypatch) as face:
        await until(lambda: face.health().detail["persons"] == 2)
        assert (face.health().status, face.health().detail["model"]) == ("ok", NEW)
        seen = face._engine.gallery.match(Embedding(NEW, np.eye(8, dtype=np.float32)[140 // 40], 0.9))
        assert seen.name == "Bob"
    asked = model.asked
    async with serving(hub, hub_settings, model, monkeypatch) as face:
        await until(lambda: face.health().detail["persons"] == 2)
    assert model.asked == asked, "after a restart there is nothing left to do"


async def test_an_error_nobody_foresaw_is_told_and_tried_again_and_keeps_no_other_face(
    hub: Hub, hub_settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FIRST_RETRY_S", 0.1)
    await enrol(hub, store, "Alice", 60)
    await enrol(hub, store, "Bob", 140)
    model = NewModel(broken=frozenset({60 // 40}))
    async with serving(hub, hub_settings, model, monkeypatch) as face:
        await until(lambda: face.health().status == "degraded" and face.health().detail["persons"] == 1)
        assert "see the log of face" in face.health().reason
        assert face._engine.gallery.names == ("Bob",)
        model.broken = frozenset()
        await until(lambda: face.health().status == "ok" and face.health().detail["persons"] == 2)


async def test_a_disk_that_is_away_is_told_as_what_the_faces_wait_for(
    hub: Hub, hub_settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FIRST_RETRY_S", 0.1)
    await enrol(hub, store, "Alice", 60)
    marker = store.root / MARKER
    ours = marker.read_text()
    marker.unlink()
    async with serving(hub, hub_settings, NewModel(), monkeypatch) as face:
        await until(lambda: "mount its disk" in face.health().reason)
        marker.write_text(ours)
        await until(lambda: face.health().status == "ok" and face.health().detail["persons"] == 1)


async def test_tries_become_rare(
    hub: Hub, hub_settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "FIRST_RETRY_S", 0.05)
    tried: list[float] = []

    async def failing(*_: object) -> int:
        tried.append(asyncio.get_running_loop().time())
        raise KeyError("nobody foresaw this")

    monkeypatch.setattr(service, "reembed", failing)
    async with serving(hub, hub_settings, NewModel(), monkeypatch):
        await until(lambda: len(tried) == 5)
    pauses = [after - before for before, after in itertools.pairwise(tried)]
    assert [pause >= 0.05 * 2**number for number, pause in enumerate(pauses)] == [True] * 4
