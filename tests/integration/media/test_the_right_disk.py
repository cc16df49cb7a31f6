"""Recordings go to the disk they belong on, not to another installation's, nor to a mount point without its disk."""

import subprocess
from uuid import uuid4

import pytest
from tests.support.small_disk import fill, small_disk

from marengocam.core.errors import StoreError
from marengocam.media.mounting import KNOWN, check_mounted
from marengocam.media.store import MARKER, Store


def test_another_installation_s_disk_is_refused_until_its_owner_gives_it_up(tmp_path):
    theirs, ours = uuid4(), uuid4()
    Store(tmp_path).prepare(theirs)
    with pytest.raises(StoreError, match="belongs to another MarengoCam"):
        Store(tmp_path).prepare(ours)
    (tmp_path / MARKER).unlink()
    Store(tmp_path).prepare(ours)
    assert (tmp_path / MARKER).read_text() == str(ours)


def test_a_mount_point_without_its_disk_is_refused_until_it_is_mounted_or_its_owner_wants_it_so(tmp_path):
    data, media = tmp_path / "data", tmp_path / "disk"
    data.mkdir()

    def use():
        check_mounted(media, data)
        Store(media).prepare(uuid4() if not (media / MARKER).exists() else None)
        check_mounted(media, data)

    with small_disk(media, 2):
        use()
    for _ in range(2):
        with pytest.raises(StoreError, match="is not mounted: mount it"):
            use()
    assert list(media.iterdir()) == [], "nothing is written beside the data"
    with small_disk(media, 2):
        use()  # a new, empty one is as good
    (media / MARKER).touch()
    use()
    assert not (data / KNOWN).exists()


def test_a_mount_point_without_its_disk_is_refused_where_the_data_have_a_disk_of_their_own_too(tmp_path):
    media = tmp_path / "disk"
    with small_disk(tmp_path / "data", 2) as data:
        with small_disk(media, 2):
            Store(media).prepare(uuid4())
            check_mounted(media, data)
        with pytest.raises(StoreError, match="is not mounted: mount it"):
            check_mounted(media, data)


@pytest.mark.parametrize("left", [b"", bytes(36), b"\n"])
def test_a_marker_that_a_power_cut_left_without_content_is_nobody_s_and_written_anew(tmp_path, left):
    ours = uuid4()
    (tmp_path / MARKER).write_bytes(left)
    Store(tmp_path).prepare(ours)
    assert Store(tmp_path).belongs_to(ours)


def test_a_marker_with_any_other_bytes_is_another_s(tmp_path):
    (tmp_path / MARKER).write_bytes(b"\xff\xfe\x80")
    with pytest.raises(StoreError, match="belongs to another MarengoCam"):
        Store(tmp_path).prepare(uuid4())
    assert not Store(tmp_path).belongs_to(uuid4())


def test_a_full_disk_may_be_recorded_to_before_it_is_marked(tmp_path):
    ours = uuid4()
    with small_disk(tmp_path / "disk", 1) as folder:
        full = fill(folder)
        Store(folder).prepare(ours)
        assert Store(folder).marked()
        full.unlink()
        Store(folder).prepare(ours)
        assert Store(folder).belongs_to(ours)


def test_a_folder_beside_the_data_may_be_emptied(tmp_path):
    media = tmp_path / "media"
    for _ in range(2):
        check_mounted(media, tmp_path)
        Store(media).prepare(uuid4())
        check_mounted(media, tmp_path)
        subprocess.run(["rm", "-r", str(media)], check=True)
