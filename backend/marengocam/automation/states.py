"""Keeps the retained topics as the hub is: cameras, persons, health, and what Home Assistant's discovery reads."""

import asyncio
import contextlib
import logging

from marengocam.automation.broker import Broker
from marengocam.automation.discovery import discovery
from marengocam.automation.messages import Message
from marengocam.automation.topics import (
    as_payload,
    camera_state,
    camera_topic,
    health_state,
    health_topic,
    person_state,
    person_topic,
)
from marengocam.core.errors import MarengoCamError
from marengocam.runtime.bus import Subscription
from marengocam.runtime.context import ServiceContext

KEY = "mqtt_retained"  # topics that stand at the broker, in the hub's shared facts
CHANNELS = ("camera", "camera_status", "person", "local_track", "health")
GATHER_S = 0.2  # changes come in flocks
REST_S = 0.8  # somebody who walks is told of once a second
POLL_S = 10.0
RETRY_S = 2.0
_LOG = logging.getLogger(__name__)


class States:
    """Publishes what changed; after each connection everything, since a broker may have forgotten it."""

    def __init__(self, context: ServiceContext, broker: Broker) -> None:
        self._context = context
        self._broker = broker
        self._published: dict[str, str] = {}
        self._known: set[str] | None = None
        self._woken = Subscription()

    def publish_all(self) -> None:
        """Have everything published anew."""
        self._published.clear()
        self._woken.woken.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        async with contextlib.AsyncExitStack() as stack:
            for channel in CHANNELS:
                subscription = stack.enter_context(self._context.bus.subscribed(channel))
                subscription.woken = self._woken.woken
            while True:
                await self._woken.wait(POLL_S)
                await asyncio.sleep(GATHER_S)
                if not self._broker.connected:
                    continue
                try:
                    await self._publish()
                    await asyncio.sleep(REST_S)
                except MarengoCamError as error:
                    _LOG.debug("states wait: %s", error)
                    self._woken.woken.set()  # what woke it is still to be told
                    await asyncio.sleep(RETRY_S)

    async def _publish(self) -> None:
        wanted = await self._wanted()
        store = self._context.hub.settings_store
        if self._known is None:
            self._known = set(await store.get(KEY) or [])
        gone = self._known - wanted.keys()
        if not wanted.keys() <= self._known:
            # Noted before it is published: what nobody knows of could never be taken back.
            await store.set(KEY, sorted(self._known | wanted.keys()))
            self._known |= wanted.keys()
        for topic, payload in wanted.items():
            if self._published.get(topic) != payload:
                self._broker.put(Message(topic, payload, retain=True))
        for topic in gone:
            self._broker.put(Message(topic, "", retain=True))
        if not self._broker.connected:
            self._published.clear()
            return
        self._published = wanted
        if gone:
            await store.set(KEY, sorted(wanted))
            self._known = set(wanted)

    async def _wanted(self) -> dict[str, str]:
        """Return what is to stand under each topic."""
        hub, settings = self._context.hub, self._context.settings
        prefix = settings.mqtt_topic_prefix
        names, persons = await hub.telling.camera_names(), await hub.telling.persons()
        statuses, people = await hub.cameras.statuses(), await hub.telling.people()
        states = {
            camera_topic(prefix, camera_id): camera_state(
                camera_id, name, statuses.get(camera_id), people.get(camera_id, 0)
            )
            for camera_id, name in names.items()
        }
        states |= {person_topic(prefix, one.person_id): person_state(one, names) for one in persons}
        privacy = (await hub.preferences.get()).privacy
        states[health_topic(prefix)] = health_state(await hub.health.list(), privacy=privacy)
        if settings.mqtt_discovery:
            states |= discovery(
                names,
                persons,
                prefix=prefix,
                discovery_prefix=settings.mqtt_discovery_prefix,
                installation=(await hub.settings_store.installation_id()).hex[:12],
            )
        return {topic: as_payload(state) for topic, state in states.items()}
