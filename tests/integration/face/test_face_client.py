"""Ingest's client of the face engine against servers that answer like a stock engine, late, wrongly, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from marengocam.core.clock import ManualClock
from marengocam.core.errors import FaceEngineError
from marengocam.ingest import face_client
from marengocam.ingest.face_client import LIMIT_S, FaceClient
from marengocam.runtime.breaker import FAILURES_TO_OPEN, RETRY_S, BreakerState

CROP, SIZE = b"jpeg", (100, 200)
PATIENCE_S = 10.0  # where the limit is not what is tested: this machine may be busy


class Engine:
    """A face engine whose next answer a test chooses."""

    def __init__(self) -> None:
        self.answer: Any = {"success": True, "predictions": []}
        self.delay_s = 0.0
        self.status = 200
        self.forms: list[dict[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.forms.append({name: value for name, value in form.items() if isinstance(value, str)})
        form["image"].file.close()
        await asyncio.sleep(self.delay_s)
        body = self.answer if isinstance(self.answer, str) else json.dumps(self.answer)
        return web.Response(text=body, status=self.status, content_type="application/json")


class Asked:
    """The client under test, its engine, its clock and what it told about itself."""

    def __init__(self, client: FaceClient, engine: Engine, clock: ManualClock, told: list[tuple[str, str]]) -> None:
        self.client, self.engine, self.clock, self.told = client, engine, clock, told

    async def look(self) -> Any:
        return await self.client.look(CROP, SIZE)

    async def fail(self, times: int) -> None:
        for _ in range(times):
            with pytest.raises(FaceEngineError):
                await self.look()


@pytest_asyncio.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Asked]:
    monkeypatch.setattr(face_client, "LIMIT_S", PATIENCE_S)
    engine, clock, told = Engine(), ManualClock(), []
    app = web.Application()
    app.router.add_post("/v1/vision/face/recognize", engine.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        client = FaceClient.stock(
            str(server.make_url("/")), session, clock, lambda state, reason, _: told.append((state.value, reason))
        )
        yield Asked(client, engine, clock, told)


def prediction(x: int, y: int, **more: object) -> dict[str, object]:
    return {"x_min": x - 10, "x_max": x + 10, "y_min": y - 10, "y_max": y + 10, "confidence": 0.9, **more}


async def test_our_engine_gives_a_unit_embedding_whatever_length_was_sent(asked: Asked) -> None:
    extension = {"embedding": [3.0, 4.0], "embedding_model": "sface-128", "quality": 0.7, "userid": "Alice"}
    asked.engine.answer = {"success": True, "predictions": [prediction(50, 60, **extension)]}
    answer = await asked.look()
    assert (answer.face.model, answer.face.quality, answer.name) == ("sface-128", 0.7, None)
    assert answer.face.vector == pytest.approx([0.6, 0.8])
    assert asked.engine.forms[0]["embedding"] == "1"


async def test_a_stock_engine_gives_a_name_with_its_own_score(asked: Asked) -> None:
    asked.engine.answer = {"success": True, "predictions": [prediction(50, 60, userid="Alice")]}
    answer = await asked.look()
    assert (answer.face, answer.name.name, answer.name.score) == (None, "Alice", 0.9)

    asked.engine.answer = {"success": True, "predictions": [prediction(50, 60, userid="unknown")]}
    assert (await asked.look()).name is None


async def test_of_several_faces_the_one_where_a_persons_head_is_counts(asked: Asked) -> None:
    others = [prediction(5, 190, userid="Passer-by"), prediction(50, 55, userid="Alice"), {"userid": "No box"}]
    asked.engine.answer = {"success": True, "predictions": others}
    assert (await asked.look()).name.name == "Alice"


@pytest.mark.parametrize(
    "answer", [{"success": True}, {"success": False, "error": "No face found in image"}, {"predictions": None}]
)
async def test_no_face_is_an_answer_and_no_failure(asked: Asked, answer: dict[str, object]) -> None:
    asked.engine.answer = answer
    for _ in range(FAILURES_TO_OPEN + 1):
        assert (await asked.look()).face is None
    assert asked.client.breaker.state is BreakerState.CLOSED


@pytest.mark.parametrize(
    "numbers",
    [[], [0.0, 0.0], [[1.0], [2.0]], ["a", "b"], [None], [float("nan"), 1.0], [1.0] * 20_000],
    ids=lambda numbers: str(numbers)[:20],
)
async def test_an_unusable_embedding_is_left_out(asked: Asked, numbers: list[object]) -> None:
    wrong = {"embedding": numbers, "embedding_model": "sface-128"}
    asked.engine.answer = {"success": True, "predictions": [prediction(50, 60, **wrong)]}
    assert (await asked.look()).face is None


@pytest.mark.parametrize("name", ["Al\0ice", "Al\nice", "\u200b", "x" * 101, ["Alice"] * 50])
async def test_what_nobody_can_be_called_is_no_name(asked: Asked, name: object) -> None:
    """The database keeps no such text: the track would be lost for it."""
    asked.engine.answer = {"success": True, "predictions": [prediction(50, 60, userid=name)]}
    assert (await asked.look()).name is None


@pytest.mark.parametrize("model", ["", "a\0b", "x" * 5000])
async def test_an_embedding_of_a_model_without_a_name_is_left_out(asked: Asked, model: str) -> None:
    wrong = {"embedding": [1.0, 0.0], "embedding_model": model}
    asked.engine.answer = {"success": True, "predictions": [prediction(50, 60, **wrong)]}
    assert (await asked.look()).face is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [("not json", 200), ("[]", 200), ({"success": False, "error": "module not loaded"}, 200), ({}, 500), ("", 404)],
)
async def test_wrong_answers_are_failures_that_name_the_reason(asked: Asked, answer: Any, status: int) -> None:
    asked.engine.answer, asked.engine.status = answer, status
    await asked.fail(1)


async def test_a_late_engine_costs_half_a_second_at_most(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face_client, "LIMIT_S", LIMIT_S)
    asked.engine.delay_s = 30
    begun_s = asyncio.get_running_loop().time()
    await asked.fail(1)
    assert asyncio.get_running_loop().time() - begun_s < LIMIT_S + 2


async def test_a_failing_engine_is_cut_off_told_once_and_tried_again_after_half_a_minute(asked: Asked) -> None:
    asked.engine.status = 500
    await asked.fail(FAILURES_TO_OPEN)
    calls = len(asked.engine.forms)
    await asked.fail(5)
    assert len(asked.engine.forms) == calls  # nobody asks an engine that is cut off

    asked.clock.advance(RETRY_S + 1)
    await asked.fail(2)
    assert len(asked.engine.forms) == calls + 1  # one careful try

    asked.engine.status = 200
    asked.clock.advance(RETRY_S + 1)
    await asked.look()
    assert [state for state, _ in asked.told] == ["open", "half_open", "open", "half_open", "closed"]


async def test_an_engine_that_is_not_there_is_a_failure_like_any_other(asked: Asked) -> None:
    async with aiohttp.ClientSession() as session:
        nobody = FaceClient.stock("http://127.0.0.1:9", session, asked.clock)
        with pytest.raises(FaceEngineError):
            await nobody.look(CROP, SIZE)
