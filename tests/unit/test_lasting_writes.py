"""What has to be there after a power cut is synced before it gets its name, and so are the folders it lies in."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from marengocam.core.ids import new_id
from marengocam.core.model import Camera
from marengocam.core.secret import Secret
from marengocam.db.keyring import KEY_FILE, Keyring
from marengocam.ingest.known_cameras import KnownCameras
from marengocam.media.last_resort import write_favourites
from marengocam.media.names import RecordingName
from marengocam.media.store import Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def synced(monkeypatch):
    """Return what was synced so far: each path with its size then."""
    done, fsync = [], os.fsync

    def noted(descriptor):
        fsync(descriptor)
        done.append((Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", noted)
    return done


def test_the_folders_of_a_new_hour_are_there_for_good_before_a_recording_is_finished(tmp_path, synced):
    growing = Store(tmp_path).growing(RecordingName("front", NOON, new_id(NOON)))
    growing.touch()
    new = [growing.parent, *growing.parent.parents]
    wanted = [folder.parent for folder in new if folder.is_relative_to(tmp_path) and folder != tmp_path]
    assert {path for path, _ in synced} == set(wanted)


def test_a_recording_is_synced_before_it_gets_its_name_and_its_folder_after(tmp_path, synced):
    store = Store(tmp_path)
    growing = store.growing(RecordingName("front", NOON, new_id(NOON)))
    growing.write_bytes(b"video")
    synced.clear()
    whole = store.finish(growing)
    assert synced[0] == (growing, len(b"video"))
    assert [path for path, _ in synced] == [growing, whole.parent]


def test_word_of_favourites_is_synced_before_it_stands_under_its_name(tmp_path, synced):
    write_favourites(Store(tmp_path), [])
    (file,) = [(path, size) for path, size in synced if "favourites" in path.name]
    assert file[1] == len("[]")


def test_the_list_of_cameras_is_synced_before_it_stands_under_its_name(tmp_path, synced):
    KnownCameras(tmp_path, Keyring(tmp_path)).write([Camera("front", "Front", "rtsp://camera/main")])
    (file,) = [(path, size) for path, size in synced if "ingest_cameras" in path.name]
    assert file[1] == (tmp_path / "ingest_cameras.json").stat().st_size


def test_a_new_key_and_its_folder_are_synced_before_anything_is_encrypted_with_it(tmp_path, synced):
    Keyring(tmp_path).lock(Secret("s3cret"))
    assert len(Fernet.generate_key()) in [size for path, size in synced if path.name.startswith(KEY_FILE)]
    assert synced[-1][0] == tmp_path
