"""What is said about a track, when, and never twice."""

from dataclasses import replace
from datetime import timedelta

from tests.support.resolver_scenes import NOON, ident, person, track

from marengocam.core.identity import Assignment, ClaimedTrack
from marengocam.core.model import EventType
from marengocam.resolver.announce import Belief, announce, event_id, is_news
from marengocam.resolver.resolve import resolve_other

ALICE, BOB = person("Alice"), person("Bob")
NAMES = {one.person_id: one for one in (ALICE, BOB)}


def belief(who=None, maybe=0.0):
    return Belief(ident("identity"), who, 0.97, maybe, {"cues": []})


def before(said=None, *, unknown=False):
    return Assignment(ident("identity"), said, 0.9, "resolver", said, unknown, NOON, alone=True)


def types(said):
    return [event.type for event in said.events]


def test_a_new_track_is_detected_once_and_confirmed_at_once():
    first = announce(ClaimedTrack(track(), 1, None), belief(ALICE), NAMES)
    assert types(first) == [EventType.PERSON_DETECTED, EventType.PERSON_CONFIRMED]
    again = announce(ClaimedTrack(track(), 2, before(ALICE.person_id)), belief(ALICE), NAMES)
    assert again.events == ()


def test_the_event_tells_when_the_evidence_was_seen_and_who_it_was():
    seen = track(end_s=4)
    event = announce(ClaimedTrack(seen, 2, before()), belief(ALICE), NAMES).events[0]
    assert event.occurred_at == seen.last_seen_at
    assert (event.person_name, event.probability) == ("Alice", 0.97)
    assert event.data["evidence"] == {"cues": []}


def test_unknown_is_said_after_the_track_had_its_chance_and_only_once():
    brief = ClaimedTrack(track(end_s=1), 2, before())
    assert announce(brief, belief(), NAMES).events == ()
    longer = ClaimedTrack(track(end_s=3), 3, before())
    assert types(announce(longer, belief(), NAMES)) == [EventType.PERSON_UNKNOWN]
    assert announce(replace(longer, assignment=before(unknown=True)), belief(), NAMES).events == ()


def test_a_closed_short_track_is_unknown_but_a_flicker_is_not():
    closed = track(end_s=1, open_=False)
    assert types(announce(ClaimedTrack(closed, 2, before()), belief(), NAMES)) == [EventType.PERSON_UNKNOWN]
    flicker = replace(closed, observations=1)
    assert announce(ClaimedTrack(flicker, 2, before()), belief(), NAMES).events == ()


def test_a_maybe_is_not_called_unknown():
    assert announce(ClaimedTrack(track(end_s=9), 2, before()), belief(maybe=0.7), NAMES).events == ()


def test_an_unknown_may_be_confirmed_later():
    said = announce(ClaimedTrack(track(end_s=9), 3, before(unknown=True)), belief(ALICE), NAMES)
    assert types(said) == [EventType.PERSON_CONFIRMED]


def test_a_wrong_name_is_corrected_with_who_it_was():
    said = announce(ClaimedTrack(track(), 3, before(ALICE.person_id)), belief(BOB), NAMES)
    (event,) = said.events
    assert event.type is EventType.PERSON_CORRECTED
    assert event.person_id == BOB.person_id
    assert event.data["was_person_name"] == "Alice"
    assert said.person_id == BOB.person_id


def test_a_name_that_no_longer_holds_is_taken_back():
    said = announce(ClaimedTrack(track(), 3, before(ALICE.person_id)), belief(), NAMES)
    (event,) = said.events
    assert event.type is EventType.PERSON_UNKNOWN
    assert event.data["was_person_name"] == "Alice"
    assert (said.person_id, said.unknown) == (None, True)


def test_each_zone_is_entered_once_per_track():
    seen = track(zones=("door", "yard", "door"))
    said = announce(ClaimedTrack(seen, 2, before()), belief(), NAMES)
    assert [event.data["zone"] for event in said.events] == ["door", "yard"]
    ids = {event.event_id for event in said.events}
    assert ids == {event_id(seen.local_track_id, EventType.ZONE_ENTERED, zone) for zone in ("door", "yard")}


def test_the_same_fact_has_the_same_id_whoever_says_it():
    one, other = (announce(ClaimedTrack(track(), 1, None), belief(ALICE), NAMES).events for _ in range(2))
    assert [event.event_id for event in one] == [event.event_id for event in other]


def test_a_humans_word_is_news_for_open_and_recent_tracks_only():
    closed = track(end_s=10, open_=False)
    assert is_news(track(end_s=10), NOON + timedelta(hours=5))
    assert is_news(closed, NOON + timedelta(seconds=69))
    assert not is_news(closed, NOON + timedelta(seconds=71))


def test_movement_is_told_once_as_what_it_is_and_without_a_zone_event():
    moved = replace(track(), label="movement", zones=("garden",))
    (event,) = resolve_other(ClaimedTrack(moved, 1, None)).events
    assert event.type is EventType.MOVEMENT_SEEN
    assert event.zones == ("garden",)
    assert event.person_id is None
    (again,) = resolve_other(ClaimedTrack(moved, 2, None)).events
    assert again.event_id == event.event_id


def test_what_comes_to_hold_again_is_told_again():
    """Facts that are repeated after others are facts of their own; carried out twice, one is the same."""
    said, unknown, ids = None, False, []
    for revision, who in enumerate((None, ALICE, None, ALICE, BOB, ALICE, BOB), start=2):
        claimed = ClaimedTrack(track(end_s=9), revision, before(said, unknown=unknown))
        one = announce(claimed, belief(who), NAMES)
        (event,) = one.events
        assert event.event_id == announce(claimed, belief(who), NAMES).events[0].event_id
        ids.append(event.event_id)
        said, unknown = one.person_id, one.unknown
    assert len(set(ids)) == len(ids)
