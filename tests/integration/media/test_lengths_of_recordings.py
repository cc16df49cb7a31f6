"""How long a recording is, told quickly: what its whole index says, however the file ends."""

import random
import struct
from datetime import timedelta

import pytest
from tests.integration.media.test_sound import record, write_clip
from tests.support.clips import write_counter_clip
from tests.support.recordings import recorded

from marengocam.core.errors import MediaError
from marengocam.media.mp4 import fragments
from marengocam.media.mp4.fragments import read_duration_s, read_index
from marengocam.media.store import Store

TABLE_END_BYTES = 16  # mfro, whose last number is the length of all of mfra


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    clip = write_counter_clip(folder / "counter.mp4", frames=300)
    store = Store(folder / "media")
    store.prepare()
    return store.resolve(recorded(store, clip, timedelta(hours=1)).path)


def reads_of(file, monkeypatch):
    """Return the length that is told, and how many fragments were looked at for it."""
    looked_at, fragment = [], fragments._fragment

    def noted(*arguments):
        looked_at.append(arguments)
        return fragment(*arguments)

    monkeypatch.setattr(fragments, "_fragment", noted)
    return read_duration_s(file), len(looked_at)


def test_of_a_finished_recording_only_the_last_fragment_is_read(finished, monkeypatch):
    whole_s = read_index(finished).duration_s
    assert whole_s == pytest.approx(20.0, abs=0.1)
    assert reads_of(finished, monkeypatch) == (whole_s, 1)


def test_sound_beside_the_pictures_changes_nothing(tmp_path, monkeypatch):
    store, (chunk,) = record(write_clip(tmp_path / "source.mov", "aac", 16_000), tmp_path / "media")
    file = store.resolve(chunk.path)
    told_s, looked_at = reads_of(file, monkeypatch)
    assert told_s == read_index(file).duration_s == pytest.approx(6.0, abs=0.1)
    assert looked_at <= 2


@pytest.mark.parametrize("kept", [0.3, 0.7, 0.99])
def test_one_that_was_cut_off_is_as_long_as_what_is_left(finished, tmp_path, kept):
    content = finished.read_bytes()
    part = tmp_path / "part.mp4"
    part.write_bytes(content[: int(len(content) * kept)])
    assert read_duration_s(part) == read_index(part).duration_s


def test_a_table_that_points_nowhere_is_not_believed(finished, tmp_path):
    content, whole_s = finished.read_bytes(), read_index(finished).duration_s
    (length,) = struct.unpack(">I", content[-4:])
    lies = [b"\xff" * 8, struct.pack(">Q", len(content)), struct.pack(">Q", 3), struct.pack(">Q", len(content) - 8)]
    entry_end = len(content) - TABLE_END_BYTES - 3  # of the last entry: time, place of its fragment, three numbers
    for number, lie in enumerate(lies):
        file = tmp_path / f"{number}.mp4"
        file.write_bytes(content[: entry_end - 8] + lie + content[entry_end:])
        assert read_duration_s(file) == whole_s
    for claimed in (0, 15, 17, length + 1, 2**31, 2**32 - 1):
        file = tmp_path / f"length_{claimed}.mp4"
        file.write_bytes(content[:-4] + struct.pack(">I", claimed))
        assert read_duration_s(file) == whole_s


def test_any_bytes_at_the_end_are_taken(finished, tmp_path):
    content, chance = finished.read_bytes(), random.Random(7)
    (length,) = struct.unpack(">I", content[-4:])
    file = tmp_path / "odd.mp4"
    for _ in range(500):
        odd = bytearray(content)
        for _ in range(3):
            odd[len(odd) - 1 - chance.randrange(length)] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        file.write_bytes(odd)
        assert read_duration_s(file) >= 0


def test_what_is_no_recording_is_told(tmp_path):
    file = tmp_path / "other.mp4"
    for content in (b"", b"\x00" * 100, b"no recording at all, but of some length" * 3):
        file.write_bytes(content)
        with pytest.raises(MediaError, match="not a recording"):
            read_duration_s(file)
