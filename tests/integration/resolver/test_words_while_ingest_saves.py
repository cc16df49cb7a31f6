"""A human's word about somebody whom cameras follow just now is carried out, however ingest's saves fall."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta

from tests.support.resolver_hub import ALICE, CAMERAS, Scene, like, open_scene, seen
from tests.support.resolver_scenes import NOON

from marengocam.core.errors import ConflictError, HubUnavailableError
from marengocam.db.hub import Hub, open_hub
from marengocam.db.word_changes import Speaker
from marengocam.settings import Settings

WORDS_SAID = 100


async def test_words_and_saves_of_the_same_tracks_do_not_lock_each_other_out(hub: Hub, hub_settings: Settings) -> None:
    scene = await open_scene(hub)
    tracks = [
        seen(
            f"walk {number}",
            camera=CAMERAS[number % 3],
            start_s=20 * number,
            end_s=20 * number + 9,
            face=like(ALICE, 50 + number),
        )
        for number in range(12)
    ]
    for track in tracks:
        await scene.save(track)
        await scene.resolve()
    identities = {(await hub.tracks.get(track.local_track_id)).identity_id for track in tracks}
    assert len(identities) == 1
    (identity_id,) = identities
    person = await hub.persons.add("Alice", NOON)
    at = NOON + timedelta(minutes=10)
    ended = asyncio.Event()

    async def ingest() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            moved = [replace(track, last_seen_at=track.last_seen_at + timedelta(seconds=number)) for track in tracks]
            with contextlib.suppress(HubUnavailableError):  # as ingest: it saves them again
                await ingesting.tracks.save(moved, scene.fences)
            await asyncio.sleep(0.001)

    async def enrolling() -> None:
        while not ended.is_set():
            await hub.words.enrolled(person.person_id, at)
            await asyncio.sleep(0.001)

    async def deciding() -> None:
        while not ended.is_set():
            with contextlib.suppress(HubUnavailableError, ConflictError):  # as the resolver: the turn is taken again
                await Scene(resolving, {}).resolve()
            await asyncio.sleep(0.001)

    # A pool each, as processes have.
    async with open_hub(hub_settings, "ingest", 3) as ingesting, open_hub(hub_settings, "resolver", 3) as resolving:
        others = [asyncio.create_task(one) for one in (ingest(), enrolling(), deciding())]
        try:
            for number in range(WORDS_SAID):
                speaker = Speaker("Ann", at + timedelta(seconds=number))
                word = await hub.words.name(identity_id, person.person_id, speaker)
                await hub.words.undo(word.word_id, speaker)
        finally:
            ended.set()
            told = await asyncio.gather(*others, return_exceptions=True)
    assert [error for error in told if error is not None] == []
