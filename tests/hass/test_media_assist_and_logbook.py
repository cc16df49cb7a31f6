"""Recordings and visits in the media browser, questions to Assist, entries of the logbook, system information."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from contract_server import TRACK, ContractServer, visit
from homeassistant.components import media_source
from homeassistant.components.media_player import BrowseError
from homeassistant.components.media_source import Unresolvable
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import intent, translation
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from conftest import Until

ALICE = str(UUID(int=1))
MEDIA = "media-source://marengocam"
EVIDENCE = {
    "probability": 0.97,
    "cues": [
        {"cue": "face", "log_ratio": 4.2, "detail": {"crop": "a.jpg"}},
        {"cue": "face", "log_ratio": 2.3, "detail": {}},
        {"cue": "continuation", "log_ratio": -0.2, "detail": {}},
        "something of the future",
    ],
    "runner_up": {"person_id": "p2", "name": "Bob", "log_odds": -3.0},
}


@pytest.fixture
async def media(hass: HomeAssistant, loaded: MockConfigEntry) -> str:
    """Return where the entry's media are, with Home Assistant's clock in Berlin."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    assert await async_setup_component(hass, "media_source", {})
    return f"{MEDIA}/{loaded.entry_id}"


async def browse(hass: HomeAssistant, address: str) -> dict[str, str]:
    """Return what is below an address: title -> address."""
    found = await media_source.async_browse_media(hass, address)
    return {child.title: child.media_content_id for child in found.children or ()}


async def test_recordings_are_found_by_camera_day_and_hour_and_played(
    hass: HomeAssistant, server: ContractServer, media: str, hass_client: ClientSessionGenerator
) -> None:
    server.chunks = [
        {"started_at": at, "duration_s": 60.0}
        for at in ("2026-11-23T22:59:30Z", "2026-11-23T23:04:00Z", "2026-11-24T10:16:00Z", "2026-11-24T10:21:00Z")
    ]
    assert set(await browse(hass, MEDIA)) == {"Recordings", "Visits", "Kept clips and pictures"}, (
        "the only backend is not asked for"
    )
    cameras = await browse(hass, (await browse(hass, media))["Recordings"])
    assert set(cameras) == {"Front door", "Back yard"}
    days = await browse(hass, cameras["Front door"])
    assert list(days) == ["2026-11-24", "2026-11-23"], "days of the house, newest first"
    server.chunks = server.chunks[1:]
    hours = await browse(hass, days["2026-11-24"])
    assert list(hours) == ["00:00", "11:00"]
    server.chunks = server.chunks[1:]
    pieces = await browse(hass, hours["11:00"])
    assert list(pieces) == ["11:15", "11:20"]
    server.visits = [visit(), visit(32, person_id=None, person_name=None, picture_track_id=None)]
    known = await media_source.async_browse_media(hass, hours["11:00"])
    assert [child.title for child in known.children] == ["11:15 Alice, Unknown", "11:20"]
    assert known.children[0].thumbnail.endswith(f"/track/{TRACK}.jpg")
    server.refuse("/visits", 503, "hub_unavailable", "The database is away.")
    assert list(await browse(hass, hours["11:00"])) == ["11:15", "11:20"], "what is recorded is there all the same"
    played = await media_source.async_resolve_media(hass, pieces["11:15"], None)
    assert played.mime_type == "video/mp4"
    answer = await (await hass_client()).get(played.url)
    assert await answer.read() == server.clip
    asked = [query for where, query in server.queries if where == "/cameras/front/clip.mp4"]
    assert asked == [{"from_at": "2026-11-24T10:15:00Z", "to_at": "2026-11-24T10:20:00Z"}]


async def test_visits_are_found_by_person_and_strangers_by_themselves(
    hass: HomeAssistant, server: ContractServer, media: str
) -> None:
    path = [
        {"camera_id": "front", "from_at": "2026-11-24T10:15:00Z", "to_at": "2026-11-24T10:15:20Z"},
        {"camera_id": "yard", "from_at": "2026-11-24T10:15:30Z", "to_at": "2026-11-24T10:17:00Z"},
    ]
    stranger = visit(32, person_id=None, person_name=None)
    server.visits = [visit(path=path), stranger]
    visits = await browse(hass, (await browse(hass, media))["Visits"])
    assert set(visits) == {"Alice", "Strangers"}
    found = await media_source.async_browse_media(hass, visits["Alice"])
    (hers,) = found.children or ()
    assert hers.title == "2026-11-24 11:15 Alice: Front door → Back yard"
    assert hers.thumbnail.endswith(f"/track/{TRACK}.jpg")
    played = await media_source.async_resolve_media(hass, hers.media_content_id, None)
    assert "/clip/yard/20261124T101527" in played.url, "its longest stop, from a little before"
    assert any("Unknown: Front door" in title for title in await browse(hass, visits["Strangers"]))
    assert [query.get("unknown") for where, query in server.queries if where == "/visits"][-1] == "true"


