"""When a camera is recorded: by mode, by what analysis saw last, and the pre-roll that is kept until then."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from marengocam.core.camera_options import Recording, RecordingMode
from marengocam.ingest.recording_modes import ANSWER_WITHIN_S, BLIND_LIMIT, PreRoll, Sights, records, seen_until
from marengocam.media.sound import SoundPacket
from marengocam.media.stream import StreamPacket

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MOTION = Recording(RecordingMode.MOTION, pre_roll_s=3, post_roll_s=10)
PERSON = Recording(RecordingMode.PERSON, pre_roll_s=3, post_roll_s=10)


@dataclass
class Bytes:
    """A packet as far as the pre-roll looks at one."""

    size: int


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def picture(at_s: float, *, keyframe: bool = False, jumped: bool = False, size: int = 10) -> StreamPacket:
    return StreamPacket(Bytes(size), after(at_s), at_s, keyframe, jumped)


def seen(*, motion_s: float | None = None, person_s: float | None = None, looked_s: float = 0.0) -> Sights:
    return Sights(
        looked_at=after(looked_s),
        motion_at=None if motion_s is None else after(motion_s),
        person_at=None if person_s is None else after(person_s),
    )


def test_always_and_off_do_not_ask_what_is_seen():
    assert records(Recording(RecordingMode.ALWAYS), seen(), NOON)
    assert not records(Recording(RecordingMode.OFF), seen(motion_s=0, person_s=0), NOON)


@pytest.mark.parametrize(
    ("recording", "sights", "recorded"),
    [
        (MOTION, seen(), False),
        (MOTION, seen(motion_s=-9), True),
        (MOTION, seen(motion_s=-11), False),
        (PERSON, seen(motion_s=0), False),
        (PERSON, seen(motion_s=0, person_s=-9), True),
        (PERSON, seen(motion_s=0, person_s=-11), False),
    ],
)
def test_recording_goes_on_until_the_post_roll_is_over(recording, sights, recorded):
    assert records(recording, sights, NOON) is recorded


def test_what_nobody_looks_at_is_recorded():
    assert records(MOTION, Sights(), NOON), "no frame was analysed yet"
    blind = seen(looked_s=-BLIND_LIMIT.total_seconds() - 1)
    assert records(PERSON, blind, NOON), "analysis has stopped"


@pytest.mark.parametrize("mode", [RecordingMode.MOTION, RecordingMode.PERSON])
def test_who_may_have_come_since_the_last_look_is_recorded_until_there_is_another_and_the_post_roll_is_over(mode):
    brief = Recording(mode, pre_roll_s=1, post_roll_s=2)
    sights = seen(looked_s=0)
    sights.unsure_at = after(5)
    assert records(brief, sights, after(5.1))
    assert records(brief, sights, after(9.9))
    sights.note(after(6.9), motion=False, person=False)
    assert records(brief, sights, after(6.9))
    sights.note(after(7.1), motion=False, person=False)
    assert not records(brief, sights, after(7.1))


def test_only_a_look_that_takes_long_has_everything_recorded():
    sights = Sights()
    assert not sights.waits(100.0)
    sights.asked_since_s = 100.0
    assert not sights.waits(100.0 + ANSWER_WITHIN_S)
    assert sights.waits(100.1 + ANSWER_WITHIN_S)


@pytest.mark.parametrize("behind_s", [0.1, 4.0, 8.0])
def test_analysis_that_is_behind_still_has_recorded_what_it_sees_with_the_moments_before_and_after(behind_s):
    brief = Recording(RecordingMode.PERSON, pre_roll_s=3, post_roll_s=2)
    ring, sights, written, came_s, gone_s = PreRoll(brief.pre_roll_s), Sights(), [], 30.0, 40.0
    for number in range(700):
        at_s = number / 10
        packet = picture(at_s, keyframe=number % 10 == 0)
        looked_s = at_s - behind_s
        sights.note(after(looked_s), motion=False, person=came_s <= looked_s <= gone_s)
        if records(brief, sights, packet.at):
            written += [*ring.take(seen_until(sights, packet.at)), packet]
        else:
            ring.add(packet, seen_until(sights, packet.at))
    assert written[0].at <= after(came_s - brief.pre_roll_s)
    assert written[-1].at >= after(gone_s + brief.post_roll_s - 0.1)
    assert [one.at for one in written] == [after(number / 10) for number in range(700)][
        round((written[0].at - NOON).total_seconds() * 10) :
    ][: len(written)], "without a break"
    assert written[0].at > after(came_s - brief.pre_roll_s - 1), "and no group of pictures more than is needed"
    assert written[-1].at < after(gone_s + brief.post_roll_s + behind_s + 0.2)


@pytest.mark.parametrize("brief", [MOTION, PERSON])
def test_what_came_while_nobody_looked_is_recorded_from_the_last_look_on(brief):
    ring, sights, written, last_s = PreRoll(brief.pre_roll_s), Sights(), [], 30.0
    for number in range(700):
        at_s = number / 10
        packet = picture(at_s, keyframe=number % 10 == 0)
        if at_s <= last_s:  # then analysis hangs
            sights.note(after(at_s), motion=False, person=False)
        if records(brief, sights, packet.at):
            written += [*ring.take(seen_until(sights, packet.at)), packet]
        else:
            ring.add(packet, seen_until(sights, packet.at))
    assert written[0].at <= after(last_s - brief.pre_roll_s)
    assert [one.at for one in written] == [after(number / 10) for number in range(700)][-len(written) :]


def test_a_clock_that_was_set_back_does_not_record_for_ever():
    assert not records(MOTION, seen(motion_s=3600), NOON)


def test_the_pre_roll_begins_with_a_keyframe_and_covers_its_length():
    ring = PreRoll(3.0)
    for number in range(100):
        ring.add(picture(number / 10, keyframe=number % 10 == 0))
    kept = list(ring.take())
    assert kept[0].keyframe
    assert 3.0 <= (after(9.9) - kept[0].at).total_seconds() < 4.1
    assert [packet.at for packet in kept] == sorted(packet.at for packet in kept)
    assert list(ring.take()) == [], "what was taken is not given twice"


def test_packets_before_the_first_keyframe_are_not_kept():
    ring = PreRoll(3.0)
    ring.add(picture(0))
    ring.add(SoundPacket(Bytes(5), 0.0))
    assert list(ring.take()) == []


def test_sound_stays_between_its_pictures():
    ring = PreRoll(3.0)
    sound = SoundPacket(Bytes(5), 0.05)
    first, second = picture(0, keyframe=True), picture(0.1)
    for packet in (first, sound, second):
        ring.add(packet)
    assert list(ring.take()) == [first, sound, second]


def test_the_pre_roll_is_bounded_in_bytes_and_begins_with_a_keyframe_all_the_same():
    ring = PreRoll(3600.0, limit_bytes=1000)
    for number in range(500):
        ring.add(picture(number / 10, keyframe=number % 20 == 0))
        assert ring.size_bytes <= 1000
    assert next(ring.take()).keyframe
    flood = PreRoll(3600.0, limit_bytes=1000)
    flood.add(picture(0, keyframe=True))
    for number in range(1, 300):
        flood.add(picture(number / 10))
    assert list(flood.take()) == [], "one endless group of pictures is not kept at all"


def test_what_was_before_a_jump_of_time_is_no_pre_roll():
    ring = PreRoll(60.0)
    ring.add(picture(0, keyframe=True))
    ring.add(picture(40, keyframe=True, jumped=True))
    assert [packet.at for packet in ring.take()] == [after(40)]
