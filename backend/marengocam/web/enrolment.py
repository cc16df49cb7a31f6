"""A face from an owner's picture into a person's gallery."""

import asyncio
import io
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web

from marengocam.core.errors import BadInputError, FaceEngineError
from marengocam.core.ids import new_id
from marengocam.core.model import Embedding
from marengocam.engines.codeproject import box_of, embedding_of
from marengocam.media.names import PERSONS, PICTURES
from marengocam.vision.crops import to_jpeg
from marengocam.vision.pictures import decode
from marengocam.web.answers import InputFieldError
from marengocam.web.table import Desk

MAX_PICTURE_BYTES = 8 << 20
ENGINE_LIMIT_S = 5.0
ATTEMPTS = 2
RETRY_AFTER_S = 0.5
CLEARLY_LARGER = 2.0  # of several faces the largest counts only when it is this much larger
BAD_PICTURE_CODE = 400  # of our own engine: the picture is at fault, not the engine
LOOK_AGAIN = timedelta(seconds=60)
KEPT_SIDE_PX = 2560  # beyond which no face is seen better
KEPT_QUALITY_PERCENT = 92
NOT_UNDERSTOOD = "The face engine's answer cannot be understood: see setting face_url."


async def enrol_face(desk: Desk, person_id: UUID, picture: bytes) -> None:
    """Have the face engine embed the face in a picture, and keep it.

    Raises InputFieldError for a picture without one clear face, HTTPRequestEntityTooLarge for one of too many bytes,
    FaceEngineError when no engine answers, StoreError while the disk of pictures is away.
    """
    if len(picture) > MAX_PICTURE_BYTES:
        raise web.HTTPRequestEntityTooLarge(MAX_PICTURE_BYTES, len(picture))
    async with desk.pictures:
        picture = await asyncio.to_thread(_anew, picture)
    found = await _ask(desk, picture)
    try:
        embedding = _embedding(_one_face(found))
    except (KeyError, TypeError, ValueError) as error:
        raise FaceEngineError(NOT_UNDERSTOOD) from error
    now = desk.context.clock.now()
    path = PurePosixPath(PICTURES, PERSONS, str(person_id), f"{new_id(now)}.jpg")
    await desk.on_ours(desk.store.write_picture, path, picture)
    await desk.hub.persons.add_exemplar(person_id, embedding, now, picture_path=path)
    known = await desk.hub.persons.get(person_id)
    if known.person.picture_path is None:
        await desk.hub.persons.set_picture(person_id, path)
    # A stranger of the days before may be this person, and so may somebody in view.
    await desk.hub.words.enrolled(person_id, now)
    await desk.hub.tracks.look_again(now - LOOK_AGAIN)


def _anew(picture: bytes) -> bytes:
    """Return a stranger's picture as a JPEG of our own: no engine and no browser sees what else was in the file."""
    try:
        return to_jpeg(decode(picture), KEPT_QUALITY_PERCENT, KEPT_SIDE_PX)
    except BadInputError as error:
        raise InputFieldError(str(error), "picture") from None


async def _ask(desk: Desk, picture: bytes) -> list[dict[str, Any]]:
    url = desk.context.settings.face_engine_url
    if url is None:
        raise FaceEngineError("The face engine is switched off (setting face_url); name people on their pictures.")
    try:
        content = await _posted(f"{url.rstrip('/')}/v1/vision/face", picture)
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
        raise FaceEngineError(
            f"The face engine does not answer ({type(error).__name__}): see health, and try again."
        ) from error
    if not isinstance(content, dict) or not content.get("success"):
        reason = str(content.get("error", "it failed")) if isinstance(content, dict) else "it failed"
        if isinstance(content, dict) and content.get("code") == BAD_PICTURE_CODE:
            raise InputFieldError(reason, "picture")
        raise FaceEngineError(f"The face engine cannot look at pictures now: {reason}")
    return list(content.get("predictions", []))


async def _posted(url: str, picture: bytes) -> Any:
    """Return the engine's answer; a connection that breaks is tried once more, as when the engine just restarted."""
    limit = aiohttp.ClientTimeout(total=ENGINE_LIMIT_S)
    async with aiohttp.ClientSession(timeout=limit) as session:
        for attempt in range(ATTEMPTS):
            form = aiohttp.FormData()
            form.add_field("image", io.BytesIO(picture), filename="picture", content_type="application/octet-stream")
            form.add_field("embedding", "1")
            try:
                async with session.post(url, data=form) as reply:
                    return await reply.json(content_type=None)
            except aiohttp.ClientConnectionError:
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(RETRY_AFTER_S)
    return None


def _one_face(found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        raise InputFieldError(
            "No face was found: use a picture that shows the face larger and from the front.", "picture"
        )
    ordered = sorted(found, key=_area, reverse=True)
    if len(ordered) > 1 and _area(ordered[0]) < CLEARLY_LARGER * _area(ordered[1]):
        raise InputFieldError(f"{len(ordered)} faces were found: cut the picture to one person.", "picture")
    return ordered[0]


def _area(face: dict[str, Any]) -> float:
    box = box_of(face)
    if box is None:
        raise ValueError("no box")
    left, top, right, bottom = box
    return (right - left) * (bottom - top)


def _embedding(face: dict[str, Any]) -> Embedding:
    if not isinstance(face.get("embedding"), list) or not isinstance(face.get("embedding_model"), str):
        raise BadInputError(
            "The face engine finds faces but has no model to tell them apart: see `marengocam models list`."
        )
    embedding = embedding_of(face)
    if embedding is None:
        raise FaceEngineError(NOT_UNDERSTOOD)
    return embedding
