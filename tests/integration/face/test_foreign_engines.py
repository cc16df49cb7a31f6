"""Face engines of other makers: asked for names, told of everybody who is registered, renamed or erased here."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import aiohttp
import pytest
from tests.support.foreign_engines import NO_FACE, TWO_FACES, CompreFaceServer, DeepStackServer, served
from tests.support.resolver_hub import ALICE, everything_in
from tests.support.resolver_scenes import FACE_MODEL, NOON, embedding
from tests.support.web_app import service_context

from marengocam.core.clock import SystemClock
from marengocam.core.errors import FaceEngineError, HubUnavailableError
from marengocam.core.face_engines import engine_addresses
from marengocam.core.ids import new_id
from marengocam.core.secret import Secret
from marengocam.db.engine_copies import EngineCopy
from marengocam.db.hub import Hub
from marengocam.db.word_changes import Speaker
from marengocam.engines.choice import engine_at
from marengocam.engines.protocol import FaceEngine
from marengocam.face import carrying
from marengocam.face.carrying import NO_FACE as SEES_NO_FACE
from marengocam.face.carrying import Carrying, carry
from marengocam.face.pictures import KeptPictures
from marengocam.ingest.face_client import FaceClient, SeveralEngines
from marengocam.media.names import PERSONS, PICTURES
from marengocam.media.store import MARKER, Store
from marengocam.runtime.bus import Bus

KEY = "00000000-0000-0000-0000-000000000002"
LIMIT_S = 10.0
WAIT_LIMIT_S = 40.0
PICTURE, OTHER = b"a picture of Alice", b"another picture of Alice"


@dataclass
class Engines:
    compreface: CompreFaceServer
    deepstack: DeepStackServer
    clients: list[FaceEngine]
    told: Secret  # as the setting


@pytest.fixture
async def engines(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engines]:
    monkeypatch.setattr("marengocam.ingest.face_client.LIMIT_S", LIMIT_S)
    compreface, deepstack = CompreFaceServer(KEY), DeepStackServer("secret")
    async with served(compreface) as one, served(deepstack) as other, aiohttp.ClientSession() as session:
        text = f"compreface+http://:{KEY}@{one}, deepstack+http://:secret@{other}"
        yield Engines(
            compreface, deepstack, [engine_at(address, session) for address in engine_addresses(text)], Secret(text)
        )


@pytest.fixture
def clients(engines: Engines, monkeypatch: pytest.MonkeyPatch) -> list[FaceEngine]:
    """The very clients with which rounds work, for a test to change what they do."""
    by_name = {one.address.name: one for one in engines.clients}
    monkeypatch.setattr(carrying, "engine_at", lambda address, _session: by_name[address.name])
    return engines.clients


@pytest.fixture
def store(hub_settings) -> Store:
    return Store(hub_settings.media_dir)


async def enrol(hub: Hub, store: Store, name: str, *pictures: bytes):
    person = await hub.persons.by_name(name) or await hub.persons.add(name, NOON)
    for picture in pictures:
        path = PurePosixPath("pictures/persons", str(person.person_id), f"{hash(picture) & 0xFFFFFFFF}.jpg")
        store.write_picture(path, picture)
        await hub.persons.add_exemplar(person.person_id, embedding(FACE_MODEL, vector=ALICE), NOON, picture_path=path)
    return person


async def kept(hub: Hub, store: Store) -> KeptPictures:
    store.prepare(await hub.settings_store.installation_id())
    return KeptPictures(hub, store)


async def carried(hub: Hub, store: Store, engines: Engines) -> list:
    return [await carry(hub, await kept(hub, store), one, SystemClock()) for one in engines.clients]


async def test_a_person_is_registered_renamed_and_erased_once_for_every_engine(hub, store, engines) -> None:
    person = await enrol(hub, store, "Alice", PICTURE)
    assert [(one.persons, one.waiting, one.problem) for one in await carried(hub, store, engines)] == [(1, 0, "")] * 2
    assert engines.compreface.subjects == dict(engines.deepstack.faces) == {"Alice": [PICTURE]}
    await enrol(hub, store, "Alice", OTHER)
    await carried(hub, store, engines)
    assert sorted(engines.compreface.subjects["Alice"]) == sorted(engines.deepstack.faces["Alice"]) == [PICTURE, OTHER]
    await hub.words.rename(person.person_id, "Alice Smith/2", Speaker("test", NOON))
    await carried(hub, store, engines)
    assert set(engines.compreface.subjects) == set(engines.deepstack.faces) == {"Alice Smith/2"}
    asked = len(engines.compreface.asked)
    await carried(hub, store, engines)
    assert len(engines.compreface.asked) == asked, "what an engine knows it is not told again"
    await hub.privacy.erase(person.person_id, Speaker("test", NOON))
    assert [one.persons for one in await carried(hub, store, engines)] == [0, 0]
    assert engines.compreface.subjects == dict(engines.deepstack.faces) == {}


async def test_every_picture_counts_where_a_registration_takes_the_place_of_the_one_before(hub, store, engines) -> None:
    await enrol(hub, store, "Alice", PICTURE, NO_FACE, OTHER)
    assert [(one.persons, one.unusable) for one in await carried(hub, store, engines)] == [(1, 0)] * 2
    assert sorted(engines.deepstack.faces["Alice"]) == [PICTURE, OTHER]


async def test_of_many_pictures_as_many_are_told_as_a_request_may_hold(hub, store, engines, monkeypatch) -> None:
    monkeypatch.setattr("marengocam.engines.codeproject.REQUEST_PICTURES", 3)
    monkeypatch.setattr("marengocam.engines.codeproject.REQUEST_BYTES", 3 * 1000)
    await enrol(hub, store, "Alice", *(bytes([number]) * 900 for number in range(5)))
    await enrol(hub, store, "Bob", *(bytes([number]) * 1200 for number in range(5)))
    await enrol(hub, store, "Cid", bytes(9000))
    await carried(hub, store, engines)
    known = engines.deepstack.faces
    assert {name: len(pictures) for name, pictures in known.items()} == {"Alice": 3, "Bob": 2, "Cid": 1}


async def test_an_engine_that_is_away_is_told_when_it_is_back_and_the_other_at_once(hub, store, engines) -> None:
    person = await enrol(hub, store, "Alice", PICTURE)
    await carried(hub, store, engines)
    engines.compreface.away = True
    await hub.privacy.erase(person.person_id, Speaker("test", NOON))
    await enrol(hub, store, "Bob", OTHER)
    away, here = await carried(hub, store, engines)
    assert (away.waiting, away.problem) == (2, "it answered with status 502")
    assert (here.waiting, set(engines.deepstack.faces)) == (0, {"Bob"})
    engines.compreface.away = False
    await carried(hub, store, engines)
    assert set(engines.compreface.subjects) == {"Bob"}, "the erased are forgotten there too"


async def names_kept(hub) -> str:
    return (await everything_in(hub))["engine_copy"]


async def test_an_erased_name_is_not_kept_for_an_engine_that_is_away_which_forgets_it_once_back(
    hub, store, engines
) -> None:
    person = await enrol(hub, store, "Alice Unmistakable", PICTURE)
    await enrol(hub, store, "Bob", OTHER)
    await carried(hub, store, engines)
    engines.compreface.away = engines.deepstack.away = True
    erased = await hub.privacy.erase(person.person_id, Speaker("test", NOON))
    assert set(erased.engines) == {one.address.name for one in engines.clients}
    assert [one.waiting for one in await carried(hub, store, engines)] == [1, 1]
    kept_yet = await names_kept(hub)
    assert ("Unmistakable" in kept_yet, "Bob" in kept_yet) == (False, True)
    engines.compreface.away = engines.deepstack.away = False
    assert [(one.persons, one.waiting) for one in await carried(hub, store, engines)] == [(1, 0)] * 2
    assert engines.compreface.subjects == dict(engines.deepstack.faces) == {"Bob": [OTHER]}
    assert str(person.person_id) not in await names_kept(hub)


async def test_who_is_erased_while_an_engine_is_told_leaves_no_name_there(hub, store, engines) -> None:
    person = await enrol(hub, store, "Alice Unmistakable", PICTURE)
    client, server = engines.clients[0], engines.compreface
    real = client.register

    async def register(*arguments):
        taken = await real(*arguments)
        await hub.privacy.erase(person.person_id, Speaker("test", NOON))
        return taken

    client.register = register
    await carry(hub, await kept(hub, store), client, SystemClock())
    assert "Alice Unmistakable" in server.subjects
    assert "Unmistakable" not in await names_kept(hub)
    await carry(hub, await kept(hub, store), client, SystemClock())
    assert (server.subjects, await names_kept(hub)) == ({}, "")


async def test_an_engine_that_was_taken_out_of_the_setting_is_told_as_one_that_knows_the_erased(
    hub, hub_settings, store, engines
) -> None:
    person = await enrol(hub, store, "Alice Unmistakable", PICTURE)
    await carried(hub, store, engines)
    only = Secret(engines.told.reveal().split(",")[1])
    left = engines.clients[0].address.name
    async with Bus(hub).running() as bus:
        context = service_context(hub, replace(hub_settings, face_engines=only), bus, "face")
        rounds = Carrying()
        job = asyncio.create_task(rounds.run(context, await kept(hub, store)))
        await asyncio.sleep(0.3)
        assert rounds.left_behind == {}, "who is known here may be known there"
        await hub.privacy.erase(person.person_id, Speaker("test", NOON))
        async with asyncio.timeout(WAIT_LIMIT_S):
            while left not in rounds.standing() or engines.deepstack.faces:
                await asyncio.sleep(0.05)
        told = rounds.standing()[left]
        assert (told.waiting, "face_engines" in told.problem, rounds.problem) == (1, True, "")
        context.stopping.set()
        await job
    assert "Unmistakable" not in await names_kept(hub)
    await carried(hub, store, engines)
    assert engines.compreface.subjects == {}, "it is listed again"


async def test_an_engine_that_does_not_tell_whom_it_knows_forgets_nobody(hub, store, engines) -> None:
    person = await enrol(hub, store, "Alice", PICTURE)
    await carried(hub, store, engines)
    await hub.privacy.erase(person.person_id, Speaker("test", NOON))
    client = engines.clients[0]

    async def odd(*_arguments, **_named):
        return {"subjects": None}

    client._ask = odd
    told = await carry(hub, await kept(hub, store), client, SystemClock())
    assert (told.waiting, told.problem) == (1, "it does not tell whom it knows")


async def test_a_registration_that_was_cut_short_is_done_again_without_a_second_copy(hub, store, engines) -> None:
    await enrol(hub, store, "Alice", PICTURE, OTHER)
    client, server = engines.clients[0], engines.compreface
    real, taken = client._ask, []

    async def killed(method, path, *arguments, **named):
        if path == "/faces" and taken:
            raise asyncio.CancelledError
        taken.append(path) if path == "/faces" else None
        return await real(method, path, *arguments, **named)

    client._ask = killed
    with pytest.raises(asyncio.CancelledError):
        await carry(hub, await kept(hub, store), client, SystemClock())
    assert len(server.subjects["Alice"]) == 1
    client._ask = real
    await carry(hub, await kept(hub, store), client, SystemClock())
    assert sorted(server.subjects["Alice"]) == [PICTURE, OTHER]


async def test_who_is_enrolled_while_one_engine_is_busy_is_told_to_it_right_after(
    hub, hub_settings, store, engines, clients
) -> None:
    await enrol(hub, store, "Alice", PICTURE)
    slow, _ = clients
    real, busy, go_on = slow.register, asyncio.Event(), asyncio.Event()

    async def register(*arguments):
        busy.set()
        await go_on.wait()
        return await real(*arguments)

    slow.register = register
    async with Bus(hub).running() as bus:
        context = service_context(hub, replace(hub_settings, face_engines=engines.told), bus, "face")
        job = asyncio.create_task(Carrying().run(context, await kept(hub, store)))
        async with asyncio.timeout(WAIT_LIMIT_S):
            await busy.wait()
            while set(engines.deepstack.faces) != {"Alice"}:
                await asyncio.sleep(0.05)
            await enrol(hub, store, "Bob", OTHER)
            while set(engines.deepstack.faces) != {"Alice", "Bob"}:
                await asyncio.sleep(0.05)
        go_on.set()
        async with asyncio.timeout(carrying.ROUND_S / 2):  # by the hint, not by the round behind it
            while set(engines.compreface.subjects) != {"Alice", "Bob"}:
                await asyncio.sleep(0.05)
        context.stopping.set()
        await job


async def test_what_a_moment_s_trouble_of_the_hub_kept_back_is_told_soon_after(
    hub, hub_settings, store, engines, monkeypatch
) -> None:
    await enrol(hub, store, "Alice", PICTURE)
    away, asked_in_vain = False, set()

    def failing(ask):
        async def asked(*arguments):
            if away:
                asked_in_vain.add(ask.__name__)
                raise HubUnavailableError("The database did not answer in time.")
            return await ask(*arguments)

        return asked

    for name in ("wanted", "left_behind"):
        monkeypatch.setattr(hub.engine_copies, name, failing(getattr(hub.engine_copies, name)))
    only = Secret(engines.told.reveal().split(",")[1])
    async with Bus(hub).running() as bus:
        context = service_context(hub, replace(hub_settings, face_engines=only), bus, "face")
        rounds = Carrying()
        job = asyncio.create_task(rounds.run(context, await kept(hub, store)))
        async with asyncio.timeout(WAIT_LIMIT_S):
            while set(engines.deepstack.faces) != {"Alice"}:
                await asyncio.sleep(0.05)
        away = True
        await enrol(hub, store, "Bob", OTHER)
        async with asyncio.timeout(WAIT_LIMIT_S):
            while asked_in_vain != {"wanted", "left_behind"}:
                await asyncio.sleep(0.05)
        await hub.engine_copies.note("an engine of before", EngineCopy(new_id(NOON), "Gone", "digest"), NOON)
        await asyncio.sleep(1)  # all hints are used up
        away = False
        async with asyncio.timeout(carrying.ROUND_S / 2):
            while set(engines.deepstack.faces) != {"Alice", "Bob"} or "an engine of before" not in rounds.left_behind:
                await asyncio.sleep(0.05)
        context.stopping.set()
        await job


async def test_an_engine_whose_answers_nobody_foresaw_is_told_and_keeps_no_other_from_its_round(
    hub, hub_settings, store, engines, clients, monkeypatch
) -> None:
    await enrol(hub, store, "Alice", PICTURE)
    odd, fine = clients
    real, broken = odd.register, True

    async def register(*arguments):
        if broken:
            raise KeyError("result")
        return await real(*arguments)

    odd.register = register
    monkeypatch.setattr(carrying, "FIRST_RETRY_S", 0.2)
    async with Bus(hub).running() as bus:
        context = service_context(hub, replace(hub_settings, face_engines=engines.told), bus, "face")
        rounds = Carrying()
        job = asyncio.create_task(rounds.run(context, await kept(hub, store)))
        async with asyncio.timeout(WAIT_LIMIT_S):
            while not rounds.problem or set(engines.deepstack.faces) != {"Alice"}:
                await asyncio.sleep(0.05)
            assert (odd.address.name in rounds.problem, fine.address.name in rounds.problem) == (True, False)
            await enrol(hub, store, "Bob", OTHER)
            while set(engines.deepstack.faces) != {"Alice", "Bob"}:
                await asyncio.sleep(0.05)
            broken = False
            while set(engines.compreface.subjects) != {"Alice", "Bob"} or rounds.problem:
                await asyncio.sleep(0.05)
            context.stopping.set()
            await job


async def test_a_picture_that_shows_an_engine_no_face_is_no_failure_and_is_told(hub, store, engines) -> None:
    await enrol(hub, store, "Alice", PICTURE, NO_FACE + b"1")
    await enrol(hub, store, "Bob", NO_FACE + b"2")
    for one in await carried(hub, store, engines):
        assert (one.persons, one.unusable, one.waiting, one.problem) == (1, 1, 0, "")
    assert engines.compreface.subjects == {"Alice": [PICTURE]}
    told = await hub.engine_copies.told(engines.clients[0].address.name)
    assert sorted(copy.problem for copy in told.values()) == ["", SEES_NO_FACE]


async def test_a_picture_of_two_which_compreface_learns_nobody_from_keeps_no_other_from_it(hub, store, engines) -> None:
    await enrol(hub, store, "Alice", TWO_FACES, PICTURE)
    (compreface, _) = await carried(hub, store, engines)
    assert (compreface.persons, compreface.waiting, compreface.problem) == (1, 0, "")
    assert engines.compreface.subjects == {"Alice": [PICTURE]}


async def test_engines_are_asked_at_once_and_give_names_with_their_own_scores(engines) -> None:
    engines.compreface.subjects["Alice"] = [PICTURE]
    engines.deepstack.faces["Alice"] = [PICTURE]
    seen = [await one.look(PICTURE, LIMIT_S) for one in engines.clients]
    assert [(one.name.engine, one.name.name, one.name.score) for (one,) in seen] == [
        ("compreface", "Alice", 0.98),
        ("deepstack", "Alice", 0.9),
    ]
    assert all(one.box_px == (10, 10, 50, 60) for (one,) in seen)
    assert [await one.look(NO_FACE, LIMIT_S) for one in engines.clients] == [[], []]
    both = SeveralEngines([FaceClient(one, SystemClock(), None) for one in engines.clients])
    assert (await both.look(PICTURE, (60, 200))).name.engine == "compreface", "the surest"
    engines.compreface.away = True
    assert (await both.look(PICTURE, (60, 200))).name.engine == "deepstack"
    engines.deepstack.away = True
    with pytest.raises(FaceEngineError):
        await both.look(PICTURE, (60, 200))


async def test_nobody_is_forgotten_there_while_the_disk_of_the_pictures_is_away(hub, store, engines) -> None:
    person = await enrol(hub, store, "Alice", PICTURE)
    await carried(hub, store, engines)
    await hub.words.rename(person.person_id, "Alix", Speaker("test", NOON))
    pictures, marker = await kept(hub, store), store.root / MARKER
    ours = marker.read_text()
    marker.unlink()
    for folder in (store.root / PICTURES).glob("*"):
        folder.rename(store.root / "elsewhere")
    for one in engines.clients:
        told = await carry(hub, pictures, one, SystemClock())
        assert (told.waiting, "mount its disk" in told.problem) == (1, True)
    assert set(engines.compreface.subjects) == set(engines.deepstack.faces) == {"Alice"}
    marker.write_text(ours)
    (store.root / "elsewhere").rename(store.root / PICTURES / PERSONS)
    await carried(hub, store, engines)
    assert set(engines.compreface.subjects) == set(engines.deepstack.faces) == {"Alix"}


async def test_a_wrong_key_is_a_failure_that_tells_no_key(engines) -> None:
    engines.compreface.key = engines.deepstack.key = "another"
    for one in engines.clients:
        for asking in (one.look(PICTURE, LIMIT_S), one.register("Alice", [PICTURE], LIMIT_S)):
            with pytest.raises(FaceEngineError) as failure:
                await asking
            assert KEY not in str(failure.value)
        assert KEY not in repr(one.address)


async def test_nobody_counts_as_forgotten_by_an_engine_that_refused_the_key(hub, store, engines) -> None:
    person = await enrol(hub, store, "Alice", PICTURE)
    await carried(hub, store, engines)
    engines.compreface.key = engines.deepstack.key = "another"
    await hub.privacy.erase(person.person_id, Speaker("test", NOON))
    told = await carried(hub, store, engines)
    assert [one.waiting for one in told] == [1, 1]
    assert "refuses the key" in told[0].problem
    engines.compreface.key, engines.deepstack.key = KEY, "secret"
    assert [(one.waiting, one.problem) for one in await carried(hub, store, engines)] == [(0, "")] * 2
    assert engines.compreface.subjects == dict(engines.deepstack.faces) == {}


async def test_an_address_that_is_no_compreface_s_forgets_nobody(hub, store, engines) -> None:
    """A proxy answers 404 for what it has no server behind."""
    client = engines.clients[0]
    client.address = replace(client.address, base_url=f"{client.address.base_url}/nowhere")
    with pytest.raises(FaceEngineError, match="no JSON"):
        await client.remove("Alice", LIMIT_S)
