"""Events in, firings out: asks the pure decision, notes what fires, has its actions started."""

from collections.abc import Mapping
from datetime import datetime

from marengocam.automation.actions import Actions, Firing
from marengocam.core.clock import Clock
from marengocam.core.ids import new_id
from marengocam.core.model import Event
from marengocam.core.rules.decide import LATE_AFTER_S, decide, event_reason
from marengocam.core.rules.model import Rule
from marengocam.core.rules.place import Place
from marengocam.core.rules.told import event_values
from marengocam.db.firings import Firing as FiringRow
from marengocam.db.hub import Hub
from marengocam.runtime.rule_facts import RuleFacts

WAITING_AT_ONCE = 200


def is_late(event: Event, now: datetime) -> bool:
    """Return whether an event is told long after it happened."""
    return (now - event.occurred_at).total_seconds() > LATE_AFTER_S


class Engine:
    """Decides on events one after the other; each call may raise HubUnavailableError and may then be repeated."""

    def __init__(self, hub: Hub, clock: Clock, place: Place, actions: Actions) -> None:
        self._hub = hub
        self._clock = clock
        self._place = place
        self._facts = RuleFacts(hub, place)
        self._actions = actions
        self.fired = 0

    async def handle(self, event: Event, rules: list[Rule], cameras: Mapping[str, str]) -> None:
        """Decide on a new event for every rule."""
        for rule in rules:
            if not event_reason(rule, event):
                await self._decide(rule, event, cameras, waited=False)

    async def look_again(self, rules: list[Rule], cameras: Mapping[str, str]) -> datetime | None:
        """Decide on what was waited for and is due; return when the next is."""
        by_id = {rule.rule_id: rule for rule in rules}
        for one in await self._hub.firings.waiting(self._clock.now(), WAITING_AT_ONCE):
            if one.rule_id in by_id:
                await self._decide(by_id[one.rule_id], one.event, cameras, waited=True)
        return await self._hub.firings.next_wait()

    async def _decide(self, rule: Rule, event: Event, cameras: Mapping[str, str], *, waited: bool) -> None:
        now = self._clock.now()
        verdict = decide(rule, event, await self._facts.context(rule, event, now))
        if verdict.kind == "wait" and verdict.again_at is not None:
            await self._hub.firings.wait(rule.rule_id, event.number, verdict.again_at)
            return
        if verdict.kind == "fire":
            await self._fire(rule, event, cameras, now)
        if waited:
            await self._hub.firings.wait_no_more(rule.rule_id, event.number)

    async def _fire(self, rule: Rule, event: Event, cameras: Mapping[str, str], now: datetime) -> None:
        """Note the firing first: over a crash between the two an action is rather missed than done twice."""
        row = FiringRow(
            firing_id=new_id(now),
            rule_id=rule.rule_id,
            rule_name=rule.name,
            event_number=event.number,
            event_type=str(event.type),
            occurred_at=event.occurred_at,
            fired_at=now,
            camera_id=event.camera_id,
            person_id=event.person_id,
            person_name=event.person_name,
        )
        if await self._hub.firings.add(row):
            self.fired += 1
            told = event_values(event, late=is_late(event, now), names=cameras)
            await self._actions.start(Firing(row.firing_id, rule, event, told, self._place))
