"""The client against a server that keeps the contract, bends it, or is not there."""

import ast
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import custom_components.marengocam.client as client_package
import pytest
from aiohttp import web
from contract_server import PICTURE, TOKEN, ContractServer, camera, health, person
from custom_components.marengocam.client import (
    ApiError,
    CannotConnectError,
    IncompatibleVersionError,
    InvalidTokenError,
    Limits,
    MarengoCamClient,
    UnexpectedAnswerError,
    normalise_address,
)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def backend(session: aiohttp.ClientSession, server: ContractServer) -> MarengoCamClient:
    return MarengoCamClient(session, server.address, TOKEN)


async def test_every_answer_becomes_a_frozen_value(server: ContractServer, backend: MarengoCamClient) -> None:
    server.persons = [
        person(last_seen_at="2026-11-24T10:15:00+01:00", last_seen_camera_name="Yard", last_seen_probability=1)
    ]
    server.event()
    assert (await backend.info()).models.detector == "hog"
    assert [one.zones[0].name for one in await backend.cameras()] == ["Path", "Path"]
    (alice,) = await backend.persons()
    assert alice.last_seen_at == datetime(2026, 11, 24, 9, 15, tzinfo=UTC)
    assert alice.last_seen_probability == 1.0
    assert (await backend.health()).storage.recorded_s == 7200.0
    page = await backend.events(after=0, limit=5)
    assert (page.last_number, page.events[0].person_name) == (1, "Alice")
    assert await backend.snapshot("front") == PICTURE
    with pytest.raises(AttributeError):
        alice.name = "Bob"  # type: ignore[misc]  # the point of the test


async def test_fields_that_are_new_are_ignored(server: ContractServer, backend: MarengoCamClient) -> None:
    server.cameras = [camera(colour="red", zones=[])]
    server.health = health(weather={"rain": True})
    assert (await backend.cameras())[0].camera_id == "front"
    assert (await backend.health()).status == "ok"


@pytest.mark.parametrize(
    "changes",
    [
        {"camera_id": 7},
        {"enabled": "yes"},
        {"open_person_tracks": True},
        {"since": "yesterday"},
        {"since": "2026-11-24T10:15:00"},
        {"zones": [7]},
        {"zones": None},
        {"reason": 7},
    ],
    ids=str,
)
async def test_fields_that_are_wrong_are_named(
    server: ContractServer, backend: MarengoCamClient, changes: dict[str, object]
) -> None:
    server.cameras = [camera() | changes]
    with pytest.raises(UnexpectedAnswerError, match=next(iter(changes))):
        await backend.cameras()


@pytest.mark.parametrize("text", ["", "[]", "null", '{"cameras": 1}', "{", "\x00"])
async def test_what_is_no_answer_is_refused(server: ContractServer, backend: MarengoCamClient, text: str) -> None:
    server.answers["/cameras"] = text
    with pytest.raises(UnexpectedAnswerError):
        await backend.cameras()


async def test_an_answer_that_takes_too_long_is_given_up(
    session: aiohttp.ClientSession, server: ContractServer
) -> None:
    server.pause_s = 0.3
    hasty = MarengoCamClient(session, server.address, TOKEN, limits=Limits(call_s=0.05, connect_s=0.05))
    with pytest.raises(CannotConnectError, match="no answer in time"):
        await hasty.info()
    with pytest.raises(CannotConnectError, match="no answer in time"):
        async with hasty.event_socket(0):
            pytest.fail("the server says nothing")


async def test_the_token_is_sent_nowhere_else(server: ContractServer, backend: MarengoCamClient) -> None:
    elsewhere = ContractServer()
    await elsewhere.start()
    server.answers["/info"] = web.Response(status=302, headers={"Location": f"{elsewhere.address}/api/v1/info"})
    with pytest.raises(UnexpectedAnswerError):
        await backend.info()
    assert elsewhere.asked == []
    await elsewhere.stop()


async def test_a_stream_address_must_be_a_path_of_the_backend(
    server: ContractServer, backend: MarengoCamClient
) -> None:
    live = await backend.live_stream("front")
    assert live.url == f"{server.address}/api/v1/media/live/front/index.m3u8?expires=4102444800&signature=s%2Bs"
    assert live.expires_at == datetime(2100, 1, 1, tzinfo=UTC)
    server.stream_expires = "soon"
    with pytest.raises(UnexpectedAnswerError):
        await backend.live_stream("front")
    for url in ("//evil.example/x", "http://evil.example/x", "file:///etc/passwd"):
        server.answers["/cameras/front/stream"] = f'{{"url": "{url}"}}'
        with pytest.raises(UnexpectedAnswerError):
            await backend.live_stream("front")


async def test_a_picture_of_absurd_size_is_not_taken_in(
    server: ContractServer, backend: MarengoCamClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.marengocam.client.connection.PICTURE_LIMIT_BYTES", 4)
    with pytest.raises(UnexpectedAnswerError, match="larger than 4 bytes"):
        await backend.snapshot("front")


async def test_names_cannot_leave_their_place_in_the_address(server: ContractServer, backend: MarengoCamClient) -> None:
    assert await backend.snapshot("../../persons") == PICTURE, "it was taken as a camera's name"
    assert server.asked == [("GET", "/cameras/../../persons/snapshot.jpg", None)]


async def test_refusals_say_what_the_backend_said(server: ContractServer, backend: MarengoCamClient) -> None:
    server.refuse("/persons", 409, "conflict", "There is an Alice already.")
    with pytest.raises(ApiError, match="There is an Alice already") as caught:
        await backend.persons()
    assert (caught.value.code, caught.value.status) == ("conflict", 409)
    server.answers.clear()
    server.token = "another"
    with pytest.raises(InvalidTokenError):
        await backend.persons()
    with pytest.raises(InvalidTokenError):
        async with backend.event_socket(0):
            pytest.fail("the token is wrong")
    server.token = TOKEN
    server.info["api_version"] = 9
    with pytest.raises(IncompatibleVersionError, match="9"):
        await backend.info()


async def test_no_error_shows_the_token(server: ContractServer, backend: MarengoCamClient) -> None:
    await server.stop()
    with pytest.raises(CannotConnectError) as caught:
        await backend.info()
    assert TOKEN not in f"{caught.value!r}{caught.value.__cause__!r}{backend!r}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("nas", "http://nas:8470"),
        (" 192.168.1.5 ", "http://192.168.1.5:8470"),
        ("192.168.1.5:9000", "http://192.168.1.5:9000"),
        ("http://nas", "http://nas"),
        ("HTTPS://Cam.Example/marengo/?x=1#y", "https://cam.example/marengo"),
        ("[fd00::1]:8470", "http://[fd00::1]:8470"),
    ],
)
def test_addresses_are_taken_as_owners_type_them(text: str, address: str) -> None:
    assert normalise_address(text) == address


def test_the_client_knows_nothing_of_home_assistant() -> None:
    allowed = {"aiohttp", "yarl"}
    for module in Path(client_package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            foreign = {name.split(".")[0] for name in names if name} - allowed
            assert not foreign & {"homeassistant", "custom_components", "marengocam", "voluptuous"}, module
