"""Asking a face engine: our own, or a stock CodeProject.AI or DeepStack, behind a time limit and a breaker."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np

from marengocam.core.clock import Clock
from marengocam.core.errors import FaceEngineError
from marengocam.core.model import Embedding, NameEvidence, Vector
from marengocam.runtime.breaker import Breaker, BreakerState

LIMIT_S = 0.5
RECOGNISE_PATH = "/v1/vision/face/recognize"
DETECT_PATH = "/v1/vision/face"
MIN_CONFIDENCE = 0.4
UNKNOWN_NAMES = {"", "unknown"}
UNKNOWN_QUALITY = 0.5
# The face that belongs to a person stands in the upper middle of the person's crop.
CENTRE_X, CENTRE_Y = 0.5, 0.3
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaceAnswer:
    """What an engine saw in a crop: nothing, an embedding, or only a name."""

    face: Embedding | None = None
    name: NameEvidence | None = None


class FaceClient:
    """Looks for the face of one person in a crop."""

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        on_change: Callable[[BreakerState, str], None] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._session = session
        self.breaker = Breaker("The face engine", clock, on_change=on_change)

    async def look(self, jpeg: bytes, crop_size: tuple[int, int]) -> FaceAnswer:
        """Return what the engine sees in a crop of (width, height) pixels.

        Raises FaceEngineError when it fails, is too slow or is cut off; finding no face is an answer.
        """
        answer = await self.breaker.call(lambda: self._ask(jpeg), LIMIT_S)
        told = answer.get("predictions")
        predictions = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        if not predictions:
            return FaceAnswer()
        return _answer(min(predictions, key=lambda one: _distance(one, crop_size)))

    async def _ask(self, jpeg: bytes) -> dict[str, Any]:
        form = aiohttp.FormData()
        form.add_field("image", jpeg, filename="crop.jpg", content_type="image/jpeg")
        form.add_field("min_confidence", str(MIN_CONFIDENCE))
        form.add_field("embedding", "1")
        limit = aiohttp.ClientTimeout(total=LIMIT_S)
        try:
            async with self._session.post(self._base_url + RECOGNISE_PATH, data=form, timeout=limit) as reply:
                if reply.status != 200:
                    raise FaceEngineError(f"it answered with status {reply.status}")
                content = await reply.json(content_type=None)
        except aiohttp.ClientError as error:
            raise FaceEngineError(type(error).__name__) from error
        except ValueError as error:
            raise FaceEngineError("its answer is no JSON") from error
        return _checked(content)


def _checked(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise FaceEngineError("its answer is no JSON object")
    if content.get("success") is False:
        reason = str(content.get("error") or content.get("message") or "it failed")
        # Stock engines answer so for a picture without a face, which is no failure of theirs.
        if "no face" in reason.lower():
            return {}
        raise FaceEngineError(reason[:200])
    return content


def _distance(prediction: dict[str, Any], crop_size: tuple[int, int]) -> float:
    try:
        left, top = float(prediction["x_min"]), float(prediction["y_min"])
        box = (left, top, float(prediction["x_max"]) - left, float(prediction["y_max"]) - top)
    except (KeyError, TypeError, ValueError):
        return float("inf")
    return nearest_face(box, crop_size)


def nearest_face(box_px: tuple[float, float, float, float], crop_size: tuple[int, int]) -> float:
    """Return how far a face (x, y, width, height) is from where the face of the crop's person should be."""
    left, top, wide, high = box_px
    width, height = crop_size
    x, y = (left + wide / 2) / max(width, 1), (top + high / 2) / max(height, 1)
    return float(np.hypot(x - CENTRE_X, y - CENTRE_Y))


def _answer(prediction: dict[str, Any]) -> FaceAnswer:
    values, model = prediction.get("embedding"), prediction.get("embedding_model")
    if isinstance(values, list) and isinstance(model, str):
        vector = _vector(values)
        if vector is None:
            _LOG.warning("the face engine gave an embedding that is not usable; it is left out")
            return FaceAnswer()
        return FaceAnswer(face=Embedding(model, vector, _share(prediction.get("quality"), UNKNOWN_QUALITY)))
    name = str(prediction.get("userid") or "").strip()
    if name.lower() in UNKNOWN_NAMES:
        return FaceAnswer()
    return FaceAnswer(name=NameEvidence("codeproject", name, _share(prediction.get("confidence"), 0.0)))


def _vector(values: list[Any]) -> Vector | None:
    """Return a unit vector, or None for what is none."""
    try:
        vector = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        return None
    length = float(np.linalg.norm(vector)) if vector.ndim == 1 else 0.0
    if not np.isfinite(length) or length <= 0:
        return None
    return (vector / length).astype(np.float32)


def _share(value: Any, otherwise: float) -> float:
    """Return a number from 0 to 1."""
    if not isinstance(value, int | float) or not np.isfinite(value):
        return otherwise
    return float(min(max(value, 0.0), 1.0))
