"""Packets of RTP become pictures: whole, at once, and in spite of what cameras do to them."""

import random

import pytest

from marengocam.demo.rtsp.clip import H264, H265, AccessUnit
from marengocam.demo.rtsp.rtp import Packetizer
from marengocam.media.faults import Fault, StreamError
from marengocam.media.rtsp import pictures
from marengocam.media.rtsp.pictures import BUILDERS, START_CODE, Picture, PictureBuilder

RTP_HEADER_BYTES = 12
SPS, PPS, IDR, SLICE, SEI = b"\x67sps", b"\x68pps", b"\x65\x88", b"\x41\x9a.", b"\x06"
NEXT_SLICE = b"\x41\x1a."  # its first macroblock is not the picture's
VPS_265, SPS_265, IDR_265, SLICE_265 = b"\x40\x01vps", b"\x42\x01sps", b"\x26\x01\x80", b"\x02\x01\x80"


def body(size: int) -> bytes:
    return random.Random(size).randbytes(size).replace(b"\0", b"\1")


def annex_b(*units: bytes) -> bytes:
    return b"".join(START_CODE + unit for unit in units)


def take(builder: PictureBuilder, *packets: tuple[int, bytes, bool]) -> list[Picture]:
    return [
        one for stamp, payload, marker in packets for one in builder.take(stamp, memoryview(payload), marker=marker)
    ]


def sent(codec: str, *units: bytes, at_s: float = 0.0) -> list[tuple[int, bytes, bool]]:
    unit = AccessUnit(at_s, at_s, keyframe=True, nal_units=units)
    return [
        (int.from_bytes(packet[4:8], "big"), packet[RTP_HEADER_BYTES:], packet[1] >= 0x80)
        for packet in Packetizer(codec, 7).packets(unit, at_s)
    ]


@pytest.mark.parametrize(
    ("codec", "units"),
    [
        (H264, (SPS, PPS, IDR + body(50_000), IDR + b"\x10" + body(900))),
        (H265, (VPS_265, SPS_265, IDR_265 + body(50_000), b"\x26\x01\x10" + body(900))),
    ],
)
def test_a_picture_in_many_packets_is_whole_with_its_last_one(codec, units):
    packets = sent(codec, *units)
    builder = BUILDERS[codec]()
    assert take(builder, *packets[:-1]) == []
    (picture,) = take(builder, packets[-1])
    assert picture.content == annex_b(*units)
    assert (picture.keyframe, picture.has_parameters) == (True, True)


@pytest.mark.parametrize(("codec", "unit"), [(H264, SLICE + body(3000)), (H265, SLICE_265 + body(3000))])
def test_a_picture_that_refers_to_others_is_no_keyframe(codec, unit):
    (picture,) = take(BUILDERS[codec](), *sent(codec, unit))
    assert (picture.keyframe, picture.has_parameters, picture.content) == (False, False, annex_b(unit))


def test_units_that_came_in_one_packet_are_told_apart():
    h264 = b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in (SPS, PPS, IDR + b"x"))
    (picture,) = take(BUILDERS[H264](), (0, h264, True))
    assert picture.content == annex_b(SPS, PPS, IDR + b"x")
    h265 = b"\x60\x01" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in (VPS_265, SPS_265, IDR_265 + b"x"))
    (picture,) = take(BUILDERS[H265](), (0, h265, True))
    assert picture.content == annex_b(VPS_265, SPS_265, IDR_265 + b"x")
    assert picture.keyframe


def test_without_markers_the_next_time_ends_a_picture():
    builder = BUILDERS[H264]()
    assert take(builder, (0, IDR + b"1", False), (0, NEXT_SLICE + b"2", False)) == []
    (picture,) = take(builder, (3000, SLICE + b"3", False))
    assert (picture.stamp, picture.content) == (0, annex_b(IDR + b"1", NEXT_SLICE + b"2"))


def test_a_marker_behind_parameters_ends_no_picture():
    builder = BUILDERS[H264]()
    (picture,) = take(builder, (0, SPS, True), (0, PPS, True), (0, IDR + b"1", True))
    assert picture.content == annex_b(SPS, PPS, IDR + b"1")


def test_a_camera_that_marks_each_slice_is_found_out():
    builder = BUILDERS[H264]()
    take(builder, (0, IDR + b"1", True), (0, NEXT_SLICE + b"2", True))
    later = take(builder, *[(stamp, unit, True) for stamp in (3000, 6000, 9000) for unit in (SLICE, NEXT_SLICE)])
    assert [one.content for one in later[1:]] == [annex_b(SLICE, NEXT_SLICE)] * 2


def test_pictures_of_one_time_are_told_apart_by_their_markers():
    found = take(BUILDERS[H264](), (0, IDR + b"1", True), (0, SLICE + b"2", True), (0, SLICE + b"3", True))
    assert [one.content for one in found] == [annex_b(IDR + b"1"), annex_b(SLICE + b"2"), annex_b(SLICE + b"3")]


def test_decoding_may_begin_where_a_recovery_point_is_told():
    buffering, recovery = b"\x00\x02ab", b"\x06\x01\x84"
    (picture,) = take(BUILDERS[H264](), (0, SEI + buffering + recovery + b"\x80", False), (0, SLICE + b"1", True))
    assert picture.keyframe
    (picture,) = take(BUILDERS[H264](), (0, SEI + buffering + b"\x80", False), (0, SLICE + b"1", True))
    assert not picture.keyframe


def test_pieces_without_their_beginning_are_left_out():
    packets = sent(H264, SPS, IDR + body(5000), at_s=0.0)
    (picture,) = take(BUILDERS[H264](), packets[0], *packets[2:], *sent(H264, SLICE + b"1", at_s=0.1))
    assert picture.content == annex_b(SPS, SLICE + b"1"), "the piece's unit is gone, and what follows is whole"


def test_a_picture_without_an_end_is_refused(monkeypatch):
    monkeypatch.setattr(pictures, "MAX_PICTURE_BYTES", 100_000)
    builder = BUILDERS[H264]()
    with pytest.raises(StreamError) as caught:
        take(builder, *[(0, SLICE + body(1400), False)] * 80)
    assert caught.value.kind is Fault.TOO_LARGE


@pytest.mark.parametrize("codec", [H264, H265])
def test_whatever_comes_is_taken_without_an_error(codec):
    rubbish = random.Random(1)
    builder = BUILDERS[codec]()
    for _ in range(20_000):
        payload = rubbish.randbytes(rubbish.choice([0, 1, 2, 3, 4, 9, 40]))
        builder.take(rubbish.randrange(3), memoryview(payload), marker=rubbish.random() < 0.3)
