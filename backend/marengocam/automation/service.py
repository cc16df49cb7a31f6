"""The automation process: reads events in order and publishes what rules say; fire and forget."""

import asyncio
import logging

from marengocam.automation.broker import Broker, BrokerAddress
from marengocam.automation.messages import messages_for
from marengocam.core.errors import HubUnavailableError
from marengocam.core.model import Event
from marengocam.runtime.context import ServiceContext
from marengocam.runtime.health import HealthReport

CONSUMER = "automation"
PAGE_EVENTS = 100
POLL_S = 2.0
RETRY_S = 1.0
_LOG = logging.getLogger(__name__)


class AutomationService:
    """Without an MQTT address it rests, healthy."""

    def __init__(self) -> None:
        self._broker: Broker | None = None
        self._told_missing = False

    async def run(self, context: ServiceContext) -> None:
        """Publish events until told to end."""
        if not context.settings.mqtt_url:
            _LOG.info("no mqtt_url is set: nothing is published")
            await context.stopping.wait()
            return
        address = BrokerAddress.from_url(context.settings.mqtt_url)
        self._broker = Broker(address, f"{context.settings.mqtt_topic_prefix}/status")
        connection = asyncio.create_task(self._broker.run())
        try:
            await self._follow(context, self._broker)
        finally:
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)

    def health(self) -> HealthReport:
        """Return ok, or why nothing is published."""
        if self._broker is None:
            return HealthReport("ok", "", {"mqtt": "off"})
        detail = {"published": self._broker.published, "missed": self._broker.missed}
        if self._broker.connected:
            return HealthReport("ok", "", detail)
        return HealthReport("degraded", f"Nothing is published: {self._broker.problem}.", detail)

    async def _follow(self, context: ServiceContext, broker: Broker) -> None:
        number: int | None = None
        while not context.stopping.is_set():
            try:
                if number is None:
                    number = await self._start(context)
                events = await context.hub.events.after(number, PAGE_EVENTS)
                for event in events:
                    await self._publish(context, broker, event)
                if events:
                    number = events[-1].number
                    await context.hub.events.move(CONSUMER, number)
            except HubUnavailableError as error:
                _LOG.debug("events wait: %s", error)
                await context.pause(RETRY_S)
                continue
            if not events:
                await context.bus.wait("event", POLL_S)

    @staticmethod
    async def _start(context: ServiceContext) -> int:
        """Return where to begin: after the last event dealt with, or from now on at the very first start."""
        position = await context.hub.events.position(CONSUMER)
        if position is None:
            position = await context.hub.events.last_number()
            await context.hub.events.move(CONSUMER, position)
        return position

    async def _publish(self, context: ServiceContext, broker: Broker, event: Event) -> None:
        rules = await context.hub.rules.list()
        prefix = context.settings.mqtt_topic_prefix
        sent = [broker.put(message) for message in messages_for(event, rules, prefix, context.clock.now())]
        if all(sent):
            self._told_missing = False
        elif not self._told_missing:
            # One entry per outage; the counter in health tells how many.
            self._told_missing = True
            message = f"Event {event.number} and those after it were not published: {broker.problem or 'too many'}."
            await context.hub.health.log(CONSUMER, "mqtt", "warning", message)
