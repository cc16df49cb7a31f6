"""Pictures as answers."""

from pathlib import PurePosixPath

from aiohttp import web

from marengocam.core.errors import NotFoundError
from marengocam.web.files import file_answer
from marengocam.web.table import Desk

NO_PICTURE = "There is no picture of that."
PICTURE_TYPES = {".png": "image/png", ".webp": "image/webp"}


async def picture_answer(desk: Desk, request: web.Request, path: PurePosixPath | None) -> web.StreamResponse:
    """Answer with a picture of the media folder; raises NotFoundError where there is none."""
    if path is None:
        raise NotFoundError(NO_PICTURE)
    kind = PICTURE_TYPES.get(path.suffix, "image/jpeg")
    headers = {"Cache-Control": "private, max-age=60", "Content-Type": kind}
    return await file_answer(desk, request, path, headers, NO_PICTURE)
