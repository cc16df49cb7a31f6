"""The queue before the decoder: bounded, and what is dropped is dropped whole."""

from datetime import UTC, datetime
from types import SimpleNamespace

from marengocam.ingest.decode_queue import DecodeQueue, QueuedPacket
from marengocam.media.stream import StreamInfo, StreamPacket

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
INFO = StreamInfo("h264", 320, 180, 10.0, None, b"")


def offer(queue: DecodeQueue, kinds: str, start: int = 0) -> None:
    """Offer one packet per letter: K a keyframe, p another."""
    for number, kind in enumerate(kinds, start):
        packet = StreamPacket(SimpleNamespace(size=1), NOON, float(number), kind == "K", jumped=False)
        queue.offer(QueuedPacket(packet, 1, INFO, None))


def left(queue: DecodeQueue) -> str:
    kinds = ""
    while (queued := queue.take(0)) is not None:
        kinds += "K" if queued.packet.keyframe else "p"
    return kinds


def test_packets_come_out_as_they_came_in() -> None:
    queue = DecodeQueue(10)
    offer(queue, "KppKpp")
    assert (left(queue), queue.lost) == ("KppKpp", 0)


def test_a_full_queue_drops_its_oldest_group_of_pictures() -> None:
    queue = DecodeQueue(6)
    offer(queue, "KppKppK")
    assert (left(queue), queue.lost) == ("KppK", 3)


def test_when_a_single_group_overflows_nothing_of_it_is_decoded_any_more() -> None:
    queue = DecodeQueue(4)
    offer(queue, "Kpppp")
    assert (len(queue), queue.lost) == (0, 5)
    offer(queue, "ppKp")
    assert (left(queue), queue.lost) == ("Kp", 7)


def test_an_empty_queue_gives_nothing_after_the_wait() -> None:
    assert DecodeQueue().take(0.01) is None
