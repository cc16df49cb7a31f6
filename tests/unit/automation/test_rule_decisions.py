"""When a rule fires: examples of every condition, and what always holds."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marengocam.core.geometry import Box
from marengocam.core.model import Event, EventType, PathPoint
from marengocam.core.rules.decide import LATE_AFTER_S, decide
from marengocam.core.rules.facts import Fired, RuleContext, Stay, TrackFacts, left_zone_at, present_at
from marengocam.core.rules.model import Conditions, Presence, PublishMqtt, RateLimit, Rule, SunWindow, TimeWindow
from marengocam.core.rules.past import PastEvent, rehearse
from marengocam.core.rules.place import Place

NOW = datetime(2026, 6, 21, 20, 30, tzinfo=UTC)  # a Sunday, half past ten in the evening in Berlin
BERLIN = Place(52.5, 13.4, ZoneInfo("Europe/Berlin"))
ALICE, BOB = uuid4(), uuid4()
EVENT = Event(
    7, uuid4(), EventType.PERSON_CONFIRMED, NOW, NOW, camera_id="yard", local_track_id=uuid4(), identity_id=uuid4(),
    person_id=ALICE, person_name="Alice", probability=0.97, zones=("Path",),
)  # fmt: skip
STRANGER = replace(EVENT, type=EventType.PERSON_UNKNOWN, person_id=None, person_name=None, probability=0.4)
ENTERED = replace(EVENT, type=EventType.ZONE_ENTERED, zones=("Path", "Pool"), data={"zone": "Pool", "label": "dog"})


def rule(*, types=("person_confirmed", "person_unknown", "zone_entered"), **more):
    conditions = Conditions(**{name: more.pop(name) for name in list(more) if name in Conditions.__slots__})
    return Rule(
        rule_id=UUID(int=1), name="r", event_types=types, actions=(PublishMqtt("t"),), created_at=NOW,
        conditions=conditions, **more,
    )  # fmt: skip


def context(event=EVENT, place=BERLIN, **more):
    at = event.occurred_at
    return RuleContext(**({"now": at, "local": place.local(at), "sun": place.sun(at)} | more))


def fires(one, event=EVENT, **more):
    return decide(one, event, context(event, **more)).kind == "fire"


@pytest.mark.parametrize(
    ("conditions", "event", "wanted"),
    [
        ({}, EVENT, True),
        ({"cameras": ("door", "yard")}, EVENT, True),
        ({"cameras": ("door",)}, EVENT, False),
        ({"zones": ("path",)}, EVENT, True),
        ({"zones": ("pool",)}, EVENT, False),
        ({"zones": ("Pool",)}, ENTERED, True),
        ({"zones": ("Path",)}, ENTERED, False),  # that one was entered earlier
        ({"labels": ("person",)}, EVENT, True),
        ({"labels": ("person",)}, ENTERED, False),
        ({"labels": ("dog",)}, ENTERED, True),
        ({"persons": ("ALICE",)}, EVENT, True),
        ({"persons": (str(ALICE),)}, EVENT, True),
        ({"persons": ("Bob",)}, EVENT, False),
        ({"identity": ("known",)}, EVENT, True),
        ({"identity": ("unknown",)}, EVENT, False),
        ({"identity": ("unknown",)}, STRANGER, True),
        ({"identity": ("undecided",)}, replace(STRANGER, type=EventType.ZONE_ENTERED), True),
        ({"min_probability": 0.97}, EVENT, True),
        ({"min_probability": 0.98}, EVENT, False),
        ({"max_probability": 0.5}, EVENT, False),
        ({"max_probability": 0.5}, STRANGER, True),
        ({"weekdays": ("sun",)}, EVENT, True),
        ({"weekdays": ("mon", "sat")}, EVENT, False),
        ({"time": TimeWindow(time(22), time(6))}, EVENT, True),
        ({"time": TimeWindow(time(6), time(22))}, EVENT, False),
        ({"time": TimeWindow(after=time(22, 30))}, EVENT, True),
        ({"time": TimeWindow(before=time(22, 30))}, EVENT, False),
        ({"sun": SunWindow(state="down")}, EVENT, True),  # it set at 21:33
        ({"sun": SunWindow(after="sunset", before="sunrise")}, EVENT, True),
        ({"sun": SunWindow(after="sunset", after_offset_min=60)}, EVENT, False),
        ({"sun": SunWindow(before="sunset")}, EVENT, False),
        ({"cameras": ("yard",), "persons": ("Bob",)}, EVENT, False),
    ],
)
def test_every_condition_must_hold(conditions, event, wanted):
    assert fires(rule(**conditions), event) is wanted


def test_other_types_resting_rules_and_what_rules_made_do_not_fire():
    assert not fires(rule(types=("camera_offline",)))
    assert not fires(rule(enabled=False))
    assert not fires(rule(), replace(EVENT, data={"rule_id": "x"}))


def test_the_day_of_the_week_is_the_owners():
    assert fires(rule(weekdays=("mon",)), replace(EVENT, occurred_at=NOW.replace(hour=22)))


def test_where_the_sun_does_not_set_the_rule_says_so_and_up_and_down_still_hold():
    tromso = Place(69.6, 18.9, ZoneInfo("Europe/Oslo"))
    assert fires(rule(sun=SunWindow(state="up")), place=tromso)
    verdict = decide(rule(sun=SunWindow(after="sunset")), EVENT, context(place=tromso))
    assert (verdict.kind, verdict.reason) == ("no", "there is no sunset on that day at that place")
    unplaced = decide(rule(sun=SunWindow(state="up")), EVENT, context(place=Place()))
    assert "set latitude and longitude" in unplaced.reason


def test_presence_is_who_was_seen_shortly_before():
    def stay(person, name, from_min, to_min, *, still=False):
        return Stay(person, name, NOW - timedelta(minutes=from_min), NOW - timedelta(minutes=to_min), still)

    here = present_at([stay(ALICE, "Alice", 5, 1), stay(BOB, "Bob", 30, 10)], NOW)
    assert {one.name for one in here} == {"Alice"}
    assert fires(rule(presence=Presence(present=("alice",), absent=("Bob",))), present=here)
    assert not fires(rule(presence=Presence(present=("Bob",))), present=here)
    assert not fires(rule(presence=Presence(absent=("Alice",))), present=here)
    assert fires(rule(presence=Presence(anybody=False)), present=here), "Alice herself does not count"
    assert fires(rule(presence=Presence(anybody=True)), STRANGER, present=here)
    assert present_at([stay(BOB, "Bob", 30, 10, still=True)], NOW), "an open track is still there"


def test_dwelling_is_waited_for():
    loiters = rule(dwell_s=20)
    facts = TrackFacts(NOW + timedelta(seconds=5), open=True)
    waits = decide(loiters, EVENT, context(track=facts))
    assert (waits.kind, waits.again_at) == ("wait", NOW + timedelta(seconds=20))
    assert fires(loiters, track=TrackFacts(NOW + timedelta(seconds=20), open=True))
    assert not fires(loiters, track=TrackFacts(NOW + timedelta(seconds=19), open=False))
    assert not fires(loiters, track=replace(facts, left_zone_at=NOW + timedelta(seconds=3)))
    assert decide(loiters, EVENT, context(track=facts, now=NOW + timedelta(seconds=60))).kind == "no", "lost sight of"
    assert decide(loiters, EVENT, context()).reason.startswith("how long it stayed is not known")


def test_a_zone_is_left_when_the_foot_stays_outside():
    def at(seconds, x):
        return PathPoint(NOW + timedelta(seconds=seconds), Box(x, 0.1, x + 0.1, 0.5), 0.9)

    left_half = [(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]
    wavers = [at(0, 0.2), at(1, 0.6), at(2, 0.2), at(3, 0.6), at(4, 0.6), at(5, 0.6)]
    assert left_zone_at(wavers, left_half, NOW) == NOW + timedelta(seconds=3)
    assert left_zone_at(wavers[:4], left_half, NOW) is None


def test_late_events_fire_only_rules_that_ask_for_them():
    late = {"now": NOW + timedelta(seconds=LATE_AFTER_S + 1)}
    assert not fires(rule(), **late)
    assert fires(rule(late=True), **late)
    stayed = TrackFacts(NOW + timedelta(seconds=60), open=False)
    assert fires(rule(dwell_s=20), **late, track=stayed), "what was waited for is not late for that"


@pytest.mark.parametrize(
    ("by", "camera", "person", "wanted"),
    [
        ("rule", "door", BOB, False),
        ("camera", "door", ALICE, True),
        ("camera", "yard", BOB, False),
        ("person", "yard", BOB, True),
        ("person", "door", ALICE, False),
    ],
)
def test_a_limit_counts_for_all_or_apart(by, camera, person, wanted):
    fired = [Fired(NOW - timedelta(seconds=299), camera, person)]
    assert fires(rule(limit=RateLimit(1, 300, by)), fired=fired) is wanted
    assert fires(rule(limit=RateLimit(1, 299, by)), fired=fired)
    assert fires(rule(limit=RateLimit(2, 300, by)), fired=fired)


MINUTES = st.integers(0, 24 * 60 - 1)


@given(MINUTES, MINUTES, MINUTES)
def test_a_window_and_the_one_the_other_way_round_share_the_day(start, end, now):
    event = replace(EVENT, occurred_at=NOW.replace(hour=now // 60, minute=now % 60))
    bounds = [time(one // 60, one % 60) for one in (start, end)]
    inside = fires(rule(time=TimeWindow(*bounds)), event, place=Place(zone=UTC))
    outside = fires(rule(time=TimeWindow(*reversed(bounds))), event, place=Place(zone=UTC))
    assert (inside != outside) is (start != end)


FEW = st.lists(st.sampled_from(["yard", "door", "Alice", "Bob", "Path", "Pool"]), max_size=2).map(tuple)


@given(FEW, FEW, FEW, st.none() | st.floats(0, 1), st.sampled_from([EVENT, STRANGER, ENTERED]))
def test_a_condition_taken_away_never_keeps_a_rule_from_firing(cameras, zones, persons, least, event):
    wanted = {"cameras": cameras, "zones": zones, "persons": persons, "min_probability": least}
    if fires(rule(**wanted), event):
        for name in wanted:
            assert fires(rule(**{other: value for other, value in wanted.items() if other != name}), event)


@given(st.lists(st.integers(0, 3600), max_size=40), st.integers(1, 4), st.integers(1, 900))
def test_no_stretch_of_a_limit_ever_holds_more_firings_than_allowed(ages_s, at_most, per_s):
    events = [replace(EVENT, number=n, occurred_at=NOW + timedelta(seconds=age)) for n, age in enumerate(ages_s)]
    past = [PastEvent(event, context(event, sun=None)) for event in events]
    found = rehearse(rule(limit=RateLimit(at_most, per_s)), past)
    times = sorted(event.occurred_at for event in found.fired)
    for first, last in zip(times, times[at_most:], strict=False):
        assert (last - first).total_seconds() >= per_s
    assert len(found.fired) + sum(found.reasons.values()) == found.looked_at == len(events)
    assert bool(found.fired) is bool(events), "the first one always fires"
