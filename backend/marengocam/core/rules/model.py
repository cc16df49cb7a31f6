"""What a rule is: events it waits for, conditions that must all hold, a limit, and what is done then."""

from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Literal
from uuid import UUID

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # in the order of datetime.weekday()
SunTime = Literal["dawn", "sunrise", "noon", "sunset", "dusk"]
LimitBy = Literal["rule", "camera", "person"]


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """A part of the day by the local clock, over midnight when it ends before it begins; an open side is midnight."""

    after: time | None = None
    before: time | None = None


@dataclass(frozen=True, slots=True)
class SunWindow:
    """A part of the day by the sun: up or down, or between two of its times; offsets are added to those."""

    state: Literal["up", "down"] | None = None
    after: SunTime | None = None
    after_offset_min: float = 0.0
    before: SunTime | None = None
    before_offset_min: float = 0.0


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is, and who is not, on the property at that moment, as far as cameras see."""

    present: tuple[str, ...] = ()  # names or person ids; all of them
    absent: tuple[str, ...] = ()  # none of them
    anybody: bool | None = None  # whether any person with a name is, besides the one the event is about


@dataclass(frozen=True, slots=True)
class Conditions:
    """What must hold; each list takes any of its entries, an empty one takes everything."""

    persons: tuple[str, ...] = ()  # names, whatever the case, or person ids
    identity: tuple[str, ...] = ()  # known, unknown, undecided
    cameras: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    min_probability: float | None = None
    max_probability: float | None = None
    time: TimeWindow | None = None
    sun: SunWindow | None = None
    weekdays: tuple[str, ...] = ()
    presence: Presence | None = None
    dwell_s: float | None = None  # still there (in the zone, for zone_entered) so long after the event


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Fires at most so often in so many seconds, counted apart for each camera or person if wanted."""

    at_most: int
    per_s: float
    by: LimitBy = "rule"


@dataclass(frozen=True, slots=True)
class PublishMqtt:
    """Publish to the broker; without a payload the event itself, as JSON."""

    topic: str
    payload: Any = None
    retain: bool = False


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """POST to an address, signed; without a body the event itself, as JSON."""

    url: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class TellHomeAssistant:
    """Have the integration fire `marengocam_rule_fired` on Home Assistant's bus, with this name and data."""

    name: str
    data: Any = None


@dataclass(frozen=True, slots=True)
class KeepClip:
    """Mark the moment, so that it is found again and kept."""

    label: str
    before_s: float = 10.0
    after_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Record:
    """Record cameras that are recorded on motion or persons only; none named: the event's."""

    duration_s: float
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SetPrivacy:
    """Switch privacy mode."""

    enabled: bool


Action = PublishMqtt | CallWebhook | TellHomeAssistant | KeepClip | Record | SetPrivacy


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; `late` also acts on events that are told long after they happened."""

    rule_id: UUID
    name: str
    event_types: tuple[str, ...]
    actions: tuple[Action, ...]
    created_at: datetime
    enabled: bool = True
    late: bool = False
    conditions: Conditions = field(default_factory=Conditions)
    limit: RateLimit | None = None
