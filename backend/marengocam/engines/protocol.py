"""What every face engine can do, whoever made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

from marengocam.core.errors import FaceEngineError
from marengocam.core.face_engines import EngineAddress
from marengocam.core.model import Embedding, NameEvidence


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """One face in a picture: where (x_min, y_min, x_max, y_max in pixels), and what tells who it is."""

    box_px: tuple[float, float, float, float] | None
    face: Embedding | None = None
    name: NameEvidence | None = None


class FaceEngine(Protocol):
    """Every call raises FaceEngineError when the engine fails; no face in a picture is no failure."""

    address: EngineAddress

    async def look(self, jpeg: bytes, limit_s: float) -> list[FaceSeen]:
        """Return the faces in a picture."""

    async def register(self, name: str, pictures: Sequence[bytes], limit_s: float) -> int:
        """Have the engine know somebody by these pictures; return how many of them showed it a face."""

    async def names(self, limit_s: float) -> list[str]:
        """Return whom the engine knows."""

    async def remove(self, name: str, limit_s: float) -> None:
        """Have the engine forget somebody; whom it does not know is forgotten already."""


async def answer_of(reply: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return an engine's JSON object; raises FaceEngineError."""
    try:
        content = await reply.json(content_type=None)
    except ValueError as error:
        raise FaceEngineError("its answer is no JSON") from error
    if not isinstance(content, dict):
        raise FaceEngineError("its answer is no JSON object")
    return content


def texts_in(told: Any) -> list[str]:
    """Return the texts of a list that an engine told; raises FaceEngineError where it is none."""
    if not isinstance(told, list):
        raise FaceEngineError("it does not tell whom it knows")
    return [one for one in told if isinstance(one, str)]
