"""The gallery after a change of the embedding model: made anew from the pictures that were kept."""

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from marengocam.core.errors import BadInputError, StoreError
from marengocam.core.model import Embedding
from marengocam.db.hub import Hub
from marengocam.face.pictures import KeptPictures
from marengocam.face.reembedding import reembed
from marengocam.media.store import MARKER, Store

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
OLD, NEW = (
    Embedding("old-4", np.eye(4, dtype=np.float32)[0], 0.8),
    Embedding("new-8", np.eye(8, dtype=np.float32)[1], 0.9),
)


class Looker:
    """The present model: sees a face in every picture that says so."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    async def __call__(self, picture: bytes) -> Embedding | None:
        self.asked.append(picture)
        if picture == b"broken":
            raise BadInputError("The picture cannot be read.")
        return NEW if picture == b"face" else None


async def enrol(hub: Hub, store: Store, name: str, picture: bytes | None) -> PurePosixPath | None:
    person = await hub.persons.add(name, AT)
    path = PurePosixPath(f"pictures/persons/{name}.jpg") if picture is not None else None
    if path is not None and picture is not None:
        store.write_picture(path, picture)
    await hub.persons.add_exemplar(person.person_id, OLD, AT, picture_path=path)
    return path


async def test_every_face_whose_picture_is_there_is_embedded_anew_once(hub: Hub, tmp_path: Path) -> None:
    store, look = Store(tmp_path), Looker()
    store.prepare(await hub.settings_store.installation_id())
    kept = KeptPictures(hub, store)
    for name, picture in {"kept": b"face", "blurred": b"nothing", "broken": b"broken", "without": None}.items():
        await enrol(hub, store, name, picture)
    lost = await enrol(hub, store, "lost", b"face")
    store.delete(lost)

    assert await reembed(hub, kept, "new-8", look) == 1

    faces = {(one.embedding.model, one.picture_path) for one in await hub.persons.exemplars()}
    assert ("new-8", PurePosixPath("pictures/persons/kept.jpg")) in faces
    assert sum(model == "old-4" for model, _ in faces) == 5, "changing back costs nothing"
    look.asked.clear()
    assert await reembed(hub, kept, "new-8", look) == 0
    assert b"face" not in look.asked, "what is done is not looked at again"
    assert await reembed(hub, kept, "old-4", look) == 0


async def test_a_person_removed_meanwhile_does_not_keep_the_others_from_being_embedded(
    hub: Hub, tmp_path: Path
) -> None:
    store, look = Store(tmp_path), Looker()
    store.prepare(await hub.settings_store.installation_id())
    kept = KeptPictures(hub, store)
    for name in ("first", "second"):
        await enrol(hub, store, name, b"face")
    removed: list[str] = []

    async def remove_then_look(picture: bytes) -> Embedding | None:
        if not removed:
            one = next(one for one in await hub.persons.exemplars() if one.embedding.model == "old-4")
            async with hub.database.connection() as connection:
                removed.append(await connection.execute("DELETE FROM person WHERE person_id = $1", one.person_id))
        return await look(picture)

    assert await reembed(hub, kept, "new-8", remove_then_look) == 1


async def test_a_picture_whose_disk_is_away_is_not_given_up(hub: Hub, tmp_path: Path) -> None:
    store, look = Store(tmp_path), Looker()
    store.prepare(await hub.settings_store.installation_id())
    kept = KeptPictures(hub, store)
    path = await enrol(hub, store, "kept", b"face")
    picture, marker = store.resolve(path), tmp_path / MARKER
    ours = marker.read_text()
    marker.unlink()
    picture.unlink()
    with pytest.raises(StoreError, match="mount its disk"):
        await reembed(hub, kept, "new-8", look)
    marker.write_text(ours)
    picture.write_bytes(b"face")
    assert await reembed(hub, kept, "new-8", look) == 1
