"""Two humans say and take back whatever comes to their minds: rows stay in order, and all taken back is as it was."""

import asyncio
import contextlib
import random
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.integration.resolver.test_words import everything
from tests.support.resolver_hub import CAMERAS, Scene, like, open_scene, seen, unit
from tests.support.resolver_scenes import NOON

from marengocam.core.errors import BadInputError, ConflictError, NotFoundError
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker

NAMES = ("Alice", "Bob", "Cid", "Dee")
WALK, SIGHTS, WORDS_SAID = 3000, 7, 40
BROKEN = {
    "a track belongs to what was merged away": """
        SELECT FROM assignment JOIN identity USING (identity_id) WHERE merged_into IS NOT NULL""",
    "a look belongs to what was merged away": """
        SELECT FROM exemplar JOIN identity USING (identity_id) WHERE merged_into IS NOT NULL""",
    "a track belongs to nobody": """
        SELECT FROM local_track LEFT JOIN assignment USING (local_track_id) WHERE identity_id IS NULL""",
    "somebody is whom they were said not to be": """
        SELECT FROM identity JOIN denial USING (identity_id, person_id)""",
}
POISONED = """
    SELECT FROM exemplar e JOIN identity i USING (identity_id)
    WHERE e.person_id IS NOT NULL AND e.source <> 'enrolled' AND e.person_id IS DISTINCT FROM i.person_id"""


class Household:
    """Who speaks, about what."""

    def __init__(self, scene: Scene, seed: int) -> None:
        self.scene = scene
        self.chance = random.Random(seed)
        self.tracks: list[UUID] = []

    async def comes(self, at_s: float) -> None:
        """Have somebody walk by, one of four."""
        number, who = len(self.tracks), self.chance.choice((1, 2, 5, 6))
        track = seen(
            f"sight {number}",
            camera=self.chance.choice(CAMERAS),
            start_s=at_s,
            end_s=at_s + 5,
            face=like(unit(who), 30 + number),
            clothes=unit(60 + number, 256),
            open_=False,
        )
        await self.scene.save(track)
        await self.scene.resolve()
        self.tracks.append(track.local_track_id)

    def name(self) -> str:
        """Return a name that somebody gets."""
        return self.chance.choice(NAMES)

    async def say(self, at_s: float) -> None:
        """Say something; what cannot be said is refused as the API refuses it, and changes nothing."""
        words, chance = self.scene.hub.words, self.chance
        speaker = Speaker(chance.choice(("Ann", "Ben")), NOON + timedelta(seconds=at_s))
        belongs = {track: (await self.scene.hub.tracks.get(track)).identity_id for track in self.tracks}
        persons = [known.person.person_id for known in await self.scene.hub.persons.list()] or [uuid4()]
        one, other = chance.choice(list(belongs.values())), chance.choice(list(belongs.values()))
        own = [track for track, identity in belongs.items() if identity == one]
        some = chance.sample(own, chance.randint(1, len(own)))
        said = [word.word_id for word in await words.list(WALK) if word.undoable] or [uuid4()]
        person, name, on = chance.choice(persons), self.name(), chance.random() < 0.5
        say = chance.choice(
            (
                *[lambda: words.name(one, chance.choice((person, name)), speaker)] * 3,
                lambda: words.name_tracks(chance.sample(self.tracks, 2), person, speaker),
                *[lambda: words.merge(one, other, speaker)] * 2,
                lambda: words.merge_persons(person, chance.choice(persons), speaker),
                *[lambda: words.split(one, some, speaker)] * 2,
                lambda: words.deny(one, person, speaker),
                lambda: words.deny(one, person, speaker, some),
                lambda: words.confirm(some, speaker),
                lambda: words.rename(person, name, speaker),
                lambda: words.ignore_identity(one, speaker, ignored=on),
                lambda: words.ignore_person(person, speaker, ignored=on),
                *[lambda: words.undo(chance.choice(said), speaker)] * 3,
            )
        )
        with contextlib.suppress(BadInputError, ConflictError, NotFoundError):
            await say()

    async def take_all_back(self) -> None:
        """Undo the newest that can be undone, again and again; who has a name that comes back gets another."""
        speaker = Speaker("Ann", NOON + timedelta(seconds=2 * WALK))
        while words := [word for word in await self.scene.hub.words.list(WALK) if word.undoable]:
            refusals = [await self._refusal(word.word_id, speaker) for word in words]
            if all(refusals):
                assert any("rename them first" in refusal for refusal in refusals), refusals
                async with self.scene.hub.database.connection() as connection:
                    await connection.execute("UPDATE person SET name = left(name || ' ' || gen_random_uuid(), 90)")

    async def _refusal(self, word_id: UUID, speaker: Speaker) -> str:
        try:
            await self.scene.hub.words.undo(word_id, speaker)
        except ConflictError as error:
            return str(error)
        return ""

    async def broken(self, *, decided: bool) -> list[str]:
        looked = BROKEN | ({"a gallery has somebody else's face": POISONED} if decided else {})
        async with self.scene.hub.database.connection() as connection:
            return [name for name, query in looked.items() if await connection.fetch(query)]


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("machine", [False, True])
async def test_whatever_is_said_and_taken_back_rows_stay_in_order(scene: Scene, seed: int, machine: bool) -> None:
    home = Household(scene, seed)
    for number, name in enumerate(NAMES[:2], start=1):
        await scene.enrol(name, unit(number))
    for number in range(SIGHTS):
        await home.comes(400 * number)
    scene.clock.at = NOON + timedelta(seconds=WALK)
    before = await everything(scene)
    for step in range(WORDS_SAID):
        speakers = 2 if home.chance.random() < 0.25 else 1
        await asyncio.gather(*(home.say(WALK + step) for _ in range(speakers)))
        if machine and home.chance.random() < 0.3:
            await home.comes(WALK + 400 * step)
        decides = machine and home.chance.random() < 0.5
        if decides:
            await scene.resolve()
        assert await home.broken(decided=decides) == []
    await home.take_all_back()
    if machine:
        await scene.resolve()
        assert await home.broken(decided=True) == []
        return
    after = await everything(scene)
    assert {name: after[name] for name in after if name != "person"} == {
        name: before[name] for name in before if name != "person"
    }, "but for names, which others may have taken"
    assert {person for person, _ in before["person"]} <= {person for person, _ in after["person"]}
