"""How far ahead of the runner-up a decision is stands in its evidence: in the hub, in the event and in the API."""

import pytest
from tests.support.resolver_hub import ALICE, BOB, like, open_scene, seen
from tests.support.web_app import serving_api

from marengocam.core.model import EventType
from marengocam.db.hub import Hub


def ahead(evidence) -> float:
    """Return by how much the chosen explanation leads, from what the evidence says of both."""
    ratios = [cue["log_ratio"] for cue in evidence["cues"]]
    return evidence["prior"] + sum(ratios) - evidence["runner_up"]["log_odds"]


async def test_the_margin_is_the_lead_over_the_runner_up_wherever_evidence_is_told(hub: Hub, hub_settings) -> None:
    scene = await open_scene(hub)
    await scene.enrol("Alice", ALICE)
    await scene.enrol("Ann", like(ALICE, 30, 6.0))  # somewhat like her
    await scene.enrol("Bob", BOB)
    sure = seen("sure", end_s=4, face=like(ALICE, 9, 0.3), open_=False)
    await scene.save(sure)
    await scene.resolve()
    (confirmed,) = await scene.said(EventType.PERSON_CONFIRMED)
    told = confirmed.data["evidence"]
    assert told["runner_up"]["name"] == "Ann"
    assert told["margin"] == pytest.approx(ahead(told), abs=0.01)
    assert 2 < told["margin"] < 20, "neither nothing nor the bound"
    async with hub.database.connection() as connection:
        kept = await connection.fetchval("SELECT margin FROM assignment WHERE local_track_id = $1", sure.local_track_id)
    assert kept == pytest.approx(told["margin"], abs=0.001)
    async with serving_api(hub, hub_settings) as api:
        _, track = await api.call("GET", f"/tracks/{sure.local_track_id}")
        _, events = await api.call("GET", "/events?type=person_confirmed")
    assert track["evidence"]["margin"] == told["margin"]
    assert [event["data"]["evidence"]["margin"] for event in events["events"]] == [told["margin"]]


async def test_where_two_are_as_likely_the_margin_is_small_and_nobody_is_named(hub: Hub) -> None:
    scene = await open_scene(hub)
    for seed, name in ((21, "Ann"), (22, "Eve")):
        await scene.enrol(name, like(ALICE, seed, 0.25))
    await scene.save(seen("walk", end_s=4, face=like(ALICE, 9, 0.25), open_=False))
    await scene.resolve()
    (unknown,) = await scene.said(EventType.PERSON_UNKNOWN)
    assert unknown.data["evidence"]["margin"] < 2
