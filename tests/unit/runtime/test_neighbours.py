"""Whose leases may be freed at once: only those of processes that shared our folder on this kernel and are gone."""

import contextlib
import os
import subprocess
import sys

from marengocam.runtime import neighbours
from marengocam.runtime.neighbours import SignOfLife

HOLD = (
    "import sys; from pathlib import Path; from marengocam.runtime.neighbours import SignOfLife\n"
    "with SignOfLife(Path(sys.argv[1]), sys.argv[2]): print('here', flush=True); sys.stdin.read()\n"
)


def living(folder, instance):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, folder, instance], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "here\n"
    return process


def end(process):
    process.kill()
    with contextlib.suppress(BrokenPipeError):
        process.communicate()


def test_a_killed_process_is_known_to_be_dead_and_a_living_one_is_not(tmp_path):
    other = living(tmp_path, "container/1:7:aaaaaa")
    with SignOfLife(tmp_path, "container/2:7:bbbbbb") as own:
        assert not own.is_dead("container/1:7:aaaaaa")
        assert not own.is_dead("container/2:7:bbbbbb"), "that is this one"
        assert not own.is_dead("nobody/3:7:cccccc"), "nothing is known of it"
        end(other)
        assert own.is_dead("container/1:7:aaaaaa")
        assert own.is_dead("container/1:7:aaaaaa"), "and stays so"


def test_a_successor_knows_at_its_start_and_leaves_no_rubbish_in_the_end(tmp_path):
    folder = tmp_path / neighbours.FOLDER
    end(living(tmp_path, "one"))
    with SignOfLife(tmp_path, "two") as own:
        assert own.is_dead("one")
    long_ago_s = (folder / "one").stat().st_mtime - neighbours.ENDED_KEPT_S - 1
    os.utime(folder / "one", (long_ago_s, long_ago_s))
    with SignOfLife(tmp_path, "three"):
        assert [file.name for file in folder.iterdir()] == ["three"]
    assert list(folder.iterdir()) == []


def test_who_dies_soon_after_a_start_hides_no_death_before_it(tmp_path):
    """The first one's heartbeat is still fresh: it would be left a share of the cameras."""
    end(living(tmp_path, "one"))
    end(living(tmp_path, "two"))
    with SignOfLife(tmp_path, "three") as own:
        assert own.is_dead("one")
        assert own.is_dead("two")


def test_who_lived_for_long_is_remembered_as_long_as_others(tmp_path):
    first = living(tmp_path, "one")
    os.utime(tmp_path / neighbours.FOLDER / "one", (0, 0))
    end(first)
    end(living(tmp_path, "two"))
    with SignOfLife(tmp_path, "three") as own:
        assert own.is_dead("one")


def test_who_ends_as_told_leaves_no_sign(tmp_path):
    other = living(tmp_path, "one")
    other.communicate("")
    with SignOfLife(tmp_path, "two") as own:
        assert not own.is_dead("one"), "it gave its leases back itself"


def test_a_process_of_another_machine_on_a_shared_folder_is_left_alone(tmp_path, monkeypatch):
    """Its lock may not be seen here."""
    elsewhere = tmp_path / "boot_id"
    elsewhere.write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    with monkeypatch.context() as there:
        there.setattr(neighbours, "BOOT_ID", elsewhere)
        with SignOfLife(tmp_path, "theirs") as theirs:
            file = theirs._own
            there.undo()
            with SignOfLife(tmp_path, "ours") as ours:
                assert not ours.is_dead("theirs")
                assert file.exists()


def test_a_folder_that_cannot_be_written_costs_seconds_not_the_service(tmp_path):
    (tmp_path / "data").write_text("no folder")
    with SignOfLife(tmp_path / "data", "one") as own:
        assert not own.is_dead("two")