async def test_what_was_kept_is_found_newest_first_and_played_by_home_assistant_itself(
    hass: HomeAssistant, loaded: MockConfigEntry, media: str, tmp_path: Path
) -> None:
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await browse(hass, f"{media}/kept") == {}
    (tmp_path / "marengocam").mkdir()
    for age, name in enumerate(("The mailman.mp4", "Snow.jpg", ".secret.partial")):
        (tmp_path / "marengocam" / name).write_bytes(b"x")
        os.utime(tmp_path / "marengocam" / name, (1_000_000 - age, 1_000_000 - age))
    files = await browse(hass, f"{media}/kept")
    assert list(files) == ["The mailman", "Snow"]
    played = await media_source.async_resolve_media(hass, files["Snow"], None)
    assert (played.mime_type, played.url) == ("image/jpeg", "/media/local/marengocam/Snow.jpg")
    hass.config.media_dirs = {}
    assert await browse(hass, f"{media}/kept") == {}


@pytest.mark.parametrize(
    ("language", "titles"),
    [
        ("fr", {"Enregistrements", "Visites", "Clips et images gardés"}),
        ("nl", {"Opnamen", "Bezoeken", "Bewaarde clips en foto's"}),
        ("is", {"Recordings", "Visits", "Kept clips and pictures"}),
    ],
)
async def test_folders_are_named_in_the_owners_language(
    hass: HomeAssistant, media: str, language: str, titles: set[str]
) -> None:
    translation.async_setup(hass)  # as Home Assistant does when it starts
    await hass.config.async_update(language=language)
    await hass.async_block_till_done()
    assert set(await browse(hass, MEDIA)) == titles


@pytest.mark.skipif(not hasattr(media_source, "async_search_media"), reason="older releases do not search media")
async def test_visits_are_searched_by_who_where_and_when(
    hass: HomeAssistant, server: ContractServer, media: str
) -> None:
    from homeassistant.components.media_player import SearchMediaQuery  # noqa: PLC0415 - not in the oldest release

    in_the_yard = [{"camera_id": "yard", "from_at": "2026-11-23T10:15:00Z", "to_at": "2026-11-23T10:15:20Z"}]
    stranger = visit(32, person_id=None, person_name=None, path=in_the_yard, first_seen_at="2026-11-23T10:15:00Z")
    server.visits = [visit(), stranger]

    async def found(words: str) -> list[str]:
        answer = await media_source.async_search_media(hass, media, SearchMediaQuery(search_query=words))
        return [one.title for one in answer.result]

    alice, unknown = "2026-11-24 11:15 Alice: Front door", "2026-11-23 11:15 Unknown: Back yard"
    assert await found("alice") == [alice]
    assert await found("YARD") == [unknown]
    assert await found("2026-11-2") == [alice, unknown]
    assert await found("mailman") == []


@pytest.mark.parametrize(
    "nowhere",
    ["nobody", "{}/cellar", "{}/recordings/cellar", "{}/recordings/front/someday", "{}/visits/nobody",
     "{}/recordings/front/2026-11-24/2026-11-24T10:00:00+00:00/more"],
)  # fmt: skip
async def test_what_is_not_there_cannot_be_browsed(
    hass: HomeAssistant, loaded: MockConfigEntry, media: str, nowhere: str
) -> None:
    with pytest.raises(BrowseError, match=r"There is nothing at|is not set up"):
        await media_source.async_browse_media(hass, f"{MEDIA}/{nowhere.format(loaded.entry_id)}")


@pytest.mark.parametrize("nothing", ["{}", "{}/clip/front/noon/night", "nobody/clip/front/2026-11-24/2026-11-24"])
async def test_what_is_no_clip_cannot_be_played(
    hass: HomeAssistant, loaded: MockConfigEntry, media: str, nothing: str
) -> None:
    with pytest.raises(Unresolvable, match=r"There is nothing at|is not set up"):
        await media_source.async_resolve_media(hass, f"{MEDIA}/{nothing.format(loaded.entry_id)}", None)


async def ask(hass: HomeAssistant, language: str = "en", **slots: Any) -> intent.IntentResponse:
    values = {name.rstrip("_"): {"value": value} for name, value in slots.items()}
    return await intent.async_handle(hass, "test", "MarengoCamWhoCame", values, language=language)


