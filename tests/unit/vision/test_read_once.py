"""What was read once from a mapped file is given back, and read again by whoever needs it."""

import mmap
from pathlib import Path

import pytest

from marengocam.vision.read_once import MAPS, let_go_of

PAGES = 64
pytestmark = pytest.mark.skipif(not MAPS.is_file(), reason="Linux only")


def resident_kb(file: Path) -> int:
    """Return how much of a file's mappings is in this process's memory."""
    found, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first = line.split(maxsplit=1)[0]
        if "-" in first and not first.endswith(":"):
            ours = line.endswith(str(file))
        elif ours and first == "Rss:":
            found += int(line.split()[1])
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a cache"
    folder.mkdir()
    return folder


def test_it_is_no_longer_resident_and_still_there(folder: Path) -> None:
    content = bytes(range(256)) * (PAGES * mmap.PAGESIZE // 256)
    (folder / "one.blob").write_bytes(content)
    with (folder / "one.blob").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert mapped[:] == content
        assert resident_kb(folder / "one.blob") == len(content) // 1024
        let_go_of(folder)
        assert resident_kb(folder / "one.blob") == 0
        assert mapped[:] == content


def test_files_elsewhere_and_those_that_are_written_to_are_left_alone(folder: Path, tmp_path: Path) -> None:
    other, written = tmp_path / "other.blob", folder / "written.blob"
    for file in (other, written):
        file.write_bytes(bytes(PAGES * mmap.PAGESIZE))
    with (
        other.open("rb") as one,
        written.open("r+b") as two,
        mmap.mmap(one.fileno(), 0, prot=mmap.PROT_READ) as read,
        mmap.mmap(two.fileno(), 0, flags=mmap.MAP_PRIVATE) as changed,
    ):
        changed[:5] = b"ours!"
        assert read[:] == bytes(len(read))
        let_go_of(folder)
        assert changed[:5] == b"ours!"
        assert resident_kb(other) == PAGES * mmap.PAGESIZE // 1024


def test_a_file_that_is_gone_is_no_trouble(folder: Path) -> None:
    (folder / "gone.blob").write_bytes(b"x" * mmap.PAGESIZE)
    with (folder / "gone.blob").open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        (folder / "gone.blob").unlink()
        let_go_of(folder)
        assert mapped[:1] == b"x"
