"""Saying who is who on the command line."""

from zoneinfo import ZoneInfo

from tests.support.resolver_hub import ALICE, RED, open_scene, seen


async def test_an_identity_is_named_denied_and_both_words_taken_back(hub, marengocam) -> None:
    scene = await open_scene(hub)
    track = seen("walk", end_s=4, face=ALICE, clothes=RED, open_=False)
    await scene.save(track)
    await scene.resolve()
    identity_id = str((await hub.tracks.get(track.local_track_id)).identity_id)

    status, said, _ = await marengocam("identity", "list", "--unknown")
    assert (status, said.split()[0]) == (0, identity_id)
    status, said, _ = await marengocam("identity", "name", identity_id, "Alice")
    assert (status, said.startswith("somebody unknown is Alice.")) == (0, True)
    status, said, _ = await marengocam("identity", "deny", identity_id, "alice")
    assert (status, said.splitlines()[-1]) == (0, identity_id)
    assert (await hub.tracks.get(track.local_track_id)).person_name is None

    status, said, _ = await marengocam("word", "list")
    words = [line.split()[0] for line in said.splitlines()]
    assert (status, len(words)) == (0, 2)
    status, _, complained = await marengocam("word", "undo", words[1])
    assert (status, "first undo 'Alice: not Alice.'" in complained) == (2, True)
    for word in words:
        assert (await marengocam("word", "undo", word))[0] == 0
    row = await hub.tracks.get(track.local_track_id)
    assert (row.person_name, row.decided_by) == (None, "resolver")


async def test_times_are_told_by_the_owners_clock(hub, marengocam, monkeypatch) -> None:
    monkeypatch.setenv("MARENGOCAM_TIME_ZONE", "Asia/Kolkata")
    scene = await open_scene(hub)
    track = seen("walk", end_s=4, face=ALICE, clothes=RED, open_=False)
    await scene.save(track)
    await scene.resolve()
    await marengocam("identity", "name", str((await hub.tracks.get(track.local_track_id)).identity_id), "Alice")
    seen_at = track.last_seen_at.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(" ", "seconds")
    for command in ("identity", "person"):
        assert seen_at in (await marengocam(command, "list"))[1]
    (word,) = await hub.words.list(1)
    said_at = word.said_at.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(" ", "seconds")
    assert said_at in (await marengocam("word", "list"))[1]


async def test_a_person_who_is_not_there_is_said_so(hub, marengocam) -> None:
    status, _, complained = await marengocam("identity", "deny", "00000000-0000-0000-0000-000000000001", "Nobody")
    assert (status, "There is no person 'Nobody'" in complained) == (2, True)
