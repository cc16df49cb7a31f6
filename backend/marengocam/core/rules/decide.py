"""Does an event fire a rule? Pure; what runs live and what is tried on the past ask the same function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from datetime import time as clock_time
from typing import Literal, TypeVar

from marengocam.core.model import Event, EventType
from marengocam.core.rules.facts import Fired, RuleContext, Stay, TrackFacts
from marengocam.core.rules.model import WEEKDAYS, Conditions, Presence, RateLimit, Rule, SunWindow, TimeWindow

LATE_AFTER_S = 30.0
HORIZON_DEG = -0.833  # the sun's upper edge, refraction included
SIGHT_SLACK_S = 20.0  # a track still open that nobody has heard of for so long is not waited for
LOOK_AGAIN_S = 1.0
PERSON_TYPES = frozenset({"person_detected", "person_confirmed", "person_unknown", "person_corrected", "visit_ended"})
MADE_BY_RULE = "rule_id"  # in the data of events that a rule's action wrote
Moment = TypeVar("Moment", datetime, clock_time)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule fires, and why not; `wait` is to be decided again at `again_at`."""

    kind: Literal["fire", "no", "wait"]
    reason: str = ""
    again_at: datetime | None = None


FIRE = Verdict("fire")


def decide(rule: Rule, event: Event, context: RuleContext) -> Verdict:
    """Return whether an event fires a rule in a context; `reason` says to an owner why not."""
    reason = event_reason(rule, event) or circumstance_reason(rule.conditions, event, context)
    if reason:
        return Verdict("no", reason)
    if rule.conditions.dwell_s is not None:
        verdict = _dwelt(event, rule.conditions.dwell_s, context)
        if verdict.kind != "fire":
            return verdict
    due = event.occurred_at + timedelta(seconds=rule.conditions.dwell_s or 0.0)
    if not rule.late and (context.now - due).total_seconds() > LATE_AFTER_S:
        return Verdict("no", "the event came late, and this rule does not act on late events")
    if rule.limit is not None and _exhausted(rule.limit, event, context.fired):
        times = "once" if rule.limit.at_most == 1 else f"{rule.limit.at_most} times"
        return Verdict("no", f"it has fired {times} within {rule.limit.per_s:g} s")
    return FIRE


def event_reason(rule: Rule, event: Event) -> str:
    """Return why an event by itself does not fit a rule, "" when it does: what is cheap comes first."""
    wanted = rule.conditions
    checks = (
        (rule.enabled, "the rule is switched off"),
        (event.type in rule.event_types, "another type of event"),
        (MADE_BY_RULE not in event.data, "a rule made this event"),
        (_any_of(wanted.cameras, [event.camera_id]), "another camera"),
        (_any_of(wanted.zones, zones_of(event)), "another zone"),
        (_any_of(wanted.labels, [label_of(event)]), "another label"),
        (_any_of(wanted.identity, [identity_state(event)]), "another identity state"),
        (_any_of(wanted.persons, [event.person_name, event.person_id]), "another person"),
        (wanted.min_probability is None or (event.probability or 0.0) >= wanted.min_probability, "not sure enough"),
        (wanted.max_probability is None or (event.probability or 0.0) <= wanted.max_probability, "too sure"),
    )
    return next((reason for holds, reason in checks if not holds), "")


def circumstance_reason(wanted: Conditions, event: Event, context: RuleContext) -> str:
    """Return why the circumstances of an event do not fit, "" when they do."""
    if wanted.weekdays and WEEKDAYS[context.local.weekday()] not in wanted.weekdays:
        return "another day of the week"
    if wanted.time is not None and not _in_time(wanted.time, context.local):
        return "another time of day"
    if wanted.sun is not None and (reason := _sun_reason(wanted.sun, event.occurred_at, context)):
        return reason
    if wanted.presence is not None:
        return _presence_reason(wanted.presence, event, context.present)
    return ""


def identity_state(event: Event) -> str | None:
    """Return whether an event names somebody (known), says that nobody does (unknown), or is open (undecided)."""
    if event.person_id is not None or event.person_name is not None:
        return "known"
    if event.type in {EventType.PERSON_UNKNOWN, EventType.VISIT_ENDED}:
        return "unknown"
    return "undecided" if event.identity_id is not None or event.local_track_id is not None else None


