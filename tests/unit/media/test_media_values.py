"""Boxes, parameters, times and places: the parts of recording that need no camera."""

import struct
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.errors import BadInputError, MediaError, NotFoundError, StoreError
from marengocam.media.faults import SENTENCES, Fault, StreamError
from marengocam.media.mp4.boxes import boxes, find
from marengocam.media.mp4.fragments import rebase
from marengocam.media.names import RecordingName, live_path
from marengocam.media.parameters import ParameterWatch, picture_size
from marengocam.media.playlist import segment_bytes
from marengocam.media.store import Store
from marengocam.media.timeline import Timeline

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPS, OTHER_SPS, PPS, OTHER_PPS = b"\x67small", b"\x67large", b"\x68one", b"\x68two"
IDR = b"\x65" + bytes(range(1, 200))


def annex_b(*units):
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


@given(st.binary(max_size=400))
def test_any_bytes_are_boxes_inside_them_or_an_error(data):
    try:
        found = list(boxes(data))
    except MediaError:
        return
    assert all(0 <= one.start < one.content <= one.end <= len(data) for one in found)


@given(st.binary(max_size=300))
def test_any_bytes_can_be_moved_in_time_without_changing_their_length(data):
    try:
        assert len(rebase(data, 1.0, {1: 90_000})) == len(data)
    except MediaError:
        return


def test_moving_fragments_in_time_changes_only_their_decode_times():
    def part(track, ticks):
        tfhd = box(b"tfhd", struct.pack(">II", 0, track))
        return box(b"traf", tfhd + box(b"tfdt", struct.pack(">IQ", 1 << 24, ticks)))

    def fragment(ticks, sound_ticks):
        return box(b"moof", part(1, ticks) + part(2, sound_ticks)) + box(b"mdat", b"picture")

    moved = rebase(fragment(0, 0) + fragment(500, 80), 10.0, {1: 1000, 2: 160})
    assert moved == fragment(10_000, 1_600) + fragment(10_500, 1_680)
    assert find(moved, (b"moof", b"traf", b"tfdt")) is not None
    assert find(moved, (b"moof", b"trak")) is None


def test_new_sequence_parameters_are_noticed_once():
    watch = ParameterWatch("h264", annex_b(SPS, PPS))
    assert watch.changed(annex_b(SPS, PPS, IDR)) is None
    assert watch.changed(annex_b(IDR)) is None
    assert watch.changed(annex_b(OTHER_SPS, PPS, IDR)) == annex_b(OTHER_SPS, PPS)
    assert watch.changed(annex_b(OTHER_SPS, PPS, IDR)) is None


def test_other_picture_parameters_alone_begin_nothing_new():
    watch = ParameterWatch("h264", annex_b(SPS, PPS))
    assert watch.changed(annex_b(SPS, OTHER_PPS, IDR)) is None
    assert watch.changed(annex_b(OTHER_SPS, IDR)) == annex_b(OTHER_SPS, OTHER_PPS)


def test_lengths_of_a_file_are_not_taken_for_start_codes():
    watch = ParameterWatch("h264", b"\x01\x42\x00\x1e")
    assert watch.changed(b"\x00\x00\x01\x2c" + OTHER_SPS * 50) is None


@given(st.sampled_from(["h264", "hevc", "mjpeg"]), st.binary(max_size=200), st.lists(st.binary(max_size=200)))
def test_any_bytes_can_be_watched_for_parameters(codec, extradata, keyframes):
    watch = ParameterWatch(codec, extradata)
    for keyframe in keyframes:
        changed = watch.changed(keyframe)
        assert changed is None or changed.startswith(b"\x00\x00\x00\x01")


def test_a_keyframe_that_is_none_has_no_size():
    assert picture_size("h264", annex_b(SPS, PPS), annex_b(IDR)) is None


def test_a_steady_stream_is_dated_by_its_own_clock():
    timeline = Timeline()
    late_s = [0.0, 0.4, 0.0, 0.9, 0.1]
    moments = [timeline.place(n * 0.1, NOON + timedelta(seconds=n * 0.1 + late_s[n])) for n in range(5)]
    assert not any(moment.jumped for moment in moments)
    off_s = [(moment.at - NOON).total_seconds() - n * 0.1 for n, moment in enumerate(moments)]
    assert max(off_s) < 0.01


@pytest.mark.parametrize("step_s", [-3.0, -3600.0, 6.0])
def test_a_stream_whose_clock_is_set_starts_anew(step_s):
    timeline = Timeline()
    timeline.place(5000.0, NOON)
    moment = timeline.place(5000.0 + step_s, NOON + timedelta(seconds=0.1))
    assert moment.jumped
    assert moment.at == NOON + timedelta(seconds=0.1)


def test_pictures_shown_in_another_order_than_sent_are_no_jump():
    timeline = Timeline()
    placed = [timeline.place(second, NOON + timedelta(seconds=second)) for second in (0.0, 0.3, 0.1, 0.2, 0.6)]
    assert not any(moment.jumped for moment in placed)


def test_a_name_tells_what_the_path_said():
    name = RecordingName("front", NOON + timedelta(milliseconds=123), uuid4())
    assert RecordingName.from_path(name.path) == name
    assert RecordingName.from_path(PurePosixPath(f"{name.path}.part")) == name
    assert RecordingName.from_path(PurePosixPath("recordings/front/x.mp4")) is None


@pytest.mark.parametrize("path", ["../outside.mp4", "/etc/passwd", "recordings/../../x"])
def test_no_path_leads_out_of_the_media_folder(tmp_path, path):
    with pytest.raises(BadInputError):
        Store(tmp_path / "media").resolve(path)


def test_no_link_leads_out_of_the_media_folder(tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "link").symlink_to(tmp_path)
    with pytest.raises(BadInputError):
        Store(tmp_path / "media").resolve("link/secret.key")


@pytest.mark.parametrize("name", ["", "x.m4s", "init_", "../../etc/passwd", "20261124T120000.000Z_no-id_0_5.m4s"])
def test_an_invented_segment_name_is_refused(tmp_path, name):
    with pytest.raises(BadInputError):
        segment_bytes(Store(tmp_path), "front", name)


def test_a_segment_of_a_deleted_recording_is_gone(tmp_path):
    with pytest.raises(NotFoundError):
        segment_bytes(Store(tmp_path), "front", f"20261124T120000.000Z_{uuid4()}_0_5.m4s")


def test_another_installations_disk_is_refused(tmp_path):
    Store(tmp_path).prepare(uuid4())
    with pytest.raises(StoreError, match="another MarengoCam installation"):
        Store(tmp_path).prepare(uuid4())


def test_a_live_picture_is_replaced_and_nothing_is_left_beside_it(tmp_path):
    store = Store(tmp_path)
    store.write_picture(live_path("front"), b"one")
    store.write_picture(live_path("front"), b"two")
    assert [file.name for file in (tmp_path / "live").iterdir()] == ["front.jpg"]
    assert (tmp_path / "live" / "front.jpg").read_bytes() == b"two"


def test_every_fault_has_a_sentence():
    for fault in Fault:
        assert str(StreamError(fault)) == SENTENCES[fault]
