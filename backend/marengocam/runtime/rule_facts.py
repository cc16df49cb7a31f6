"""Gathers what a decision about a rule needs: for an event now, or for many of the past."""

import os
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marengocam.core.model import Event
from marengocam.core.rules.facts import RuleContext, Stay, TrackFacts, present_at
from marengocam.core.rules.model import Rule
from marengocam.core.rules.past import PastEvent
from marengocam.core.rules.place import Place
from marengocam.core.rules.schema import Possible
from marengocam.core.visits import LEFT_AFTER
from marengocam.db.hub import Hub
from marengocam.settings import Settings

MAX_PAST_EVENTS = 20_000
TRACKS_AT_ONCE = 1000


def place_of(settings: Settings) -> Place:
    """Return where the owner lives, as the settings say; the time zone may come from TZ, as containers have it."""
    name = settings.time_zone or os.environ.get("TZ", "")
    try:
        zone = ZoneInfo(name) if name else None
    except (ValueError, OSError, ZoneInfoNotFoundError):
        zone = None
    return Place(settings.latitude, settings.longitude, zone)


def possible_with(settings: Settings) -> Possible:
    """Return what rules may ask for in this installation."""
    return Possible(location=settings.latitude is not None and settings.longitude is not None)


class RuleFacts:
    """Asks the hub for no more than the rule at hand needs."""

    def __init__(self, hub: Hub, place: Place) -> None:
        self._hub = hub
        self._place = place

    async def context(self, rule: Rule, event: Event, now: datetime) -> RuleContext:
        """Return what is around an event; raises HubUnavailableError."""
        wanted, at = rule.conditions, event.occurred_at
        stays = await self._hub.firings.stays(at - LEFT_AFTER, at) if wanted.presence is not None else []
        sights = await self._hub.firings.track_facts([event]) if wanted.dwell_s is not None else {}
        return RuleContext(
            now=now,
            local=self._place.local(at),
            sun=self._place.sun(at) if wanted.sun is not None else None,
            present=present_at(stays, at),
            track=sights.get(event.number),
            fired=await self._hub.firings.near(rule, event),
        )

    async def past(self, rule: Rule, from_at: datetime, to_at: datetime) -> list[PastEvent]:
        """Return the events of a rule's types in a stretch of time, the newest MAX_PAST_EVENTS, each as it came."""
        events = await self._hub.firings.past_events(rule.event_types, from_at, to_at, MAX_PAST_EVENTS)
        wanted = rule.conditions
        stays = await self._hub.firings.stays(from_at - LEFT_AFTER, to_at) if wanted.presence is not None else []
        sights: dict[int, TrackFacts] = {}
        if wanted.dwell_s is not None:
            for first in range(0, len(events), TRACKS_AT_ONCE):
                sights |= await self._hub.firings.track_facts(events[first : first + TRACKS_AT_ONCE])
        return [self._past(event, rule, stays, sights.get(event.number)) for event in events]

    def _past(self, event: Event, rule: Rule, stays: Sequence[Stay], track: TrackFacts | None) -> PastEvent:
        at = event.occurred_at
        context = RuleContext(
            now=event.recorded_at,
            local=self._place.local(at),
            sun=self._place.sun(at) if rule.conditions.sun is not None else None,
            present=present_at(stays, at),
            track=track,
        )
        return PastEvent(event, context)
