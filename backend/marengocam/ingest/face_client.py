"""Asking face engines: our own and those of other makers, each behind a time limit and a breaker of its own."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import aiohttp
import numpy as np

from marengocam.core.clock import Clock
from marengocam.core.errors import FaceEngineError
from marengocam.core.face_engines import EngineAddress, EngineKind
from marengocam.core.model import Embedding, NameEvidence
from marengocam.engines.choice import engine_at
from marengocam.engines.protocol import FaceEngine, FaceSeen
from marengocam.runtime.breaker import Breaker, BreakerState

LIMIT_S = 0.5
# The face that belongs to a person stands in the upper middle of the person's crop.
CENTRE_X, CENTRE_Y = 0.5, 0.3
BreakerHeard = Callable[[BreakerState, str, int], None]  # state, reason, careful tries since the engine was cut off
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FaceAnswer:
    """What engines saw in a crop: nothing, an embedding, a name, or both."""

    face: Embedding | None = None
    name: NameEvidence | None = None


class Looking(Protocol):
    """Whoever can be asked about a crop: one engine, or several."""

    async def look(self, jpeg: bytes, crop_size: tuple[int, int]) -> FaceAnswer:
        """Return what is seen in a crop of (width, height) pixels; raises FaceEngineError."""


class FaceClient:
    """Looks for the face of one person in a crop, by one engine."""

    def __init__(self, engine: FaceEngine, clock: Clock, on_change: BreakerHeard | None) -> None:
        self._engine = engine
        self.name = engine.address.name
        self.breaker = Breaker("The face engine", clock, on_change=on_change)

    @classmethod
    def stock(
        cls,
        base_url: str,
        session: aiohttp.ClientSession,
        clock: Clock,
        on_change: BreakerHeard | None = None,
    ) -> "FaceClient":
        """Return a client of our own engine, or of one that has the same routes."""
        address = EngineAddress(EngineKind.CODEPROJECT, base_url.rstrip("/"))
        return cls(engine_at(address, session), clock, on_change)

    async def look(self, jpeg: bytes, crop_size: tuple[int, int]) -> FaceAnswer:
        """Return what the engine sees in a crop of (width, height) pixels.

        Raises FaceEngineError when it fails, is too slow or is cut off; finding no face is an answer.
        """
        seen = await self.breaker.call(lambda: self._engine.look(jpeg, LIMIT_S), LIMIT_S)
        if not seen:
            return FaceAnswer()
        nearest = min(seen, key=lambda one: _distance(one, crop_size))
        return FaceAnswer(nearest.face, nearest.name)


class SeveralEngines:
    """Asks all engines at once: the first embedding counts, and the surest name."""

    def __init__(self, clients: Sequence[FaceClient]) -> None:
        self._clients = clients

    async def look(self, jpeg: bytes, crop_size: tuple[int, int]) -> FaceAnswer:
        """Return what the engines see; raises FaceEngineError only when every one of them fails."""
        answers = await asyncio.gather(
            *(client.look(jpeg, crop_size) for client in self._clients), return_exceptions=True
        )
        good = [one for one in answers if isinstance(one, FaceAnswer)]
        for one in answers:
            if isinstance(one, BaseException) and not isinstance(one, FaceEngineError):
                raise one
        if not good:
            raise FaceEngineError("No face engine answers.")
        names = [one.name for one in good if one.name is not None]
        return FaceAnswer(
            face=next((one.face for one in good if one.face is not None), None),
            name=max(names, key=lambda name: name.score, default=None),
        )


def _distance(seen: FaceSeen, crop_size: tuple[int, int]) -> float:
    if seen.box_px is None:
        return float("inf")
    left, top, right, bottom = seen.box_px
    return nearest_face((left, top, right - left, bottom - top), crop_size)


def nearest_face(box_px: tuple[float, float, float, float], crop_size: tuple[int, int]) -> float:
    """Return how far a face (x, y, width, height) is from where the face of the crop's person should be."""
    left, top, wide, high = box_px
    width, height = crop_size
    x, y = (left + wide / 2) / max(width, 1), (top + high / 2) / max(height, 1)
    return float(np.hypot(x - CENTRE_X, y - CENTRE_Y))
