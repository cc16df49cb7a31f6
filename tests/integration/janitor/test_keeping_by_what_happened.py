"""Classes from tracks, names and marks; rules by age and size; favourites last; the day's gaps and pauses."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.integration.automation.conftest import automation
from tests.support.recordings import middle, recorded, seen
from tests.support.web_app import service_context

from marengocam.core.clock import ManualClock, SystemClock
from marengocam.core.errors import NotFoundError
from marengocam.core.model import Camera, EventType, NewEvent
from marengocam.core.retention import Rule
from marengocam.core.rules.schema import Possible, rule_from
from marengocam.db.history import HealthSample
from marengocam.janitor.favourites import Favourites
from marengocam.janitor.watching import Watching
from marengocam.media.last_resort import read_favourites

WAIT_LIMIT_S = 40.0


async def kept(hub):
    return {chunk.chunk_id for chunk, condemned in await hub.chunks.page("", 100) if not condemned}


async def until_kept_are(hub, chunks):
    wanted = {chunk.chunk_id for chunk in chunks}
    async with asyncio.timeout(WAIT_LIMIT_S):
        while await kept(hub) != wanted:
            await asyncio.sleep(0.05)


async def mark(hub, at, camera_id=None):
    data = {"label": "The bell"}
    return await hub.events.append([NewEvent(uuid4(), EventType.MOMENT_MARKED, at, camera_id=camera_id, data=data)])


async def test_each_recording_is_kept_as_long_as_what_happened_in_it_wants(hub, settings, store, clip, at_work, broken):
    ages = {"empty": 2, "car": 4, "visited": 8, "named": 20, "marked": 400, "old_visit": 11}
    chunks = {name: recorded(store, clip, timedelta(days=days)) for name, days in ages.items()}
    await hub.chunks.add(list(chunks.values()))
    await seen(hub, chunks["car"], "car")
    await seen(hub, chunks["old_visit"])
    await seen(hub, chunks["visited"])
    person = await hub.persons.add("Alice", chunks["named"].started_at)
    identity_id = uuid4()
    async with hub.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO identity VALUES ($1, $2, $3, $3, $3)",
            identity_id,
            person.person_id,
            chunks["named"].started_at,
        )
        await connection.execute(
            "INSERT INTO assignment VALUES ($1, $2, 1, 9, '{}', 'resolver', $3)",
            await seen(hub, chunks["named"]),
            identity_id,
            chunks["named"].started_at,
        )
    await mark(hub, middle(chunks["marked"]))
    for rule in (
        Rule("*", "continuous", 1.0),
        Rule("*", "motion", 5.0),
        Rule("*", "person", 10.0),
        Rule("front", "named", 30.0),
    ):
        await hub.retention.set(rule)
    async with at_work(settings):
        await until_kept_are(hub, [chunks[name] for name in ("car", "visited", "named", "marked")])
    assert await broken() == {}
    async with hub.database.connection() as connection:
        classes = dict(await connection.fetch("SELECT chunk_id, class FROM chunk"))
    assert [classes[chunks[name].chunk_id] for name in ("car", "visited", "named", "marked")] == [
        "motion", "person", "named", "favourite",
    ]  # fmt: skip
    (favourite,) = await hub.retention.favourites()
    await hub.retention.remove_favourite(favourite.favourite_id, SystemClock().now())
    with pytest.raises(NotFoundError):
        await hub.retention.remove_favourite(favourite.favourite_id, SystemClock().now())
    async with at_work(settings):
        await until_kept_are(hub, [chunks[name] for name in ("car", "visited", "named")])


async def test_what_a_rule_keeps_outlives_all_else_for_as_long_as_the_rule_says(hub, settings, store, clip, at_work):
    clock = SystemClock()
    happened_at = clock.now() - timedelta(days=9)
    minutes = {"within": 4, "around": 0, "outside": 12}
    now = clock.now()
    chunks = {
        name: recorded(store, clip, now - happened_at - timedelta(minutes=after)) for name, after in minutes.items()
    }
    await hub.chunks.add(list(chunks.values()))
    keep = {"keep_clip": {"label": "{{ event.person }} came", "after_s": 300}}
    document = {"name": "keep", "events": ["person_confirmed"], "actions": [keep], "late": True}
    await hub.rules.put([rule_from(document, uuid4(), now, Possible())])
    async with automation(hub, settings):
        seen = NewEvent(uuid4(), EventType.PERSON_CONFIRMED, happened_at, camera_id="front", person_name="Alice")
        await hub.events.append([seen])
        async with asyncio.timeout(WAIT_LIMIT_S):
            while await hub.events.last_number() < 2:
                await asyncio.sleep(0.05)
    async with at_work(replace(settings, retention_days=2)):
        await until_kept_are(hub, [chunks["around"], chunks["within"]])
    (favourite,) = await hub.retention.favourites()
    assert (favourite.camera_id, favourite.label) == ("front", "Alice came")


async def test_limits_by_size_take_the_oldest_of_that_camera_and_class_and_favourites_last(
    hub, settings, store, clip, at_work
):
    chunks = [recorded(store, clip, timedelta(hours=hours)) for hours in (9, 8, 7, 6)]
    other = recorded(store, clip, timedelta(hours=12), "yard")
    await hub.chunks.add([*chunks, other])
    await mark(hub, middle(chunks[0]), "front")
    size = chunks[0].size_bytes
    await hub.retention.set(Rule("front", "all", None, 2 * size + size // 2))
    async with at_work(settings):
        await until_kept_are(hub, [chunks[0], chunks[3], other])
    assert [one.camera_id for one in read_favourites(store)] == ["front"]


async def test_a_marked_moment_is_kept_once_and_word_of_it_is_left_beside_the_recordings(hub, store, disks):
    favourites = Favourites(hub, store, disks)
    await mark(hub, SystemClock().now())
    await favourites.take()
    await favourites.take()
    (one,) = read_favourites(store)
    assert one.camera_id is None
    (store.root / ".favourites.json").write_text("{half")
    assert read_favourites(store) == []


async def test_a_day_s_losses_are_counted_once_and_told_and_a_pause_is_no_loss(hub, settings):
    clock = ManualClock(SystemClock().now())  # a day may end while this runs
    async with hub.database.connection() as connection:
        for camera_id in ("front", "privacy"):
            await hub.cameras.add(Camera(camera_id, camera_id.title(), "rtsp://camera/1"))
        await connection.execute("UPDATE camera SET created_at = now() - interval '9 days'")
    yesterday = (clock.now() - timedelta(minutes=20)).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(1)
    async with hub.database.connection() as connection:
        for camera_id, start_s, length_s in (
            ("front", -100, 100 + 3600),
            ("front", 3792, 3600),
            ("privacy", -100, 200),
        ):
            await connection.execute(
                "INSERT INTO chunk VALUES ($1, $2, $3, $4, 9, $5, 'h264', 1, 1)",
                uuid4(), camera_id, yesterday + timedelta(seconds=start_s), float(length_s), f"recordings/{uuid4()}",
            )  # fmt: skip
        for hour in range(3, 25):
            await connection.execute(
                "INSERT INTO chunk VALUES ($1, 'front', $2, 3600, 9, $3, 'h264', 1, 1)",
                uuid4(), yesterday + timedelta(seconds=7392 + 3600 * (hour - 3)), f"recordings/{uuid4()}",
            )  # fmt: skip
        await connection.execute(
            "INSERT INTO recording_pause VALUES ('privacy', $1, NULL)", yesterday + timedelta(seconds=90)
        )
    context = replace(service_context(hub, replace(settings, chunk_s=60.0), None, "janitor"), clock=clock)
    for _ in range(2):
        await Watching().day(context)
    days = {day.camera_id: day for day in await hub.history.days(None, yesterday.date())}
    assert (days["front"].day, round(days["front"].lost_s), days["front"].gaps) == (yesterday.date(), 192, 1)
    assert (days["privacy"].lost_s, days["privacy"].gaps) == (0.0, 0)
    told = [entry.message for entry in await hub.health.recent(10)]
    assert told == [f"Camera Front lost 00:03:12 on {yesterday.date()} (1 gaps)."]


async def test_a_camera_that_recorded_nothing_at_all_is_one_long_gap_since_it_was_added(hub):
    now = SystemClock().now()
    await hub.cameras.add(Camera("front", "Front", "rtsp://camera/1"))
    async with hub.database.connection() as connection:
        await connection.execute("UPDATE camera SET created_at = now() - interval '3 hours'")
    (gap,) = await hub.history.gaps(None, now - timedelta(days=1), now, chunk_s=60.0)
    assert timedelta(hours=2, minutes=58) < gap.to_at - gap.from_at < timedelta(hours=3)
    await hub.history.begin_pause("front", now - timedelta(hours=4))
    assert await hub.history.gaps(None, now - timedelta(days=1), now, chunk_s=60.0) == []


async def test_how_the_whole_was_doing_is_kept(hub):
    now = SystemClock().now()
    await hub.history.add_sample(HealthSample(now, 0.5, 1.0, 2, 4, 3))
    (sample,) = await hub.history.samples(now - timedelta(hours=1), now, 10)
    assert (sample.disk_used_share, sample.survival_level, sample.cameras_online) == (0.5, 2, 3)
    assert sample.database_bytes > 0
    await hub.history.prune(now + timedelta(seconds=1))
    assert await hub.history.samples(now - timedelta(hours=1), now, 10) == []
