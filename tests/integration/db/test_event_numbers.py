"""Event numbers: gap-free in the order of commit, whoever writes and whatever fails (I3)."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from marengocam.core.errors import BadInputError
from marengocam.core.model import EventType, NewEvent
from marengocam.db.database import CALL_TIMEOUT_S
from marengocam.db.events import PRUNE_BATCH, EventFilter
from marengocam.db.hub import open_hub

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOT_WAITED_S = CALL_TIMEOUT_S - 0.5  # whoever waits for the one who numbers is refused after that limit
WRITERS = 8
WRITES = 12


def fact(**changes):
    return NewEvent(**({"event_id": uuid4(), "type": EventType.ZONE_ENTERED, "occurred_at": AT} | changes))


async def test_eight_writers_with_rollbacks_leave_no_gap_and_no_reader_ever_sees_one(hub_settings):
    chance = random.Random(7)
    kept, done = [], asyncio.Event()

    async def write(hub):
        for _ in range(WRITES):
            events = [fact() for _ in range(chance.randint(1, 3))]
            fails = chance.random() < 0.4
            try:
                async with hub.database.transaction() as connection:
                    append = chance.choice([hub.events.append, hub.events.append_alone])
                    assert len(await append(events, connection)) == len(events)
                    await asyncio.sleep(chance.random() / 100)
                    await connection.execute("SELECT 1 / $1::int", 0 if fails else 1)
            except BadInputError:
                continue
            kept.extend(event.event_id for event in events)

    async def read(hub):
        seen = []
        while not done.is_set() or await hub.events.last_number() > len(seen):
            seen += await hub.events.after(len(seen), 1000)
            assert [event.number for event in seen] == list(range(1, len(seen) + 1))
        return seen

    async with open_hub(hub_settings, "writers", WRITERS) as writers, open_hub(hub_settings, "reader", 1) as reader:
        reading = asyncio.create_task(read(reader))
        await asyncio.gather(*(write(writers) for _ in range(WRITERS)))
        done.set()
        seen = await reading
    assert sorted(event.event_id for event in seen) == sorted(kept)
    assert len(kept) > WRITERS


async def test_an_event_that_was_written_before_is_skipped(hub):
    first = fact()
    assert [event.number for event in await hub.events.append([first, first])] == [1]
    second = fact(data={"zone": "door"}, zones=("door",), probability=0.5)
    assert [event.event_id for event in await hub.events.append([first, second])] == [second.event_id]
    stored = await hub.events.after(0, 10)
    assert [event.number for event in stored] == [1, 2]
    assert (stored[1].data, stored[1].zones, stored[1].probability) == ({"zone": "door"}, ("door",), 0.5)
    assert stored[1].recorded_at > AT


async def test_what_was_all_told_before_waits_for_nobody_who_numbers(hub):
    told = fact()
    await hub.events.append([told])
    async with hub.database.transaction() as first, hub.database.transaction() as second:
        assert [event.number for event in await hub.events.append([fact()], first)] == [2]
        async with asyncio.timeout(NOT_WAITED_S):
            assert await hub.events.append_alone([told], second) == []
    assert [event.number for event in await hub.events.after(0, 10)] == [1, 2]


async def test_events_are_read_forward_and_backward_through_filters(hub):
    person = uuid4()
    await hub.events.append(
        [fact(camera_id="door"), fact(camera_id="yard", person_id=person), fact(type=EventType.CAMERA_OFFLINE)]
    )
    assert [event.number for event in await hub.events.after(1, 1)] == [2]
    assert [event.number for event in await hub.events.before(None, 2)] == [3, 2]
    assert [event.number for event in await hub.events.before(3, 5, EventFilter(camera_id="door"))] == [1]
    assert [event.number for event in await hub.events.after(0, 5, EventFilter(person_id=person))] == [2]
    assert [event.number for event in await hub.events.after(0, 5, EventFilter(type=EventType.CAMERA_OFFLINE))] == [3]


async def test_a_reader_never_goes_back(hub):
    assert await hub.events.position("automation") is None
    await hub.events.move("automation", 5)
    await hub.events.move("automation", 3)
    assert await hub.events.position("automation") == 5


async def test_pruned_numbers_are_never_given_out_again(hub):
    await hub.events.append([fact() for _ in range(PRUNE_BATCH + 1)])
    await hub.events.append([fact(occurred_at=AT + timedelta(days=1))])
    assert await hub.events.prune(AT + timedelta(hours=1)) == PRUNE_BATCH + 1
    assert [event.number for event in await hub.events.after(0, 10)] == [PRUNE_BATCH + 2]
    assert [event.number for event in await hub.events.append([fact()])] == [PRUNE_BATCH + 3]


@pytest.mark.parametrize("bad", [{"data": {"level": float("nan")}}, {"probability": 2.0}, {"person_name": "a\x00b"}])
async def test_an_event_that_cannot_be_stored_is_refused_and_takes_no_number(hub, bad):
    with pytest.raises(BadInputError):
        await hub.events.append([fact(), fact(**bad)])
    assert await hub.events.last_number() == 0
