"""What works in the background of automation outlives what nobody foresaw."""

import asyncio
import contextlib
from types import SimpleNamespace

from marengocam.automation import states
from marengocam.automation.actions import Actions
from marengocam.automation.broker import Broker, BrokerAddress
from marengocam.automation.states import States
from marengocam.core.errors import HubUnavailableError


async def test_a_broker_s_address_that_no_host_can_have_is_told_and_tried_again():
    broker = Broker(BrokerAddress("a..b", 1883, None, None, tls=False), "marengocam/status")
    job = asyncio.create_task(broker.run())
    async with asyncio.timeout(8):
        while "check mqtt_url" not in broker.problem:
            await asyncio.sleep(0.01)
    assert not job.done()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def test_an_action_that_fails_in_a_way_nobody_foresaw_keeps_no_other_from_being_done():
    actions = Actions(None, None, None, None, None)  # nothing of them is needed to do what waits
    ended, second = [], asyncio.Event()

    async def surprise():
        raise KeyError("nobody foresaw it")

    async def well():
        return ""

    actions._enqueue(surprise, ended.append)
    actions._enqueue(well, lambda reason: (ended.append(reason), second.set()))
    job = asyncio.create_task(actions.run())
    async with asyncio.timeout(8):
        await second.wait()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
    assert ["failed inside" in ended[0], ended[1]] == [True, ""]


async def test_states_that_a_moment_s_trouble_of_the_hub_kept_back_are_told_without_another_change(monkeypatch):
    for name in ("GATHER_S", "RETRY_S"):
        monkeypatch.setattr(states, name, 0.01)
    monkeypatch.setattr(states, "POLL_S", 600.0)
    bus = SimpleNamespace(subscribed=lambda _channel: contextlib.nullcontext(SimpleNamespace(woken=None)))
    one, tries, told = States(SimpleNamespace(bus=bus), SimpleNamespace(connected=True)), [], asyncio.Event()

    async def publish():
        tries.append(1)
        if len(tries) == 1:
            raise HubUnavailableError("The database did not answer in time.")
        told.set()

    monkeypatch.setattr(one, "_publish", publish)
    one.publish_all()
    job = asyncio.create_task(one.run())
    async with asyncio.timeout(8):
        await told.wait()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)
