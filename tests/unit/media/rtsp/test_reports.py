"""RTCP: the time of a sender, and its goodbye, alone and among other reports."""

import random
import struct

import pytest

from marengocam.media.rtsp.reports import ends, sender_report

OURS, OTHER = 0xC0FFEE01, 7
SENDER = struct.pack(">BBHIIIIII", 0x80, 200, 6, OURS, 3_900_000_000, 1 << 31, 77, 0, 0)
EMPTY_RECEIVER = struct.pack(">BBHI", 0x80, 201, 1, OURS)


def goodbye(*sources: int) -> bytes:
    return struct.pack(f">BBH{len(sources)}I", 0x80 | len(sources), 203, len(sources), *sources)


def test_a_sender_report_tells_wall_time_and_stamp() -> None:
    assert sender_report(memoryview(SENDER)) == (3_900_000_000.5, 77)
    assert sender_report(memoryview(EMPTY_RECEIVER + SENDER)) == (3_900_000_000.5, 77)
    assert sender_report(memoryview(SENDER[:19])) is None
    assert sender_report(memoryview(bytes([0x80, 201]) + SENDER[2:])) is None


@pytest.mark.parametrize("content", [goodbye(OURS), EMPTY_RECEIVER + goodbye(OURS), SENDER + goodbye(OTHER, OURS)])
def test_a_source_that_says_goodbye_has_ended(content: bytes) -> None:
    assert ends(memoryview(content), OURS)


@pytest.mark.parametrize("content", [b"", SENDER, goodbye(), goodbye(OTHER), goodbye(OURS)[:6], goodbye(OURS)[:3]])
def test_another_report_or_another_sources_goodbye_ends_nothing(content: bytes) -> None:
    assert not ends(memoryview(content), OURS)


def test_any_bytes_are_taken() -> None:
    chance = random.Random(5)
    for _ in range(5000):
        content = bytearray(SENDER + goodbye(OTHER))[: chance.randrange(45)]
        for _ in range(3 if content else 0):
            content[chance.randrange(len(content))] = chance.choice([0, 1, 3, 200, 203, 255])
        assert ends(memoryview(content), OURS) in {True, False}
        sender_report(memoryview(content))
