"""Export: a stretch of recordings as one file, copied, in order, gaps told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import av
import pytest
from tests.integration.media.test_sound import FPS, loud_times, record, write_clip
from tests.support.clips import read_number
from tests.support.recordings import numbers_played

from marengocam.core.errors import BadInputError, NotFoundError, StoreError
from marengocam.media.export import export
from marengocam.media.names import RecordingName
from marengocam.media.playlist import recording_playlist
from marengocam.media.runs import recordings_in

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=1 / FPS)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def recorded(tmp_path):
    """Six seconds in three chunks of two, with sound, a keyframe a second."""
    store, chunks = record(write_clip(tmp_path / "source.mov", "pcm_mulaw", 8_000), tmp_path / "media", chunk_s=2.0)
    return store, [store.resolve(chunk.path) for chunk in chunks]


def numbers(file) -> list[int]:
    with av.open(str(file)) as container:
        frames = list(container.decode(video=0))
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    return [read_number(frame.to_ndarray(format="gray")) for frame in frames]


def test_a_stretch_over_two_chunks_is_one_file_from_the_keyframe_before(recorded, tmp_path):
    store, files = recorded
    done = export(store, files, after(1.5), after(3.2), tmp_path / "out.mp4")
    assert numbers(done.file) == list(range(10, 32))
    assert (done.started_at, done.gaps) == (after(1), ())
    assert abs(done.ended_at - after(3.2)) <= STEP
    with av.open(str(done.file)) as container:
        assert abs(container.streams.video[0].duration * container.streams.video[0].time_base - 2.2) < 0.11


def test_its_sound_stays_in_step(recorded, tmp_path):
    store, files = recorded
    done = export(store, files, after(2), after(6), tmp_path / "out.mp4")
    assert min(loud_times(done.file)) == pytest.approx(1.0, abs=0.15)


def test_what_was_not_recorded_is_told_and_closed_up(recorded, tmp_path):
    store, files = recorded
    done = export(store, [files[0], files[2]], after(0), after(9), tmp_path / "out.mp4")
    assert numbers(done.file) == [*range(20), *range(40, 60)]
    ((gap_from, gap_to),) = done.gaps
    assert abs(gap_from - after(2)) <= STEP
    assert abs(gap_to - after(4)) <= STEP


@pytest.fixture
def recorded_over(recorded):
    """The same six seconds; after four of them the clock was set back by 3.5 s."""
    store, files = recorded
    name = RecordingName.from_path(store.relative(files[2]))
    later = store.resolve(replace(name, started_at=after(0.5)).path)
    files[2].rename(later)
    return store, [files[0], later, files[1]]


def test_what_a_clock_set_back_dates_over_the_rest_is_exported_as_it_was_recorded(recorded_over, tmp_path):
    store, (first, over, second) = recorded_over
    files = recordings_in(store, "front", after(0), after(9))
    assert files == [first, second, over]
    done = export(store, files, after(0), after(9), tmp_path / "out.mp4")
    assert numbers(done.file) == list(range(60))
    assert (done.started_at, done.gaps) == (after(0), ())
    assert abs(done.ended_at - after(4)) <= STEP
    ((twice_from, twice_to),) = done.twice
    assert (twice_from, abs(twice_to - after(4)) <= STEP) == (after(0.5), True)
    with av.open(str(done.file)) as container:
        assert abs(container.streams.video[0].duration * container.streams.video[0].time_base - 6) < 0.11
    assert min(loud_times(done.file)) == pytest.approx(3.0, abs=0.15), "its sound stays in step"


def test_files_of_before_and_after_a_clock_was_set_back_are_both_found(recorded_over):
    store, (first, over, second) = recorded_over
    assert recordings_in(store, "front", after(1), after(1.5)) == [first, over]
    assert set(recordings_in(store, "front", after(2.2), after(9))) == {second, over}


def test_what_a_clock_set_back_dates_over_the_rest_is_played_as_it_was_recorded(recorded_over):
    store, files = recorded_over
    text = recording_playlist(store, [], after(0), after(9), str, files)
    assert numbers_played(store, text) == list(range(60))
    assert text.count("#EXT-X-DISCONTINUITY\n") == 1


def test_the_growing_recording_is_exported_as_far_as_it_is(recorded, tmp_path):
    store, files = recorded
    growing = files[2].rename(files[2].with_name(files[2].name + ".part"))
    with growing.open("r+b") as torn:
        torn.truncate(growing.stat().st_size - 700)
    done = export(store, [files[1], growing], after(2), after(6), tmp_path / "out.mp4")
    got = numbers(done.file)
    assert got == list(range(20, 20 + len(got)))
    assert len(got) > 25


def test_the_store_finds_the_files_of_a_stretch(recorded):
    store, files = recorded
    assert recordings_in(store, "front", after(2.5), after(3)) == [files[1]]
    assert recordings_in(store, "front", after(1), after(4.5)) == files
    assert recordings_in(store, "front", after(-9), after(-5)) == []


@pytest.mark.timeout(20)
def test_the_store_finds_everything_in_all_of_time_without_asking_for_each_hour_of_it(recorded):
    store, *_ = recorded
    ever = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert recordings_in(store, "front", *ever) == store.recordings("front") != []


def test_nothing_recorded_and_nothing_sensible_are_told_and_leave_no_file(recorded, tmp_path):
    store, files = recorded
    with pytest.raises(NotFoundError):
        export(store, files, after(60), after(70), tmp_path / "out.mp4")
    with pytest.raises(BadInputError):
        export(store, files, after(3), after(2), tmp_path / "out.mp4")
    with pytest.raises(StoreError):
        export(store, files, after(1), after(2), tmp_path / "not there" / "out.mp4")
    assert not list(tmp_path.glob("out*"))


def test_a_change_of_format_is_told_with_its_moment(recorded, tmp_path):
    store, files = recorded
    _, (other,) = record(write_clip(tmp_path / "wide.mov", "aac", 16_000, width=320), tmp_path / "wide")
    name = RecordingName.from_path(store.relative(files[2]))
    later = store.resolve(replace(name, started_at=after(6)).path)
    (tmp_path / "wide" / other.path).rename(later)
    with pytest.raises(BadInputError, match="2026-01-01T00:00:06"):
        export(store, [*files, later], after(5), after(8), tmp_path / "out.mp4")
    assert not list(tmp_path.glob("out*"))
