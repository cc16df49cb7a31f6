"""The first state of a track that names it: what the time to an announcement is measured from."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.bench.peers import hub_settings
from tests.bench.sufficing import Saved, first_sufficing
from tests.support.resolver_scenes import FACE_MODEL, embedding, track

from marengocam.core.model import LocalTrack
from marengocam.db.hub import open_hub

CONFIRM = 0.95


def read_soon_after(states: Sequence[LocalTrack]) -> list[Saved]:
    return [Saved(one, one.last_seen_at + timedelta(seconds=0.2)) for one in states]


@pytest.mark.timeout(60)
async def test_the_first_state_that_is_named_is_told_and_not_a_later_one_that_would_be_too() -> None:
    before, first, later = track(end_s=1.0), track(end_s=2.0, face=True), track(end_s=3.0, face=True)
    stranger = replace(track("stranger", camera="yard", end_s=2.5), appearance=None)
    saved = read_soon_after([before, first, stranger, later])
    async with hub_settings() as settings, open_hub(settings, "test", 2) as hub:
        found = await first_sufficing(hub, saved, {"Ann": [embedding(FACE_MODEL)]}, CONFIRM)
        again = await first_sufficing(hub, saved, {"Ann": [embedding(FACE_MODEL)]}, CONFIRM)
    assert found == {first.local_track_id: saved[1]}
    assert again == found  # what was in the hub before does not matter
