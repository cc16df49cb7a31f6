"""Whatever was said, taken back and told of people: who is erased leaves no name, and when all are, none is left."""

import contextlib
from datetime import timedelta

import pytest
from tests.integration.resolver.test_words_in_any_order import SIGHTS, WALK, Household
from tests.support.resolver_hub import Scene, everything_in, open_scene, unit
from tests.support.resolver_scenes import NOON

from marengocam.core.errors import ConflictError, NotFoundError
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker

WORDS_SAID = 40


class Talkative(Household):
    """Who gives everybody a name that nobody had before."""

    names = 0

    async def say(self, at_s: float) -> None:
        type(self).names += 1
        self.fresh = f"Xenia {type(self).names:04} Zed"
        await super().say(at_s)

    def name(self) -> str:
        return self.fresh

    async def erase_somebody(self, at_s: float) -> None:
        """Erase a person, or somebody unknown; of a person no table knows the name from then on."""
        hub, speaker = self.scene.hub, Speaker("Ann", NOON + timedelta(seconds=at_s))
        known = await hub.persons.list()
        if known and self.chance.random() < 0.5:
            one = self.chance.choice(known).person
            await hub.privacy.erase(one.person_id, speaker)
            assert await tables_with(self.scene, one.name) == []
            return
        row = await hub.tracks.get(self.chance.choice(self.tracks))
        with contextlib.suppress(ConflictError):
            await hub.privacy.erase_identity(row.identity_id, speaker)

    async def erase_all(self) -> None:
        hub, speaker = self.scene.hub, Speaker("Ann", NOON + timedelta(seconds=3 * WALK))
        for known in await hub.persons.list():
            await hub.privacy.erase(known.person.person_id, speaker)
        for track in self.tracks:
            with contextlib.suppress(NotFoundError):
                await hub.privacy.erase_identity((await hub.tracks.get(track)).identity_id, speaker)


async def tables_with(scene: Scene, name: str) -> list[str]:
    return [table for table, text in (await everything_in(scene.hub)).items() if name in text]


@pytest.fixture
async def scene(hub: Hub) -> Scene:
    return await open_scene(hub)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_was_said_who_is_erased_leaves_no_name(scene: Scene, seed: int) -> None:
    home = Talkative(scene, seed)
    for number, name in enumerate(("Xenia First Zed", "Xenia Second Zed"), start=1):
        await scene.enrol(name, unit(number))
    for number in range(SIGHTS):
        await home.comes(400 * number)
    scene.clock.at = NOON + timedelta(seconds=WALK)
    for step in range(WORDS_SAID):
        await home.say(WALK + step)
        if home.chance.random() < 0.4:
            await scene.resolve()
        if home.chance.random() < 0.05:
            await home.erase_somebody(WALK + step)
        assert await home.broken(decided=False) == []
    await scene.resolve()
    told = await everything_in(scene.hub)
    assert "Xenia" in told["word"] + told["event"], "the premise"
    await home.erase_all()
    assert await tables_with(scene, "Xenia") == []
    await scene.resolve()
    assert await tables_with(scene, "Xenia") == []
    assert await home.broken(decided=True) == []
