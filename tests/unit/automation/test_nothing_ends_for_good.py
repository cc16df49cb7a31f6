"""What works in the background of automation outlives what nobody foresaw."""

import asyncio

from marengocam.automation.actions import Actions
from marengocam.automation.broker import Broker, BrokerAddress


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
