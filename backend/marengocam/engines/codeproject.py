"""CodeProject.AI, DeepStack, and our own service, which speaks as they do and gives embeddings besides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import numpy as np

from marengocam.core.errors import BadInputError, FaceEngineError
from marengocam.core.face_engines import EngineAddress
from marengocam.core.model import Embedding, NameEvidence, Vector
from marengocam.core.person_names import person_name
from marengocam.engines.protocol import FaceSeen, answer_of, texts_in

RECOGNISE_PATH = "/v1/vision/face/recognize"
REGISTER_PATH = "/v1/vision/face/register"
DELETE_PATH = "/v1/vision/face/delete"
LIST_PATH = "/v1/vision/face/list"
MIN_CONFIDENCE = 0.4
REQUEST_PICTURES, REQUEST_BYTES = (
    20,
    11 << 20,
)  # of a registration: what our own service takes, the form's rest included
UNKNOWN_NAMES = {"", "unknown"}
UNKNOWN_QUALITY = 0.5
MAX_NUMBERS = 4096  # of an embedding; models make 128 to 1024
MAX_MODEL_LETTERS = 100
OK, BAD_REQUEST = 200, 400  # DeepStack answers a picture it cannot use with 400, CodeProject.AI with 200
# What they say of a picture without a face, and of somebody they do not know.
NO_FACE = ("no face", "face is empty", "could not find any face")
NOT_KNOWN = (
    "not found",
    "not registered",
    "nobody is registered",
    "unable to delete",
    "does not exist",
    "invalid user",
)


def _fitting(pictures: Sequence[bytes]) -> list[bytes]:
    """Return as many pictures as a request may hold, the first whatever its size."""
    fitting: list[bytes] = []
    for picture in pictures:
        if len(fitting) == REQUEST_PICTURES:
            break
        if not fitting or sum(map(len, fitting)) + len(picture) <= REQUEST_BYTES:
            fitting.append(picture)
    return fitting


class CodeProjectEngine:
    """One engine; DeepStack's key goes with each request, where it has one."""

    def __init__(self, address: EngineAddress, session: aiohttp.ClientSession) -> None:
        self.address = address
        self._session = session

    async def look(self, jpeg: bytes, limit_s: float) -> list[FaceSeen]:
        """See FaceEngine."""
        form = self._form(min_confidence=str(MIN_CONFIDENCE), embedding="1")
        form.add_field("image", jpeg, filename="crop.jpg", content_type="image/jpeg")
        content = await self._ask(RECOGNISE_PATH, form, limit_s, passing=NO_FACE)
        told = content.get("predictions")
        predictions = told if isinstance(told, list) else []
        return [_seen(one, str(self.address.kind)) for one in predictions if isinstance(one, dict)]

    async def register(self, name: str, pictures: Sequence[bytes], limit_s: float) -> int:
        """See FaceEngine; in one request, since the next about the same name would take its place."""
        form, fitting = self._form(userid=name), _fitting(pictures)
        for number, picture in enumerate(fitting):
            form.add_field(f"image{number}", picture, filename="face.jpg", content_type="image/jpeg")
        answer = await self._ask(REGISTER_PATH, form, limit_s, passing=NO_FACE)
        skipped = answer.get("skipped")  # ours says so
        return len(fitting) - (skipped if isinstance(skipped, int) else 0) if answer.get("success") is True else 0

    async def names(self, limit_s: float) -> list[str]:
        """See FaceEngine."""
        answer = await self._ask(LIST_PATH, self._form(), limit_s, passing=())
        return texts_in(answer.get("faces"))

    async def remove(self, name: str, limit_s: float) -> None:
        """See FaceEngine."""
        await self._ask(DELETE_PATH, self._form(userid=name), limit_s, passing=NOT_KNOWN)

    def _form(self, **texts: str) -> aiohttp.FormData:
        form = aiohttp.FormData(default_to_multipart=True)
        if self.address.key is not None:
            form.add_field("api_key", self.address.key.reveal())
        for field, text in texts.items():
            form.add_field(field, text)
        return form

    async def _ask(
        self, path: str, form: aiohttp.FormData, limit_s: float, *, passing: Sequence[str]
    ) -> dict[str, Any]:
        """Return the answer; a failure whose reason is one of `passing` is an empty one."""
        limit = aiohttp.ClientTimeout(total=limit_s)
        async with asking(), self._session.post(self.address.base_url + path, data=form, timeout=limit) as reply:
            if reply.status not in {OK, BAD_REQUEST}:
                raise FaceEngineError(f"it answered with status {reply.status}")
            content = await answer_of(reply)
        if content.get("success") is False or reply.status != OK:
            reason = str(content.get("error") or content.get("message") or "it failed")
            if any(text in reason.lower() for text in passing):
                return {}
            raise FaceEngineError(reason[:200])
        return content


@asynccontextmanager
async def asking() -> AsyncIterator[None]:
    """Turn what a broken connection raises into FaceEngineError; a request that is too slow stays TimeoutError."""
    try:
        yield
    except TimeoutError:
        raise
    except aiohttp.ClientError as error:
        raise FaceEngineError(type(error).__name__) from error


def _seen(prediction: dict[str, Any], engine: str) -> FaceSeen:
    box = box_of(prediction)
    if isinstance(prediction.get("embedding"), list):
        return FaceSeen(box, face=embedding_of(prediction))
    name = name_of(prediction.get("userid"))
    if name.lower() in UNKNOWN_NAMES:
        return FaceSeen(box)
    return FaceSeen(box, name=NameEvidence(engine, name, share(prediction.get("confidence"), 0.0)))


def embedding_of(told: dict[str, Any]) -> Embedding | None:
    """Return the embedding of a prediction, or None for what is none, or could not be kept."""
    values, model = told.get("embedding"), told.get("embedding_model")
    if not isinstance(values, list) or not 0 < len(values) <= MAX_NUMBERS:
        return None
    if not isinstance(model, str) or not 0 < len(model) <= MAX_MODEL_LETTERS or not model.isprintable():
        return None
    vector = unit_vector(values)
    return None if vector is None else Embedding(model, vector, share(told.get("quality"), UNKNOWN_QUALITY))


def name_of(told: Any) -> str:
    """Return the name that an engine says, '' for none, and for what nobody can be called here."""
    try:
        return person_name(str(told or ""))
    except BadInputError:
        return ""


def box_of(told: dict[str, Any]) -> tuple[float, float, float, float] | None:
    """Return x_min, y_min, x_max, y_max in pixels, or None for what is no box."""
    try:
        box = tuple(float(told[side]) for side in ("x_min", "y_min", "x_max", "y_max"))
    except (KeyError, TypeError, ValueError):
        return None
    return box if np.isfinite(box).all() else None  # type: ignore[return-value]  # four numbers


def unit_vector(values: list[Any]) -> Vector | None:
    """Return a unit vector, or None for what is none."""
    try:
        vector = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return None
    length = float(np.linalg.norm(vector)) if vector.ndim == 1 else 0.0
    if not np.isfinite(length) or length <= 0:
        return None
    return (vector / length).astype(np.float32)


def share(value: Any, otherwise: float) -> float:
    """Return a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        return otherwise
    return float(min(max(value, 0.0), 1.0))
