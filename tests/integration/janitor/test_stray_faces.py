"""Pictures of persons that nothing names any more, or never did, leave the disk; all others stay."""

import asyncio
from datetime import UTC, datetime
from pathlib import PurePosixPath
from uuid import UUID, uuid4

import pytest
from tests.support.resolver_hub import ALICE
from tests.support.resolver_scenes import FACE_MODEL, embedding

from marengocam.core.clock import ManualClock
from marengocam.core.errors import StoreError
from marengocam.db.word_changes import Speaker
from marengocam.janitor import stray_faces
from marengocam.janitor.stray_faces import UNNAMED_FOR_S, StrayFaces
from marengocam.media.store import MARKER, Store

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WAIT_LIMIT_S = 40.0


def sent_in(store: Store, person_id: UUID) -> PurePosixPath:
    path = PurePosixPath("pictures/persons", str(person_id), f"{uuid4()}.jpg")
    store.write_picture(path, b"a face")
    return path


async def enrol(hub, store, name: str) -> tuple[UUID, PurePosixPath]:
    person = await hub.persons.add(name, NOON)
    path = sent_in(store, person.person_id)
    await hub.persons.add_exemplar(person.person_id, embedding(FACE_MODEL, vector=ALICE), NOON, picture_path=path)
    return person.person_id, path


@pytest.fixture
def clock():
    return ManualClock(NOON)


def there(store, *paths):
    return [store.resolve(path).exists() for path in paths]


async def test_a_picture_whose_rows_went_before_a_crash_goes_and_one_that_is_being_registered_stays(
    hub, store, disks, clock
):
    person_id, gone = await enrol(hub, store, "Alice")
    _, kept = await enrol(hub, store, "Bob")
    half = store.root / gone.parent / ".half.jpg.4711"
    half.write_bytes(b"a fa")
    await hub.persons.remove_exemplars(person_id)  # and the process was killed here
    strays = StrayFaces(hub, store, disks, clock)
    assert await strays.remove() == 0
    clock.advance(UNNAMED_FOR_S)
    coming = sent_in(store, person_id)
    assert await strays.remove() == 2
    assert there(store, gone, kept, coming) == [False, True, True]
    assert not half.exists()
    await hub.persons.add_exemplar(person_id, embedding(FACE_MODEL, vector=ALICE), NOON, picture_path=coming)
    clock.advance(UNNAMED_FOR_S)
    assert await strays.remove() == 0
    assert there(store, coming) == [True]


async def test_a_portrait_that_comes_back_when_a_merge_is_undone_stays_until_the_person_is_erased(
    hub, store, disks, clock
):
    alice, portrait = await enrol(hub, store, "Alice")
    bob, _ = await enrol(hub, store, "Bob")
    await hub.persons.set_picture(alice, portrait)
    await hub.persons.remove_exemplars(alice)
    strays = StrayFaces(hub, store, disks, clock)
    word = await hub.words.merge_persons(alice, bob, Speaker("test", NOON))
    for _ in range(2):
        assert await strays.remove() == 0
        clock.advance(UNNAMED_FOR_S)
    await hub.words.undo(word.word_id, Speaker("test", NOON))
    assert (await hub.persons.get(alice)).person.picture_path == portrait
    assert there(store, portrait) == [True]
    await hub.privacy.erase(alice, Speaker("test", NOON))
    await strays.remove()
    clock.advance(UNNAMED_FOR_S)
    assert await strays.remove() == 1
    assert there(store, portrait) == [False]


async def test_nothing_of_another_installations_disk_is_touched(hub, store, disks):
    (store.root / MARKER).write_text(str(uuid4()))
    path, clock = sent_in(store, uuid4()), ManualClock(NOON)
    strays = StrayFaces(hub, store, disks, clock)
    for _ in range(2):
        assert await strays.remove() == 0
        clock.advance(UNNAMED_FOR_S)
    assert there(store, path) == [True]


async def test_a_picture_that_cannot_be_deleted_keeps_no_other(hub, store, disks, clock):
    stuck, other = sorted(sent_in(store, uuid4()) for _ in range(2))
    store.resolve(stuck).unlink()
    (store.resolve(stuck) / "full").mkdir(parents=True)  # no account may unlink a folder
    strays = StrayFaces(hub, store, disks, clock)
    await strays.remove()
    clock.advance(UNNAMED_FOR_S)
    with pytest.raises(StoreError, match="cannot be deleted"):
        await strays.remove()
    assert there(store, other) == [False]


async def test_the_janitor_removes_them(hub, settings, store, clock, at_work, monkeypatch):
    monkeypatch.setattr(stray_faces, "UNNAMED_FOR_S", 0.0)
    _, kept = await enrol(hub, store, "Bob")
    stray = sent_in(store, uuid4())
    async with at_work(settings), asyncio.timeout(WAIT_LIMIT_S):
        while there(store, stray) == [True]:
            await asyncio.sleep(0.05)
    assert there(store, kept) == [True]
