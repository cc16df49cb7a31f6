"""After a change of the embedding model the gallery is made anew from the pictures that were kept."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from uuid import UUID, uuid5

from marengocam.core.errors import MarengoCamError, NotFoundError
from marengocam.core.model import Embedding
from marengocam.db.hub import Hub
from marengocam.face.pictures import KeptPictures

NAMESPACE = UUID("b0b6d6f0-6f0e-4e53-9a6c-3f5b7b1c9d42")
Look = Callable[[bytes], Awaitable[Embedding | None]]  # the largest face in a picture, by the present model
_LOG = logging.getLogger(__name__)


async def reembed(hub: Hub, pictures: KeptPictures, model: str, look: Look) -> int:
    """Add, by the present model, every face of a gallery whose picture is there; return how many were added.

    What other models made stays: changing back costs nothing. It may be killed at any time and run again, by several
    processes too: each new face's id follows from the old one's. Raises HubUnavailableError, and StoreError while the
    disk of the pictures is away; an error that nobody foresaw is raised once all other pictures were looked at.
    """
    faces = [one for one in await hub.persons.exemplars() if one.kind == "face"]
    known = {one.exemplar_id for one in faces}
    pictured = {one.picture_path for one in faces if one.embedding.model == model}
    added, odd = 0, None
    for one in faces:
        new = uuid5(NAMESPACE, f"{one.exemplar_id}/{model}")
        if one.embedding.model == model or one.picture_path in pictured or new in known or one.picture_path is None:
            continue
        await pictures.check()  # that a picture is not there says something on our disk alone
        try:
            embedding = await _seen_anew(pictures, one.picture_path, look)
        except MarengoCamError:
            raise
        except Exception as error:  # noqa: BLE001 - one odd picture must not keep the others from being known
            odd, embedding = error, None
        if embedding is None:
            continue
        try:
            await hub.persons.add_exemplar(
                one.person_id,
                embedding,
                one.created_at,
                source=one.source,
                picture_path=one.picture_path,
                exemplar_id=new,
            )
        except NotFoundError:
            continue  # its owner removed the person meanwhile
        pictured.add(one.picture_path)
        added += 1
    if added:
        _LOG.info("%d faces were embedded anew for the model %s", added, model)
    if odd is not None:
        raise odd
    return added


async def _seen_anew(pictures: KeptPictures, path: PurePosixPath, look: Look) -> Embedding | None:
    """Return the picture's face by the present model; None when picture or face are not to be had any more."""
    content = await pictures.read(path)
    if content is None:
        _LOG.warning("%s cannot be embedded anew: the picture is gone", path.name)
        return None
    try:
        return await look(content)
    except MarengoCamError as error:
        _LOG.warning("%s cannot be embedded anew: %s", path.name, error)
        return None
