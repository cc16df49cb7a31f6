"""What a rule that fires has done: started here, never waited for; how each ended is noted."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from marengocam.automation.broker import Broker
from marengocam.automation.messages import Ended, Message, topic_problem
from marengocam.automation.outcomes import Outcomes
from marengocam.automation.webhooks import Delivery, Webhooks
from marengocam.core.clock import Clock
from marengocam.core.errors import MarengoCamError
from marengocam.core.ids import new_id
from marengocam.core.model import Event, EventType, NewEvent
from marengocam.core.rules.decide import MADE_BY_RULE
from marengocam.core.rules.model import (
    Action,
    CallWebhook,
    KeepClip,
    PublishMqtt,
    Record,
    Rule,
    SetPrivacy,
    TellHomeAssistant,
)
from marengocam.core.rules.place import Place
from marengocam.core.rules.schema import action_name
from marengocam.core.rules.template import TemplateProblemError, render, render_text, variables
from marengocam.core.rules.told import rule_words
from marengocam.core.rules.webhook_address import origin
from marengocam.db.hub import Hub
from marengocam.db.webhook_key import webhook_secret

HUB_ACTIONS = 200  # waiting to be written
NO_BROKER = "no mqtt_url is set"
TARGET_CHARS = 200
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule that fires, with the event as templates and receivers see it."""

    firing_id: UUID
    rule: Rule
    event: Event
    told: Mapping[str, Any]
    place: Place

    @property
    def variables(self) -> dict[str, Any]:
        return variables(self.told, rule_words(self.rule), self.place)


class Actions:
    """Starts actions; those that write to the hub are done one after the other by `run`."""

    def __init__(self, hub: Hub, clock: Clock, broker: Broker | None, webhooks: Webhooks, outcomes: Outcomes) -> None:
        self._hub = hub
        self._clock = clock
        self._broker = broker
        self._webhooks = webhooks
        self._outcomes = outcomes
        self._queue: asyncio.Queue[tuple[Callable[[], Awaitable[str]], Ended]] = asyncio.Queue(HUB_ACTIONS)

    async def start(self, firing: Firing) -> None:
        """Start all actions of a firing; none keeps another from being started."""
        for place, action in enumerate(firing.rule.actions):
            await self._start(firing, place, action)

    async def run(self) -> None:
        """Write what actions want of the hub, until cancelled."""
        while True:
            work, ended = await self._queue.get()
            try:
                reason = await work()
            except MarengoCamError as error:
                reason = str(error).rstrip(".")
            except Exception:  # noqa: BLE001 - one action's trouble must not keep all others waiting for good
                _LOG.exception("an action failed")
                reason = "it failed inside MarengoCam; see the log of automation"
            except BaseException:
                ended("automation ended before it was done")
                raise
            ended(reason)

    async def _start(self, firing: Firing, place: int, action: Action) -> None:
        note = partial(self._outcomes.note, firing.firing_id, place, action_name(action))
        try:
            if isinstance(action, PublishMqtt):
                self._publish(firing, action, note)
            elif isinstance(action, CallWebhook):
                await self._call(firing, place, action, note)
            else:
                target, work = self._hub_work(firing, action)
                self._enqueue(work, partial(note, target[:TARGET_CHARS]))
        except TemplateProblemError as error:
            note("", str(error).rstrip("."))

    def _publish(self, firing: Firing, action: PublishMqtt, note: Callable[[str, str], None]) -> None:
        topic = render_text(action.topic, firing.variables, self._clock)
        ended = partial(note, topic[:TARGET_CHARS])
        problem = topic_problem(topic) or ("" if self._broker else NO_BROKER)
        if problem or self._broker is None:
            ended(problem)
            return
        payload = self._content(firing, action.payload)
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self._broker.put(Message(topic, text, action.retain), ended)

    async def _call(self, firing: Firing, place: int, action: CallWebhook, note: Callable[[str, str], None]) -> None:
        ended = partial(note, origin(action.url)[:TARGET_CHARS])
        try:
            secret = await webhook_secret(self._hub.settings_store, firing.rule.rule_id)
        except MarengoCamError as error:
            ended(str(error).rstrip("."))
            return
        body = json.dumps(self._content(firing, action.body)).encode()
        self._webhooks.put(Delivery(f"{firing.firing_id}_{place}", action.url, body, secret), ended)

    def _content(self, firing: Firing, given: Any) -> Any:
        return firing.told if given is None else render(given, firing.variables, self._clock)

    def _enqueue(self, work: Callable[[], Awaitable[str]], ended: Ended) -> None:
        if self._queue.full():
            ended("too much waits to be done")
        else:
            self._queue.put_nowait((work, ended))

    def _hub_work(self, firing: Firing, action: Action) -> tuple[str, Callable[[], Awaitable[str]]]:
        """Return what an action is about, and how it is done; that returns why it failed, or ""."""
        match action:
            case TellHomeAssistant(name, data):
                return name, partial(self._append, firing, self._for_home_assistant(firing, name, data))
            case KeepClip(label):
                shown = render_text(label, firing.variables, self._clock)[:100] or firing.rule.name
                return shown, partial(self._append, firing, self._moment(firing, shown, action))
            case Record(duration_s, cameras):
                wanted = cameras or ((firing.event.camera_id,) if firing.event.camera_id else ())
                return ", ".join(wanted), partial(self._record, wanted, duration_s)
            case SetPrivacy(enabled):
                return "on" if enabled else "off", partial(self._set_privacy, on=enabled)
        raise AssertionError(action)

    def _for_home_assistant(self, firing: Firing, name: str, data: Any) -> tuple[EventType, dict[str, Any], datetime]:
        told = {"name": name, "data": None if data is None else render(data, firing.variables, self._clock)}
        return EventType.RULE_FIRED, told, firing.event.occurred_at

    def _moment(self, firing: Firing, label: str, action: KeepClip) -> tuple[EventType, dict[str, Any], datetime]:
        at = firing.event.occurred_at
        told = {
            "label": label,
            "marked_by": firing.rule.name,
            "from_at": (at - timedelta(seconds=action.before_s)).isoformat(),
            "to_at": (at + timedelta(seconds=action.after_s)).isoformat(),
        }
        return EventType.MOMENT_MARKED, told, at

    async def _append(self, firing: Firing, wanted: tuple[EventType, dict[str, Any], datetime]) -> str:
        """Write an event that tells whose it is and which event it came from."""
        kind, data, at = wanted
        event = firing.event
        made = {
            MADE_BY_RULE: str(firing.rule.rule_id),
            "rule": firing.rule.name,
            "cause_type": str(event.type),
            "cause_number": event.number,
        }
        new = NewEvent(
            event_id=new_id(self._clock.now()),
            type=kind,
            occurred_at=at,
            camera_id=event.camera_id,
            local_track_id=event.local_track_id,
            identity_id=event.identity_id,
            person_id=event.person_id,
            person_name=event.person_name,
            probability=event.probability,
            zones=event.zones,
            data=data | made,
        )
        await self._hub.events.append([new])
        return ""

    async def _record(self, cameras: tuple[str, ...], duration_s: float) -> str:
        until_at = self._clock.now() + timedelta(seconds=duration_s)
        taken = await self._hub.firings.record_until(cameras, until_at)
        missing = sorted(set(cameras) - set(taken))
        if not cameras:
            return "the event has no camera: name those to record"
        return f"not recorded: {', '.join(missing)} (unknown, switched off, or recording is off)" if missing else ""

    async def _set_privacy(self, *, on: bool) -> str:
        await self._hub.preferences.change(privacy=on)
        return ""
