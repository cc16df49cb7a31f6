"""The last resort on a full disk: neither stray files among the recordings nor a damaged list keep it from its work."""

from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import pytest

from marengocam.core.errors import StoreError
from marengocam.core.ids import new_id
from marengocam.media.last_resort import GIVEN_UP, given_up, make_room
from marengocam.media.names import RecordingName
from marengocam.media.store import Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def recorded(store, at):
    name = RecordingName("front", at, new_id(at))
    file = store.root / name.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"video")
    return name.path


@pytest.mark.parametrize(
    "stray",
    [
        "20269999T250000.000Z_01890000-0000-7000-8000-000000000000.mp4",
        f"20260501T120000.000Z_{'-' * 36}.mp4",
        "20260501T120000.000Z_notes.mp4",
    ],
)
def test_a_file_named_almost_like_a_recording_is_none_and_is_passed_over(store, stray):
    oldest = recorded(store, NOON)
    (store.root / oldest).with_name(stray).write_bytes(b"somebody else's")
    assert RecordingName.from_path(oldest.with_name(stray)) is None
    assert make_room(store, NOON, at_least=1) == [oldest]
    assert (store.root / oldest).with_name(stray).exists()


def test_a_recording_that_cannot_be_deleted_does_not_keep_the_others(store):
    stuck = RecordingName("front", NOON, new_id(NOON)).path
    (store.root / stuck / "full").mkdir(parents=True)  # no account may unlink a folder
    others = [recorded(store, NOON + timedelta(minutes=number)) for number in (1, 2)]
    assert make_room(store, NOON, at_least=2) == others
    assert (store.root / stuck).exists()


def test_it_says_why_when_nothing_can_be_deleted(store):
    (store.root / RecordingName("front", NOON, new_id(NOON)).path / "full").mkdir(parents=True)
    with pytest.raises(StoreError, match="cannot be deleted"):
        make_room(store, NOON, at_least=1)


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\x00\x00", "\u00b2 recordings".encode(), b"9" * 40 + b" recordings", b"17"]
)
def test_damage_in_the_list_hides_no_other_line(store, damage):
    path = recorded(store, NOON)
    good = f"{int(NOON.timestamp())} {path}".encode()
    (store.root / GIVEN_UP).write_bytes(damage + b"\n" + good + b"\n" + damage)
    assert given_up(store) == {PurePosixPath(path): NOON}
