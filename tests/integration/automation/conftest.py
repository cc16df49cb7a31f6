"""A real automation service on a real hub."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.support.web_app import service_context

from marengocam.automation.service import CONSUMER, AutomationService
from marengocam.core.ids import new_id
from marengocam.core.model import EventType, NewEvent
from marengocam.core.rules.schema import Possible, rule_from
from marengocam.core.secret import Secret
from marengocam.runtime.bus import Bus

WAIT_LIMIT_S = 60


async def until(condition):
    """Return once the condition, a call or a coroutine function, holds."""
    async with asyncio.timeout(WAIT_LIMIT_S):
        while True:
            found = condition()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def automation(hub, settings, port=None, instance="test automation", turn="ours", **changes):
    """Run the service; when the block begins it has seen everything so far, or stands by."""
    url = Secret("" if port is None else f"mqtt://127.0.0.1:{port}")
    settings = replace(settings, **({"mqtt_url": url} | changes))
    async with Bus(hub).running() as bus:
        context = replace(service_context(hub, settings, bus, "automation"), instance=instance)
        service = AutomationService()
        job = asyncio.create_task(service.run(context))
        try:

            async def began():
                assert not job.done(), job.exception()
                return service.health().detail["turn"] == turn and await hub.events.position(CONSUMER) is not None

            await until(began)
            yield service, context
        finally:
            context.stopping.set()
            async with asyncio.timeout(WAIT_LIMIT_S):
                await job


def confirmed(now, person="Alice", age_s=0.0, **more):
    at = now - timedelta(seconds=age_s)
    values = {"camera_id": "yard", "person_name": person, "person_id": uuid4(), "probability": 0.97}
    return NewEvent(new_id(now), EventType.PERSON_CONFIRMED, at, **(values | more))


@pytest.fixture
def add_rule(hub):
    async def add(now, *actions, name="r", **more):
        document = {"name": name, "events": ["person_confirmed"], "actions": list(actions)} | more
        rule = rule_from(document, new_id(now), now, Possible())
        await hub.rules.put([rule])
        return rule

    return add
