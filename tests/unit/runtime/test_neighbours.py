"""Whose leases may be freed at once: only those of processes that shared our folder on this kernel and are gone."""

import contextlib
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


def test_a_successor_knows_at_its_start_and_leaves_no_rubbish(tmp_path):
    other = living(tmp_path, "one")
    end(other)
    with SignOfLife(tmp_path, "two") as own:
        assert own.is_dead("one")
        assert [file.name for file in (tmp_path / neighbours.FOLDER).iterdir()] == ["two"]
    assert list((tmp_path / neighbours.FOLDER).iterdir()) == []


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
