"""Exadel CompreFace: subjects with examples behind the key of a recognition service."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import aiohttp

from marengocam.core.errors import FaceEngineError
from marengocam.core.face_engines import EngineAddress
from marengocam.core.model import NameEvidence
from marengocam.engines.codeproject import asking, box_of, name_of, share
from marengocam.engines.protocol import FaceSeen, answer_of, texts_in

PREFIX = "/api/v1/recognition"
DETECTION = "0.6"  # least certainty that there is a face
FINE = frozenset({200, 201})
BAD_REQUEST, NOT_FOUND = 400, 404
UNUSABLE_CODES = frozenset({28, 31})  # no face in the picture; more than one, where it is to learn one
NOBODY_CODE = 42  # "Subject ... not found"
KEY_CODES = frozenset({10, 20, 26})  # no service of that key (status 404, the key in its text), no key, no UUID


class CompreFaceEngine:
    """One engine."""

    def __init__(self, address: EngineAddress, session: aiohttp.ClientSession) -> None:
        self.address = address
        self._session = session

    async def look(self, jpeg: bytes, limit_s: float) -> list[FaceSeen]:
        """See FaceEngine."""
        query = {"det_prob_threshold": DETECTION, "prediction_count": "1", "limit": "0"}
        content = await self._ask("POST", "/recognize", limit_s, query, picture=jpeg)
        told = content.get("result")
        return [_seen(one) for one in told if isinstance(one, dict)] if isinstance(told, list) else []

    async def register(self, name: str, pictures: Sequence[bytes], limit_s: float) -> int:
        """See FaceEngine."""
        query = {"subject": name, "det_prob_threshold": DETECTION}
        return sum(
            ["image_id" in await self._ask("POST", "/faces", limit_s, query, picture=picture) for picture in pictures]
        )

    async def names(self, limit_s: float) -> list[str]:
        """See FaceEngine."""
        return texts_in((await self._ask("GET", "/subjects", limit_s, {})).get("subjects"))

    async def remove(self, name: str, limit_s: float) -> None:
        """See FaceEngine; a subject goes with all its examples."""
        await self._ask("DELETE", f"/subjects/{quote(name, safe='')}", limit_s, {}, missing_is_fine=True)

    async def _ask(
        self,
        method: str,
        path: str,
        limit_s: float,
        query: dict[str, str],
        *,
        picture: bytes | None = None,
        missing_is_fine: bool = False,
    ) -> dict[str, Any]:
        """Return the answer, an empty one for a picture that it cannot use."""
        form = None
        if picture is not None:
            form = aiohttp.FormData()
            form.add_field("file", picture, filename="face.jpg", content_type="image/jpeg")
        key = self.address.key
        headers = {"x-api-key": key.reveal() if key is not None else ""}
        url = self.address.base_url + PREFIX + path
        limit = aiohttp.ClientTimeout(total=limit_s)
        async with (
            asking(),
            self._session.request(method, url, params=query, data=form, headers=headers, timeout=limit) as reply,
        ):
            if reply.status not in FINE | {BAD_REQUEST, NOT_FOUND}:
                raise FaceEngineError(f"it answered with status {reply.status}")
            content = await answer_of(reply)
        if reply.status in FINE:
            return content
        code = content.get("code")
        if code in UNUSABLE_CODES or (code == NOBODY_CODE and missing_is_fine):
            return {}
        if code in KEY_CODES:
            raise FaceEngineError("it refuses the key: use that of a recognition service")
        raise FaceEngineError(str(content.get("message") or "it refused the request")[:200])


def _seen(result: dict[str, Any]) -> FaceSeen:
    told = result.get("box")
    box = box_of(told) if isinstance(told, dict) else None
    subjects = result.get("subjects")
    known = [one for one in subjects if isinstance(one, dict)] if isinstance(subjects, list) else []
    best = max(known, key=lambda one: share(one.get("similarity"), 0.0), default=None)
    name = name_of(best.get("subject")) if best is not None else ""
    if best is None or not name:
        return FaceSeen(box)
    return FaceSeen(box, name=NameEvidence("compreface", name, share(best.get("similarity"), 0.0)))
