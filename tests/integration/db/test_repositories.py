"""What each repository promises, on a real database."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from uuid import UUID, uuid4

import numpy as np
import pytest

from marengocam.core.errors import BadInputError, ConflictError, HubUnavailableError, NotFoundError
from marengocam.core.ids import new_id
from marengocam.core.model import Camera, CameraState, Chunk, Embedding, EventType, LocalTrack, Zone
from marengocam.core.rules.schema import Possible, rule_from
from marengocam.core.secret import Secret
from marengocam.db.cameras import CameraStatus
from marengocam.db.events import Events
from marengocam.db.hub import open_hub
from marengocam.db.keyring import KEY_FILE
from marengocam.db.tracks import TrackFilter
from marengocam.db.word_changes import Speaker

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
SPEAKER = Speaker("test", AT)
MINUTE = timedelta(minutes=1)
SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))


def camera(camera_id="door", **changes):
    return Camera(**({"camera_id": camera_id, "name": "Door", "main_url": "rtsp://cam/main"} | changes))


def chunk(number, camera_id="door", **changes):
    values = {
        "chunk_id": new_id(AT),
        "camera_id": camera_id,
        "started_at": AT + number * MINUTE,
        "duration_s": 60.0,
        "size_bytes": 1000,
        "path": PurePosixPath(f"recordings/{camera_id}/{number}.mp4"),
        "codec": "h264",
        "width_px": 1920,
        "height_px": 1080,
    }
    return Chunk(**(values | changes))


def track(**changes):
    values = {
        "local_track_id": new_id(AT),
        "camera_id": "door",
        "label": "person",
        "first_seen_at": AT,
        "last_seen_at": AT + timedelta(seconds=9),
        "open": False,
        "score": 0.75,
        "observations": 4,
    }
    return LocalTrack(**(values | changes))


async def seen_as(hub, one, person_id=None, identity_id=None, at=AT):
    """Save a track and let it belong to an identity, as the resolver would."""
    identity_id = identity_id or uuid4()
    lease = await hub.leases.acquire(f"camera:{one.camera_id}", "test", 30)
    await hub.tracks.save([one], {one.camera_id: lease.fence})
    async with hub.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO identity VALUES ($1, $2, $3, $4, $3, NULL) ON CONFLICT DO NOTHING",
            identity_id, person_id, at, one.last_seen_at,
        )  # fmt: skip
        await connection.execute(
            "INSERT INTO assignment VALUES ($1, $2, 0.75, 3, '{\"cues\": []}', 'resolver', $3, $4, false)",
            one.local_track_id, identity_id, at, person_id,
        )  # fmt: skip
    return identity_id


async def test_a_camera_comes_back_as_it_was_configured_and_its_password_lies_there_encrypted(hub):
    zone = Zone(uuid4(), "Path", SQUARE)
    written = camera(sub_url="rtsp://cam/sub", username="admin", password=Secret("hunter2"), zones=(zone,))
    await hub.cameras.add(written)
    assert await hub.cameras.list() == [written]
    async with hub.database.connection() as connection:
        stored = await connection.fetchval("SELECT password_encrypted FROM camera")
    assert b"hunter2" not in stored
    changed = replace(written, name="Front", password=None, zones=(), enabled=False)
    await hub.cameras.update(changed)
    assert await hub.cameras.get("door") == changed


async def test_a_lost_key_file_hides_no_camera_and_its_password_can_be_given_again(hub, hub_settings, caplog):
    written = camera(password=Secret("hunter2"))
    await hub.cameras.add(written)
    (hub_settings.data_dir / KEY_FILE).unlink()
    async with open_hub(hub_settings, "restarted") as restarted:
        assert await restarted.cameras.list() == [replace(written, password=None)]
        assert "enter the camera's password again" in caplog.text
        await restarted.cameras.update(written)
        assert await restarted.cameras.get("door") == written


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (camera(), ConflictError, "choose another name"),
        (camera("UPPER"), BadInputError, "a-z"),
        (camera("a", main_url="rtsp://admin:secret@cam/main"), BadInputError, "own fields"),
        (camera("a", main_url="gopher://cam"), BadInputError, "rtsp://"),
        (camera("a", name=""), BadInputError, "at least one letter"),
        (camera("a", zones=(Zone(uuid4(), "Z", SQUARE), Zone(uuid4(), "Z", SQUARE))), ConflictError, "same name"),
        (camera("a", zones=(Zone(uuid4(), "Z", SQUARE[:2]),)), BadInputError, "three points"),
    ],
)
async def test_what_a_camera_cannot_be_is_refused_with_the_mend_and_nothing_is_kept(hub, bad, error, says):
    await hub.cameras.add(camera())
    with pytest.raises(error, match=says) as caught:
        await hub.cameras.add(bad)
    assert "secret" not in str(caught.value)
    assert await hub.cameras.list() == [camera()]


async def test_what_is_not_there_is_not_found(hub):
    nobody = uuid4()
    for call in (
        hub.cameras.get("gone"),
        hub.cameras.update(camera("gone")),
        hub.cameras.remove("gone"),
        hub.cameras.set_zones("gone", []),
        hub.chunks.get(nobody),
        hub.tracks.get(nobody),
        hub.persons.get(nobody),
        hub.words.rename(nobody, "Bob", SPEAKER),
        hub.privacy.erase(nobody, SPEAKER),
        hub.privacy.everything_about(nobody),
        hub.words.name(nobody, nobody, SPEAKER),
        hub.words.undo(nobody, SPEAKER),
        hub.tokens.revoke(nobody, AT),
        hub.rules.get(nobody),
        hub.rules.remove(nobody),
        hub.replays.get(nobody),
    ):
        with pytest.raises(NotFoundError):
            await call


async def test_a_camera_status_goes_with_its_camera(hub):
    status = CameraStatus("door", CameraState.OFFLINE, "It refuses the password.", AT, AT, AT, {"bytes": 7})
    await hub.cameras.write_status(status)
    assert await hub.cameras.statuses() == {}
    await hub.cameras.add(camera())
    await hub.cameras.write_status(status)
    told = (await hub.cameras.statuses())["door"]
    assert replace(told, updated_at=AT, silent_s=0.0) == status
    assert 0 <= told.silent_s < 5, "dated by the database, whatever the clock of who wrote it says"
    await hub.cameras.remove("door")
    assert await hub.cameras.statuses() == {}


async def test_chunks_are_indexed_once_found_by_overlap_and_deleted_in_two_steps(hub):
    chunks = [chunk(number) for number in range(4)]
    await hub.chunks.add(chunks)
    await hub.chunks.add(chunks[:2])
    await hub.chunks.add([chunk(0, "yard")])
    middle = await hub.chunks.span("door", AT + 1.5 * MINUTE, AT + 2.5 * MINUTE)
    assert middle == chunks[1:3]
    assert await hub.chunks.span("door", AT + MINUTE, AT + 2 * MINUTE) == [chunks[1]]
    assert (await hub.chunks.recorded_s("door"), await hub.chunks.recorded_s()) == (240, 300)
    await hub.chunks.forget([chunks[0].chunk_id])
    assert await hub.chunks.get(chunks[0].chunk_id) == chunks[0]
    await hub.chunks.condemn([chunks[0].chunk_id], AT)
    assert await hub.chunks.condemned(10, ["recordings"]) == [chunks[0]]
    assert await hub.chunks.total_bytes() == 4000
    with pytest.raises(NotFoundError):
        await hub.chunks.get(chunks[0].chunk_id)
    assert await hub.chunks.known_paths("door", AT) == {str(one.path) for one in chunks}
    assert await hub.chunks.known_paths("door", AT + MINUTE) == {str(one.path) for one in chunks[1:]}
    await hub.chunks.forget([chunks[0].chunk_id])
    assert await hub.chunks.condemned(10, ["recordings"]) == []
    assert [one.camera_id for one in await hub.retention.oldest(1)] == ["yard"]


async def test_a_persons_name_is_unique_whatever_the_case(hub):
    alice = await hub.persons.add(" Alice ", AT)
    assert alice.name == "Alice"
    bob = await hub.persons.add("Bob", AT)
    with pytest.raises(ConflictError, match="alice"):
        await hub.persons.add("alice", AT)
    with pytest.raises(ConflictError, match="ALICE"):
        await hub.words.rename(bob.person_id, "ALICE", SPEAKER)
    assert await hub.persons.by_name("aLiCe") == alice
    with pytest.raises(BadInputError, match="at least one letter"):
        await hub.persons.add("  ", AT)


async def test_last_seen_is_the_open_track_else_the_newest_of_the_person(hub):
    alice = (await hub.persons.add("Alice", AT)).person_id
    await hub.persons.add("Bob", AT)
    identity = await seen_as(hub, track(last_seen_at=AT + 2 * MINUTE), alice)
    await seen_as(hub, track(camera_id="yard", last_seen_at=AT + MINUTE), alice, identity)
    seen = await hub.persons.last_seen()
    assert set(seen) == {alice}
    assert (seen[alice].camera_id, seen[alice].at, seen[alice].present) == ("door", AT + 2 * MINUTE, False)
    await seen_as(hub, track(camera_id="yard", last_seen_at=AT + MINUTE, open=True), alice, identity)
    seen = await hub.persons.last_seen()
    assert (seen[alice].camera_id, seen[alice].present, seen[alice].probability) == ("yard", True, 0.75)


async def test_a_human_names_an_identity_and_its_tracks_are_looked_at_again(hub):
    one = track()
    identity = await seen_as(hub, one)
    vector = Embedding("sface", np.eye(4, dtype=np.float32)[0], 0.5)
    async with hub.database.connection() as connection:
        await connection.execute(
            "INSERT INTO exemplar (exemplar_id, identity_id, kind, model, embedding, quality, source, created_at) "
            "VALUES (gen_random_uuid(), $1, 'face', 'sface', '[1,0,0,0]', 0.5, 'observed', $2)",
            identity,
            AT,
        )
        await connection.execute("UPDATE local_track SET resolved_revision = revision")
    assert [row.identity_id for row in await hub.persons.identities(unknown_only=True, limit=5)] == [identity]
    alice = (await hub.persons.add("Alice", AT)).person_id
    await hub.words.name(identity, alice, SPEAKER)
    row = await hub.tracks.get(one.local_track_id)
    assert (row.person_name, row.decided_by, row.probability) == ("Alice", "human", 1.0)
    assert [one.embedding.vector.tolist() for one in await hub.persons.exemplars(alice)] == [vector.vector.tolist()]
    assert await hub.persons.identities(unknown_only=True, limit=5) == []
    assert await hub.resolution.backlog() == 1


async def test_removing_a_person_takes_the_gallery_and_leaves_a_stranger(hub):
    alice = (await hub.persons.add("Alice", AT)).person_id
    face = Embedding("sface", np.eye(4, dtype=np.float32)[1], 1.0)
    await hub.persons.add_exemplar(alice, face, AT, picture_path=PurePosixPath("faces/alice.jpg"))
    one = track()
    await seen_as(hub, one, alice)
    assert (await hub.persons.get(alice)).faces == 1
    assert (await hub.privacy.erase(alice, SPEAKER)).pictures == (PurePosixPath("faces/alice.jpg"),)
    assert await hub.persons.exemplars() == []
    assert (await hub.tracks.get(one.local_track_id)).person_id is None


async def test_retention_takes_tracks_strangers_and_only_pictures_that_nobody_needs(hub):
    alice = (await hub.persons.add("Alice", AT)).person_id
    kept, gone = PurePosixPath("pictures/kept.jpg"), PurePosixPath("pictures/gone.jpg")
    await hub.persons.set_picture(alice, kept)
    view = PurePosixPath("pictures/view.jpg")
    one = track(crop_path=kept, face_crop_path=gone, crop_paths=(view,))
    await seen_as(hub, one, alice)
    assert (await hub.tracks.get(one.local_track_id)).track.crop_paths == (view,)
    assert await hub.tracks.known_pictures([str(view), "pictures/other.jpg"]) == {str(view)}
    await seen_as(hub, track())
    await seen_as(hub, track(open=True))
    assert await hub.persons.prune_identities(AT + MINUTE, 100) == 0
    pruned = await hub.tracks.prune(AT + MINUTE, 100)
    assert (pruned.count, pruned.pictures) == (2, (gone, view))
    assert await hub.persons.prune_identities(AT + MINUTE, 100) == 1
    assert len(await hub.tracks.list(TrackFilter(), 10)) == 1
    assert await hub.tracks.known_pictures([str(kept), str(gone)]) == {str(kept)}


async def test_a_token_opens_until_it_is_revoked_and_only_its_digest_is_kept(hub):
    token = await hub.tokens.add("Home Assistant", ["read", "write"], AT)
    assert token.startswith("mc_")
    assert len(token) == 46
    found = await hub.tokens.find(token)
    assert (found.name, found.scopes) == ("Home Assistant", {"read", "write"})
    async with hub.database.connection() as connection:
        assert token not in str(await connection.fetch("SELECT * FROM token"))
    await hub.tokens.touch(found.token_id, AT + MINUTE)
    assert [one.last_used_at for one in await hub.tokens.list()] == [AT + MINUTE]
    await hub.tokens.revoke(found.token_id, AT)
    assert await hub.tokens.find(token) is None
    for scopes in ([], ["root"]):
        with pytest.raises(BadInputError, match="read, write, admin"):
            await hub.tokens.add("bad", scopes, AT)


async def test_a_rule_comes_back_as_it_was_written(hub):
    document = {
        "name": "Lights",
        "events": ["person_confirmed"],
        "conditions": {"zones": ["Path"], "time": {"after": "22:00:00"}},
        "limit": {"at_most": 1, "per_s": 60.0},
        "actions": [{"mqtt": {"topic": "home/lights", "payload": {"on": True}}}],
    }
    rule = rule_from(document, uuid4(), AT, Possible())
    await hub.rules.put([rule])
    with pytest.raises(ConflictError, match="Lights"):
        await hub.rules.put([replace(rule, rule_id=uuid4())])
    plain = replace(rule, enabled=False, limit=None)
    await hub.rules.put([plain])
    assert await hub.rules.list() == [await hub.rules.get(rule.rule_id)] == [await hub.rules.by_name("Lights")]
    assert await hub.rules.get(rule.rule_id) == plain
    other = replace(rule, rule_id=uuid4(), name="Other")
    await hub.rules.put([other], remove_others=True)
    assert await hub.rules.list() == [other]
    await hub.rules.remove(other.rule_id)
    assert await hub.rules.list() == []


async def test_a_replay_is_taken_by_one_process_and_stays_finished(hub):
    run_id = await hub.replays.request("door", AT, from_at=AT, to_at=AT + MINUTE, debug=True)
    taken = await asyncio.gather(*(hub.replays.claim(AT) for _ in range(3)))
    assert [run.run_id for run in taken if run is not None] == [run_id]
    await hub.replays.finish(run_id, {"frames": 7}, AT + MINUTE, {"tracks": 1})
    await hub.replays.fail(run_id, "too late", AT + MINUTE)
    await hub.replays.finish(run_id, {"frames": 8}, AT + MINUTE)
    run = await hub.replays.get(run_id)
    assert (run.state, run.report, run.debug) == ("finished", {"frames": 7}, True)
    assert await hub.replays.list(5) == [replace(run, report={})], "reports are long"
    (event,) = await hub.events.after(0, 10)
    assert (event.type, event.camera_id) == (EventType.REPLAY_FINISHED, "door")
    assert event.data == {"run_id": str(run_id), "state": "finished", "tracks": 1}


async def test_a_replay_whose_end_cannot_be_told_has_not_ended(hub, monkeypatch):
    run_id = await hub.replays.request("door", AT)
    await hub.replays.claim(AT)

    async def cut_off(*_args):
        raise HubUnavailableError("killed between the two")

    with monkeypatch.context() as at_that_moment:
        at_that_moment.setattr(Events, "append", cut_off)
        for ending in (hub.replays.finish(run_id, {}, AT), hub.replays.fail(run_id, "no", AT)):
            with pytest.raises(HubUnavailableError):
                await ending
            assert (await hub.replays.get(run_id)).state == "running"
    await hub.replays.finish(run_id, {}, AT)
    assert [event.data["state"] for event in await hub.events.after(0, 10)] == ["finished"]


async def test_a_replay_cancelled_while_it_waits_ends_at_once_and_that_is_told_once(hub):
    run_id = await hub.replays.request("door", AT)
    assert (await hub.replays.control(run_id, AT, wish="cancel")).state == "cancelled"
    assert await hub.replays.claim(AT) is None
    assert [event.data for event in await hub.events.after(0, 10)] == [{"run_id": str(run_id), "state": "cancelled"}]


async def test_a_replay_cancelled_while_a_process_has_it_ends_by_that_process_or_with_it(hub):
    run_id = await hub.replays.request("door", AT)
    await hub.replays.claim(AT)
    assert (await hub.replays.control(run_id, AT, wish="cancel")).state == "running"
    assert (await hub.replays.note_progress(run_id, {}, AT)).wish == "cancel"
    assert await hub.replays.claim(AT + 2 * MINUTE) is None
    assert [event.data for event in await hub.events.after(0, 10)] == [{"run_id": str(run_id), "state": "cancelled"}]


async def test_a_replay_whose_process_died_does_not_run_for_ever(hub):
    died = await hub.replays.request("door", AT)
    waiting = await hub.replays.request("door", AT + MINUTE)
    assert (await hub.replays.claim(AT)).run_id == died
    assert (await hub.replays.claim(AT + timedelta(seconds=30))).run_id == waiting
    assert (await hub.replays.note_progress(waiting, {"units": 2}, AT + MINUTE)).wish == "run"
    for attempt in (2, 3):
        await hub.replays.note_progress(waiting, {}, AT + 2 * attempt * MINUTE)
        taken = await hub.replays.claim(AT + 2 * attempt * MINUTE)
        assert (taken.run_id, taken.attempts) == (died, attempt)
    await hub.replays.note_progress(waiting, {}, AT + 8 * MINUTE)
    assert await hub.replays.claim(AT + 8 * MINUTE) is None
    run = await hub.replays.get(died)
    assert run.state == "failed"
    assert "again and again" in run.reason
    assert await hub.replays.note_progress(died, {}, AT) is None, "it is told to stop"


async def test_a_process_without_heartbeat_is_gone(hub):
    await hub.health.beat("ingest", "one", "ok", "", AT, {"cameras": 2})
    await hub.health.beat("web", "one", "degraded", "The disk is full.", AT, {})
    assert await hub.health.mark_gone(30) == []
    async with hub.database.connection() as connection:
        await connection.execute("UPDATE service_health SET heartbeat_at = now() - interval '1 minute'")
    await hub.health.beat("web", "one", "ok", "", AT, {})
    assert await hub.health.mark_gone(30) == [("ingest", "one")]
    assert {one.service: one.status for one in await hub.health.list()} == {"ingest": "gone", "web": "ok"}
    await hub.health.leave("web", "one")
    await hub.health.drop_gone(10)
    assert await hub.health.list() == []


async def test_the_health_log_is_read_newest_first_and_pruned(hub):
    await hub.health.log("ingest", "camera:door", "error", "It is away.", {"tries": 3})
    await hub.health.log("ingest", "camera:door", "info", "It is back.")
    entries = await hub.health.recent(5)
    assert [entry.message for entry in entries] == ["It is back.", "It is away."]
    assert entries[1].detail == {"tries": 3}
    assert await hub.health.prune(entries[1].at + timedelta(hours=1)) == 2


async def test_every_process_reads_the_same_installation_id(hub):
    ids = await asyncio.gather(*(hub.settings_store.installation_id() for _ in range(4)))
    assert len(set(ids)) == 1
    assert isinstance(ids[0], UUID)
    await hub.settings_store.set("survival", {"on": True})
    assert await hub.settings_store.get("survival") == {"on": True}
    assert await hub.settings_store.get("missing") is None
