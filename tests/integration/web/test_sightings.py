"""Who a camera saw in a span of time: all of it in one answer of bounded size."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.crowd import known_visitor, passers_by
from tests.support.web_app import serving_api

from marengocam.core.model import Camera

FROM = datetime(2026, 11, 24, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def api(hub, hub_settings):
    async with serving_api(hub, hub_settings) as served:
        for camera_id in ("street", "yard"):
            await hub.cameras.add(Camera(camera_id, camera_id.title(), "rtsp://camera.invalid/main"))
        yield served


def span(from_at=FROM, to_at=FROM + DAY, slots=48):
    return {"from_at": from_at.isoformat(), "to_at": to_at.isoformat(), "slots": str(slots)}


async def seen(api, camera_id="street", **wanted):
    status, told = await api.call("GET", f"/cameras/{camera_id}/sightings", params=span(**wanted))
    assert status == 200, told
    return told["sightings"]


async def test_ten_thousand_sightings_of_a_day_come_as_few_and_none_is_left_out(hub, api):
    await passers_by(hub, "street", FROM, 10_000, every=DAY / 10_000)
    await passers_by(hub, "yard", FROM, 5, every=timedelta(hours=1))
    found = await seen(api)
    assert sum(one["count"] for one in found) == 10_000
    assert len(found) == 48
    assert found[0]["from_at"] == "2026-11-24T00:00:00Z"
    assert found == sorted(found, key=lambda one: one["from_at"])
    assert {(one["label"], one["named"], tuple(one["person_names"])) for one in found} == {("person", False, ())}


async def test_who_has_a_name_is_never_counted_among_strangers(hub, api):
    await passers_by(hub, "street", FROM, 300, every=timedelta(seconds=10))
    await known_visitor(hub, "street", FROM + timedelta(minutes=5), "Bob")
    for minutes in (3, 4):
        await known_visitor(hub, "street", FROM + timedelta(minutes=minutes), "Alice")
    named = [one for one in await seen(api) if one["named"]]
    assert [(one["person_names"], one["count"]) for one in named] == [(["Alice", "Bob"], 3)]
    assert named[0]["from_at"] == "2026-11-24T00:03:00Z"


async def test_a_shorter_span_tells_them_apart_again(hub, api):
    await passers_by(hub, "street", FROM, 60, every=timedelta(minutes=1), label="car")
    found = await seen(api, to_at=FROM + timedelta(hours=1), slots=120)
    assert [one["count"] for one in found] == [1] * 60
    assert {one["label"] for one in found} == {"car"}


async def test_who_came_before_the_span_and_stays_into_it_is_in_it_and_who_came_after_is_not(hub, api):
    await passers_by(hub, "street", FROM - timedelta(hours=1), 1, every=DAY, lasts=timedelta(hours=2))
    await passers_by(hub, "street", FROM - timedelta(hours=1), 1, every=DAY)
    await passers_by(hub, "street", FROM + DAY, 1, every=DAY)
    found = await seen(api)
    assert [(one["from_at"], one["to_at"]) for one in found] == [("2026-11-23T23:00:00Z", "2026-11-24T01:00:00Z")]


async def test_what_differs_in_kind_has_no_label(hub, api):
    await passers_by(hub, "street", FROM, 1, every=DAY, label="dog")
    await passers_by(hub, "street", FROM + timedelta(seconds=5), 1, every=DAY)
    assert [(one["label"], one["count"]) for one in await seen(api)] == [(None, 2)]


async def test_a_moment_long_span_is_answered_too(api):
    assert await seen(api, to_at=FROM + timedelta(microseconds=1), slots=500) == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"slots": "0"}, "slots"),
        ({"slots": "501"}, "slots"),
        ({"to_at": FROM.isoformat()}, "from_at"),
        ({"to_at": (FROM + timedelta(days=32)).isoformat()}, "from_at"),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_the_field(api, changed, field):
    status, told = await api.call("GET", "/cameras/street/sightings", params=span() | changed)
    assert (status, told["error"]["field"]) == (400, field)


async def test_a_camera_that_is_none_is_told_as_that(api):
    status, _ = await api.call("GET", "/cameras/nowhere/sightings")
    assert status == 404