def zones_of(event: Event) -> tuple[str, ...]:
    """Return the zones an event is about: the one just entered, else all that were."""
    if event.type == EventType.ZONE_ENTERED:
        return (str(event.data.get("zone", "")),)
    return event.zones


def label_of(event: Event) -> str | None:
    """Return what the event is about, such as person or dog."""
    label = event.data.get("label")
    if isinstance(label, str):
        return label
    return "person" if event.type in PERSON_TYPES else None


def _any_of(wanted: Sequence[str], given: Sequence[object]) -> bool:
    """Compare as people do: whatever the case."""
    return not wanted or not {one.casefold() for one in wanted}.isdisjoint(
        str(one).casefold() for one in given if one is not None
    )


def _within(start: Moment | None, end: Moment | None, at: Moment) -> bool:
    """Return whether `at` lies from start to before end, over midnight when they stand the other way round."""
    if start is None or end is None:
        return (start is None or at >= start) and (end is None or at < end)
    return start <= at < end if start <= end else at >= start or at < end


def _in_time(window: TimeWindow, local: datetime) -> bool:
    return _within(window.after, window.before, local.time())


def _sun_reason(window: SunWindow, at: datetime, context: RuleContext) -> str:
    sun = context.sun
    if sun is None:
        return "the sun's times are not known: set latitude and longitude"
    if window.state is not None and (window.state == "up") != (sun.elevation_deg > HORIZON_DEG):
        return f"the sun is not {window.state}"
    limits: list[datetime | None] = []
    for name, offset_min in ((window.after, window.after_offset_min), (window.before, window.before_offset_min)):
        found = sun.times.get(name) if name else None
        if name and found is None:
            return f"there is no {name} on that day at that place"
        limits.append(found + timedelta(minutes=offset_min) if found else None)
    return "" if _within(limits[0], limits[1], at) else "another time by the sun"


def _presence_reason(wanted: Presence, event: Event, present: frozenset[Stay]) -> str:
    here = {word for one in present for word in (one.name.casefold(), str(one.person_id))}
    for who in wanted.present:
        if who.casefold() not in here:
            return f"{who} is not there"
    for who in wanted.absent:
        if who.casefold() in here:
            return f"{who} is there"
    others = {one.person_id for one in present} - {event.person_id}
    if wanted.anybody is not None and bool(others) != wanted.anybody:
        return "nobody known is there" if wanted.anybody else "somebody known is there"
    return ""


def _dwelt(event: Event, dwell_s: float, context: RuleContext) -> Verdict:
    track = context.track
    if track is None:
        return Verdict("no", "how long it stayed is not known: its track is deleted, or it has none")
    due = event.occurred_at + timedelta(seconds=dwell_s)
    if _stayed_until(track) >= due:
        return FIRE
    stayed_s = max((_stayed_until(track) - event.occurred_at).total_seconds(), 0.0)
    if not track.open or track.left_zone_at is not None:
        return Verdict("no", f"it stayed {stayed_s:.0f} s")
    if (context.now - due).total_seconds() > SIGHT_SLACK_S:
        return Verdict("no", f"it was seen for {stayed_s:.0f} s, and nothing was heard of it since")
    return Verdict("wait", "it may stay", max(due, context.now + timedelta(seconds=LOOK_AGAIN_S)))


def _stayed_until(track: TrackFacts) -> datetime:
    return min(track.last_seen_at, track.left_zone_at or track.last_seen_at)


def _exhausted(limit: RateLimit, event: Event, fired: Sequence[Fired]) -> bool:
    """Count firings shortly after as well: events do not always come in the order in which they happened."""
    near = [one for one in fired if abs((event.occurred_at - one.at).total_seconds()) < limit.per_s]
    if limit.by == "camera":
        near = [one for one in near if one.camera_id == event.camera_id]
    elif limit.by == "person":
        near = [one for one in near if one.person_id == event.person_id]
    return len(near) >= limit.at_most
