"""Passwords at rest: readable with the key file only, which all processes agree on."""

import stat
import threading

import pytest

from marengocam.core.errors import StoreError
from marengocam.core.secret import Secret
from marengocam.db.keyring import KEY_FILE, Keyring


def test_what_was_locked_is_read_by_another_process_with_the_same_file(tmp_path):
    locked = Keyring(tmp_path).lock(Secret("hunter2"))
    assert b"hunter2" not in locked
    assert Keyring(tmp_path).unlock(locked) == Secret("hunter2")


def test_the_key_is_for_its_owner_only(tmp_path):
    Keyring(tmp_path / "data").lock(Secret("x"))
    assert stat.S_IMODE((tmp_path / "data" / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_a_lost_key_file_is_told_with_the_mend(tmp_path):
    locked = Keyring(tmp_path).lock(Secret("hunter2"))
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(StoreError, match="enter the camera's password again") as caught:
        Keyring(tmp_path).unlock(locked)
    assert "hunter2" not in str(caught.value)


def test_a_damaged_key_file_is_told_with_the_mend(tmp_path):
    locked = Keyring(tmp_path).lock(Secret("hunter2"))
    (tmp_path / KEY_FILE).write_text("half a key")
    with pytest.raises(StoreError, match="restore that file"):
        Keyring(tmp_path).unlock(locked)
    with pytest.raises(StoreError, match="is damaged: restore it"):
        Keyring(tmp_path).lock(Secret("hunter2"))
    (tmp_path / KEY_FILE).write_text("")
    with pytest.raises(StoreError, match="is empty: restore it"):
        Keyring(tmp_path).lock(Secret("hunter2"))


def test_those_who_start_together_agree_on_one_key(tmp_path):
    keys, together = [], threading.Barrier(8)

    def start():
        together.wait(5)
        keys.append(Keyring(tmp_path).signing_key("media"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_keys_for_signatures_differ_by_purpose(tmp_path):
    keyring = Keyring(tmp_path)
    assert keyring.signing_key("media") != keyring.signing_key("other")
