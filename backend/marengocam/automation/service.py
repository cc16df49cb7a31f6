"""The automation process: reads events in order, publishes them, has rules act; fire and forget."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from prometheus_client import Gauge

from marengocam.automation.actions import Actions
from marengocam.automation.broker import Broker, BrokerAddress
from marengocam.automation.engine import Engine, is_late
from marengocam.automation.messages import Message
from marengocam.automation.outcomes import CONSUMER, Outcomes
from marengocam.automation.states import States
from marengocam.automation.topics import as_payload, event_topic, status_topic
from marengocam.automation.turn import Turn
from marengocam.automation.webhooks import Webhooks
from marengocam.core.errors import HubUnavailableError, MarengoCamError
from marengocam.core.model import Event
from marengocam.core.rules.told import event_values
from marengocam.runtime.bus import Subscription
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport
from marengocam.runtime.neighbours import SignOfLife
from marengocam.runtime.rule_facts import place_of

PAGE_EVENTS = 100
POLL_S = 2.0
RETRY_S = 1.0
STAND_BY_S = 1.0
FIRST_TRY_LIMIT_S = 2.0  # of connecting to the broker, before the first event is dealt with
PRUNE_EVERY_S = 3600.0
FIRINGS_KEPT = timedelta(days=30)
LAST_OUTCOMES_LIMIT_S = 2.0
FIGURES = {
    "fired": "Rules that fired since the start.",
    "actions_done": "Actions that were done.",
    "actions_failed": "Actions that failed.",
    "published": "MQTT messages that went out.",
    "missed": "MQTT messages that did not.",
}
_LOG = logging.getLogger(__name__)


class AutomationService:
    """Without an MQTT address rules still act by all other means."""

    def __init__(self) -> None:
        self._broker: Broker | None = None
        self._outcomes: Outcomes | None = None
        self._engine: Engine | None = None
        self._number: int | None = None  # dealt with up to here
        self._published = 0  # told to the broker up to here
        self._prune_due_s = 0.0
        self._missed_told = False

    async def run(self, context: ServiceContext) -> None:
        """Work, while it is this process's turn, until told to end."""
        _add_figures(context, self)
        alive = SignOfLife(context.settings.data_dir, context.instance)
        with alive as neighbours, context.bus.subscribed("event") as told:
            turn = Turn(context, neighbours.is_dead)
            async with turn.kept():
                while not context.stopping.is_set():
                    if await turn.is_ours():
                        await self._take_turn(context, turn, told)
                    else:
                        await context.pause(STAND_BY_S)

    async def _take_turn(self, context: ServiceContext, turn: Turn, told: Subscription) -> None:
        """Work until told to end, or until another process has the turn."""
        self._number, self._published = None, 0
        async with self._set_up(context) as engine:
            while not context.stopping.is_set():
                if not await turn.is_ours():
                    _LOG.warning("another automation process has taken over; this one stands by")
                    if self._broker is not None:
                        self._broker.leave_quietly()
                    return
                try:
                    wait_s = await self._round(context, engine)
                except HubUnavailableError as error:
                    _LOG.debug("events wait: %s", error)
                    await context.pause(RETRY_S)
                    continue
                if wait_s > 0:
                    await context.woken(told, wait_s)

    def health(self) -> HealthReport:
        """Return ok, or why nothing is published."""
        detail: dict[str, object] = {"mqtt": "off"}
        detail["turn"] = "ours" if self._engine is not None else "stands by"
        if self._engine is not None and self._outcomes is not None:
            detail |= {
                "fired": self._engine.fired,
                "actions_done": self._outcomes.done,
                "actions_failed": self._outcomes.failed,
            }
        if self._broker is None:
            return HealthReport("ok", "", detail)
        detail |= {"mqtt": "on", "published": self._broker.published, "missed": self._broker.missed}
        if self._broker.connected:
            return HealthReport("ok", "", detail)
        return HealthReport("degraded", f"Nothing is published: {self._broker.problem}.", detail)

    def figure(self, name: str) -> float:
        """Return one of FIGURES."""
        return float(self.health().detail.get(name, 0))

    @contextlib.asynccontextmanager
    async def _set_up(self, context: ServiceContext) -> AsyncIterator[Engine]:
        hub, clock, settings = context.hub, context.clock, context.settings
        webhooks = Webhooks(clock, settings.webhook_hosts)
        outcomes = self._outcomes = Outcomes(hub.firings, hub.health, clock)
        jobs = [asyncio.create_task(outcomes.run())]
        if settings.mqtt_url:
            broker = Broker(BrokerAddress.from_settings(settings), status_topic(settings.mqtt_topic_prefix))
            states = States(context, broker)
            broker.on_connected = states.publish_all
            self._broker = broker
            jobs += [asyncio.create_task(states.run()), asyncio.create_task(broker.run())]
        else:
            _LOG.info("no mqtt_url is set: nothing is published over MQTT")
        actions = Actions(hub, clock, self._broker, webhooks, outcomes)
        jobs.append(asyncio.create_task(actions.run()))
        engine = self._engine = Engine(hub, clock, place_of(settings), actions)
        try:
            if self._broker is not None:
                # What happened while nobody had the turn would be missed by a connection that is being made.
                await self._broker.first_try(FIRST_TRY_LIMIT_S)
            yield engine
        finally:
            self._engine = self._broker = None
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await webhooks.close()
            with contextlib.suppress(MarengoCamError, TimeoutError):
                async with asyncio.timeout(LAST_OUTCOMES_LIMIT_S):
                    await outcomes.flush()

    async def _round(self, context: ServiceContext, engine: Engine) -> float:
        """Deal with the next events and with what was waited for; return how long nothing is to be done."""
        hub = context.hub
        if self._number is None:
            self._number = await self._start(context)
        events = await hub.events.after(self._number, PAGE_EVENTS)
        rules = await hub.rules.list()
        names = await hub.telling.camera_names()
        for event in events:
            if event.number > self._published:  # a round that was cut short begins with the same event
                self._publish(context, event, names)
                self._published = event.number
            await engine.handle(event, rules, names)
            self._number = event.number
        if events:
            await hub.events.move(CONSUMER, self._number)
            await self._tell_missed(context)
        next_at = await engine.look_again(rules, names)
        await self._prune(context)
        if len(events) == PAGE_EVENTS:
            return 0.0
        due_s = POLL_S if next_at is None else (next_at - context.clock.now()).total_seconds()
        return min(max(due_s, 0.05), POLL_S)

    def _publish(self, context: ServiceContext, event: Event, names: dict[str, str]) -> None:
        if self._broker is not None:
            told = event_values(event, late=is_late(event, context.clock.now()), names=names)
            self._broker.put(Message(event_topic(context.settings.mqtt_topic_prefix, event.type), as_payload(told)))

    @staticmethod
    async def _start(context: ServiceContext) -> int:
        """Return where to begin: after the last event dealt with, or from now on at the very first start."""
        position = await context.hub.events.position(CONSUMER)
        if position is None:
            position = await context.hub.events.last_number()
            await context.hub.events.move(CONSUMER, position)
        return position

    async def _tell_missed(self, context: ServiceContext) -> None:
        """Put one entry per outage of the broker into the log of health; the counter there tells how many."""
        if self._broker is None or self._broker.connected:
            self._missed_told = False
        elif not self._missed_told:
            self._missed_told = True
            message = f"Event {self._number} and those after it are not published: {self._broker.problem}."
            await context.hub.health.log(CONSUMER, "mqtt", "warning", message)

    async def _prune(self, context: ServiceContext) -> None:
        if context.clock.monotonic_s() >= self._prune_due_s:
            await context.hub.firings.prune(context.clock.now() - FIRINGS_KEPT)
            self._prune_due_s = context.clock.monotonic_s() + PRUNE_EVERY_S


def _add_figures(context: ServiceContext, service: AutomationService) -> None:
    """Offer the figures of health as metrics."""
    for name, text in FIGURES.items():
        figure = Gauge(f"marengocam_automation_{name}", text, registry=context.metrics)
        figure.set_function(partial(service.figure, name))