async def test_assist_is_told_who_was_at_the_door(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    server.visits = [visit(), visit(32, person_id=None, person_name=None)]
    answer = await ask(hass, camera="door", from_="2026-11-24 00:00:00", to="2026-11-24 12:00:00")
    assert answer.speech["plain"]["speech"] == "Alice, 11:15: Front door; Unknown, 11:15: Front door."
    assert [one["person"] for one in answer.speech_slots["visits"]] == ["Alice", None]
    asked = next(query for where, query in server.queries if where == "/visits")
    assert (asked["camera_id"], asked["from_at"]) == ("front", "2026-11-23T23:00:00Z")


async def test_assist_is_told_when_nobody_came(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    for slots in ({}, {"person": "Carol"}, {"camera": "cellar"}):
        assert (await ask(hass, **slots)).speech["plain"]["speech"] == "Nobody."
    assert (await ask(hass, "de", person="Alice")).speech["plain"]["speech"] == "Niemand."
    (asked,) = [query for where, query in server.queries if where == "/visits" and "person_id" in query]
    assert asked["person_id"] == ALICE


async def test_the_logbook_says_it_in_sentences(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    from custom_components.marengocam.logbook import async_describe_events  # noqa: PLC0415 - a platform loaded by need

    described: dict[str, Any] = {}
    async_describe_events(hass, lambda _domain, kind, describe: described.update({kind: describe}))

    def said(kind: str, **data: Any) -> tuple[str, str]:
        entry = described[f"marengocam_{kind}"](Event(f"marengocam_{kind}", data))
        return entry["name"], entry["message"]

    seen = {"person": "Alice", "camera": "Front door", "probability": 0.97, "entity_id": "camera.front_door"}
    assert said("person_confirmed", **seen) == ("Alice", "was seen (Front door, 97 % sure)")
    assert said("person_unknown", **(seen | {"person": None})) == ("Front door", "somebody unknown was seen")
    assert said("person_corrected", was_person="Bob", **seen) == ("Alice", "was seen, not Bob (Front door)")
    assert said("camera_offline", camera="Yard", reason="No answer.") == ("Yard", "stopped sending: No answer.")
    assert said("survival_mode_changed", state="on") == ("MarengoCam", "survival mode is on")


async def test_system_information_tells_how_the_backend_is(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry
) -> None:
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    info = await get_system_health_info(hass, "marengocam")
    assert await info.pop("can_reach_backend") == "ok"
    assert info == {
        "backends": "1 / 1",
        "version": "0.1.0",
        "status": "ok",
        "cameras_online": "2 / 2",
        "persons": 1,
        "events_connected": True,
        "last_event_number": 0,
    }
    await server.stop()
    info = await get_system_health_info(hass, "marengocam")
    assert await info.pop("can_reach_backend") == {"type": "failed", "error": "unreachable"}


async def test_a_person_is_seen_comes_and_goes(
    hass: HomeAssistant, server: ContractServer, loaded: MockConfigEntry, until: Until
) -> None:
    told: list[str] = []
    hass.bus.async_listen(
        "state_changed",
        lambda event: (
            told.append(event.data["new_state"].attributes.get("event_type") or "")
            if event.data["entity_id"] == "event.alice_presence"
            else None
        ),
    )

    server.visits = [visit(first_seen_at="2026-11-24T10:14:50Z")]
    await server.happen("person_confirmed", data={"evidence": EVIDENCE})
    await until(lambda: "arrived" in told)
    assert told == ["seen", "arrived"]
    shown = hass.states.get("event.alice_presence")
    assert shown.attributes["evidence"] == {
        "probability": 0.97,
        "cues": {"face": 6.5, "continuation": -0.2},
        "runner_up": "Bob",
    }, "what is compared stays in the backend"
    assert shown.attributes["person"] == "Alice"
    assert shown.attributes["camera"] == "Front door"
    assert shown.attributes["picture"] == f"/api/marengocam/{loaded.entry_id}/track/{TRACK}.jpg"

    await server.happen("person_confirmed")
    await until(lambda: len(told) == 3)
    await hass.async_block_till_done()
    assert told[2:] == ["seen"], "she was here already"

    await server.happen("visit_ended")
    await until(lambda: told[-1] == "left")
    server.visits = [visit(first_seen_at="2026-11-24T18:00:00Z")]
    await server.happen("person_confirmed", occurred_at="2026-11-24T18:00:05Z")
    await until(lambda: told[-1] == "arrived")
    server.refuse("/visits", 503, "hub_unavailable", "The database is away.")
    await server.happen("person_confirmed", occurred_at="2026-11-24T23:00:05Z")
    await until(lambda: told[-1] == "seen")
    await hass.async_block_till_done()
    assert told[-1] == "seen", "what is not known is not claimed"


async def test_entities_of_the_past_are_asked_for_a_month_at_most(
    hass: HomeAssistant, server: ContractServer, media: str
) -> None:
    await browse(hass, f"{media}/visits/{ALICE}")
    asked = next(query for where, query in server.queries if where == "/visits")
    from homeassistant.util import dt as dt_util  # noqa: PLC0415 - only here

    begin, end = (dt_util.parse_datetime(asked[key], raise_on_error=True) for key in ("from_at", "to_at"))
    assert timedelta(days=30) < end - begin < timedelta(days=31), "more is refused"
