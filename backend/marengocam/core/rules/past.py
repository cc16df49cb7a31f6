"""What a rule would have done: the live decision, asked about events of the past in their order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from marengocam.core.model import Event
from marengocam.core.rules.decide import Verdict, decide
from marengocam.core.rules.facts import Fired, RuleContext
from marengocam.core.rules.model import Rule


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event and what was around it; the context's firings are not looked at."""

    event: Event
    context: RuleContext


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Which events would have fired, and how often each reason spoke against it."""

    fired: tuple[Event, ...]
    looked_at: int
    reasons: dict[str, int]

    def summary(self, from_at: datetime, to_at: datetime) -> str:
        """Return it as a sentence; the times are those of the owner's clock."""
        count = len(self.fired)
        times = "not at all" if count == 0 else "once" if count == 1 else f"{count} times"
        events = "one event" if self.looked_at == 1 else f"{self.looked_at} events"
        stretch = f"from {from_at:%Y-%m-%d %H:%M} to {to_at:%Y-%m-%d %H:%M %Z}"
        return f"It would have fired {times} {stretch}, of {events}."


def rehearse(rule: Rule, past: Iterable[PastEvent]) -> Rehearsal:
    """Return what a rule, switched on, would have done with events of its types."""
    active = replace(rule, enabled=True)
    fired: list[Event] = []
    so_far: list[Fired] = []
    reasons: dict[str, int] = {}
    looked_at = 0
    for one in past:
        looked_at += 1
        verdict = _verdict(active, one, so_far)
        if verdict.kind == "fire":
            fired.append(one.event)
            so_far.append(Fired(one.event.occurred_at, one.event.camera_id, one.event.person_id))
        else:
            reasons[verdict.reason] = reasons.get(verdict.reason, 0) + 1
    return Rehearsal(tuple(fired), looked_at, reasons)


def _verdict(rule: Rule, one: PastEvent, so_far: Sequence[Fired]) -> Verdict:
    return decide(rule, one.event, replace(one.context, fired=so_far))
