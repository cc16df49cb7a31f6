"""What an owner wishes for the whole: preferences, restarts, marked moments; and what a camera looks like right now."""

from datetime import timedelta
from pathlib import PurePosixPath
from uuid import uuid4

from tests.support.web_app import serving_api

from marengocam.core.clock import SystemClock
from marengocam.core.geometry import Box
from marengocam.core.ids import new_id
from marengocam.core.model import CameraState, Chunk, LocalTrack, PathPoint
from marengocam.core.preferences import PRIVACY_REASON
from marengocam.db.cameras import CameraStatus
from marengocam.db.history import HealthSample, RecordingDay
from marengocam.media.names import live_path
from marengocam.media.store import Store

CAMERA = {"name": "Front door", "main_url": "rtsp://10.0.0.9/main"}
LEFT_HALF = {"name": "Path", "polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}
RIGHT_HALF = {"name": "Lawn", "polygon": [[0.5, 0], [1, 0], [1, 1], [0.5, 1]]}


async def _online(hub, **metrics):
    now = SystemClock().now()
    await hub.cameras.write_status(CameraStatus("front_door", CameraState.ONLINE, "", now, now, now, metrics))


async def test_preferences_have_defaults_and_change_one_at_a_time(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        assert (await api.call("GET", "/preferences"))[1] == {"privacy": False, "confirm_probability": 0.95}
        status, told = await api.call("PATCH", "/preferences", {"confirm_probability": 0.8})
        assert (status, told) == (200, {"privacy": False, "confirm_probability": 0.8})
        assert (await api.call("PATCH", "/preferences", {"privacy": True}))[1]["confirm_probability"] == 0.8
        assert (await hub.preferences.get()).privacy
        told = (await api.call("PATCH", "/preferences", {"confirm_probability": None, "privacy": False}))[1]
        assert told == {"privacy": False, "confirm_probability": 0.95}
        status, answer = await api.call("PATCH", "/preferences", {"confirm_probability": 0.2})
        assert (status, answer["error"]["code"]) == (400, "bad_input")


async def test_under_privacy_cameras_are_off_and_show_no_picture(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        await _online(hub)
        Store(hub_settings.media_dir).write_picture(live_path("front_door"), b"jpeg")
        assert (await api.call("GET", "/cameras/front_door"))[1]["state"] == "online"
        await hub.preferences.change(privacy=True)
        told = (await api.call("GET", "/cameras/front_door"))[1]
        assert (told["state"], told["reason"], told["enabled"]) == ("disabled", PRIVACY_REASON, True)
        assert (await api.call("GET", "/cameras/front_door/snapshot.jpg"))[0] == 404


async def test_people_are_counted_by_zone_as_long_as_the_camera_is_online(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        await api.call("PUT", "/cameras/front_door/zones", {"zones": [LEFT_HALF, RIGHT_HALF]})
        now = SystemClock().now()
        lease = await hub.leases.acquire("camera:front_door", "test", 30)
        tracks = [
            LocalTrack(new_id(now), "front_door", "person", now, now, True, 0.9, 9, path=path)
            for path in ((PathPoint(now, Box(0.1, 0.1, 0.3, 0.9), 0.9),), ())
        ]
        await hub.tracks.save(tracks, {"front_door": lease.fence})
        await _online(hub, moving=1, recording=1)
        told = (await api.call("GET", "/cameras/front_door"))[1]
        assert {zone["name"]: zone["open_person_tracks"] for zone in told["zones"]} == {"Path": 1, "Lawn": 0}
        assert (told["open_person_tracks"], told["moving"], told["recording_now"]) == (2, True, True)
        await hub.preferences.change(privacy=True)
        told = (await api.call("GET", "/cameras/front_door"))[1]
        assert [zone["open_person_tracks"] for zone in told["zones"]] == [0, 0]
        assert (told["open_person_tracks"], told["moving"], told["recording_now"]) == (0, False, False)


async def test_a_zone_that_is_drawn_anew_stays_the_same_zone(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        drawn = (await api.call("PUT", "/cameras/front_door/zones", {"zones": [LEFT_HALF, RIGHT_HALF]}))[1]["zones"]
        again = RIGHT_HALF | {"name": "Path"}
        told = (await api.call("PUT", "/cameras/front_door/zones", {"zones": [again, LEFT_HALF | {"name": "Bed"}]}))[1]
        ids = {zone["name"]: zone["zone_id"] for zone in drawn}
        new = {zone["name"]: zone["zone_id"] for zone in told["zones"]}
        assert new["Path"] == ids["Path"]
        assert new["Bed"] not in ids.values()


async def test_who_was_seen_last_is_shown_where_there_is_a_picture(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        assert (await api.call("GET", "/cameras/front_door"))[1]["last_person_track_id"] is None
        now = SystemClock().now()
        lease = await hub.leases.acquire("camera:front_door", "test", 30)
        before, newest, blind = (
            LocalTrack(
                new_id(now),
                "front_door",
                "person",
                now,
                now + timedelta(seconds=n),
                False,
                0.9,
                9,
                crop_path=PurePosixPath(f"pictures/front_door/{n}.jpg") if n < 2 else None,
            )
            for n in range(3)
        )
        await hub.tracks.save([before, newest, blind], {"front_door": lease.fence})
        told = (await api.call("GET", "/cameras/front_door"))[1]
        assert told["last_person_track_id"] == str(newest.local_track_id)
        assert told["last_person_at"] is not None


async def test_a_restart_is_counted_with_the_camera(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        assert (await api.call("POST", "/cameras/front_door/restart"))[0] == 204
        assert (await hub.cameras.get("front_door")).restarts == 1
        assert (await api.call("PATCH", "/cameras/front_door", {"name": "Porch"}))[0] == 200
        assert (await hub.cameras.get("front_door")).restarts == 1
        assert (await api.call("POST", "/cameras/nowhere/restart"))[0] == 404


async def test_a_marked_moment_is_an_event(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        status, made = await api.call("POST", "/events", {"label": "The bell rang", "camera_id": "front_door"})
        assert (status, made["type"], made["camera_name"]) == (201, "moment_marked", "Front door")
        assert made["data"]["label"] == "The bell rang"
        later = (SystemClock().now() + timedelta(hours=1)).isoformat()
        assert (await api.call("POST", "/events", {"label": "Tomorrow", "at": later}))[1]["error"]["field"] == "at"
        assert (await api.call("POST", "/events", {"label": "x", "camera_id": "nowhere"}))[0] == 404
        events = (await api.call("GET", "/events?type=moment_marked"))[1]["events"]
        assert [event["number"] for event in events] == [made["number"]]


async def test_gaps_are_what_lies_between_files_and_what_lasts_still(hub, hub_settings):
    now = SystemClock().now()
    starts_s = [3600.0, 3540.0, 3300.0, 3240.5]  # ago; a minute each: one gap of 180 s, one of half a second
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        await api.call("POST", "/cameras", CAMERA | {"name": "Yard", "recording": {"mode": "motion"}})
        for camera_id in ("front_door", "yard"):
            await hub.chunks.add(
                [
                    Chunk(
                        uuid4(),
                        camera_id,
                        now - timedelta(seconds=start_s),
                        60.0,
                        9,
                        PurePosixPath(f"recordings/{camera_id}/{start_s}.mp4"),
                        "h264",
                        640,
                        480,
                    )
                    for start_s in starts_s
                ]
            )
        gaps = (await api.call("GET", f"/gaps?to_at={now.isoformat().replace('+00:00', 'Z')}"))[1]["gaps"]
        assert {gap["camera_id"] for gap in gaps} == {"front_door"}
        lasting, between = gaps
        assert between["from_at"].startswith((now - timedelta(seconds=3480)).isoformat()[:19])
        assert between["to_at"].startswith((now - timedelta(seconds=3300)).isoformat()[:19])
        assert lasting["to_at"].startswith(now.isoformat()[:19])
        assert (await api.call("GET", "/gaps?from_at=2020-01-01T00:00:00Z"))[0] == 400


async def test_health_tells_the_time_the_database_and_how_far_recordings_reach(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        now = SystemClock().now()
        await hub.health.beat("janitor", "one", "degraded", "full", now, {"survival_mode": True})
        await hub.health.beat("ingest", "one", "ok", "", now, {"face_engine": "open"})
        told = (await api.call("GET", "/health"))[1]
        assert (told["survival_mode"], told["face_engine"]) == (True, "away")
        assert told["storage"]["database_bytes"] > 1_000_000
        assert told["storage"]["oldest_at"] is None
        await hub.health.beat("ingest", "one", "ok", "", now, {"face_engine": "closed"})
        await hub.health.beat("janitor", "one", "ok", "", now, {"survival_mode": False})
        told = (await api.call("GET", "/health"))[1]
        assert (told["survival_mode"], told["face_engine"]) == (False, "ok")
        await hub.health.beat("ingest", "one", "ok", "", now, {"face_engine": "off"})
        assert (await api.call("GET", "/health"))[1]["face_engine"] == "off"


async def test_retention_favourites_lost_days_and_history_are_told(hub, hub_settings):
    now = SystemClock().now()
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", CAMERA)
        rule = {"camera_id": "front_door", "kind": "named", "keep_days": 90.0}
        status, told = await api.call("PUT", "/retention", rule)
        assert (status, told["default_days"], told["rules"]) == (200, 14.0, [rule | {"max_bytes": None}])
        for wrong in (
            {"camera_id": "*", "kind": "all", "keep_days": 1},
            {"camera_id": "*", "kind": "named"},
            {"camera_id": "*", "kind": "cats", "keep_days": 1},
        ):
            assert (await api.call("PUT", "/retention", wrong))[0] == 400
        assert (await api.call("PUT", "/retention", rule | {"camera_id": "nowhere"}))[0] == 404
        assert (await api.call("DELETE", "/retention/front_door/named"))[0] == 204
        assert (await api.call("DELETE", "/retention/front_door/named"))[0] == 404
        await api.call("POST", "/events", {"label": "The bell", "camera_id": "front_door"})
        await hub.retention.take_favourites(60, 60)
        (favourite,) = (await api.call("GET", "/favourites"))[1]["favourites"]
        assert (favourite["label"], favourite["camera_id"]) == ("The bell", "front_door")
        assert (await api.call("DELETE", f"/favourites/{favourite['favourite_id']}"))[0] == 204
        assert (await api.call("GET", "/favourites"))[1] == {"favourites": []}
        await hub.history.add_day(RecordingDay("front_door", now.date(), 192.0, 2, 180.0))
        (day,) = (await api.call("GET", "/gaps/days"))[1]["days"]
        assert (day["lost_s"], day["gaps"]) == (192.0, 2)
        await hub.history.add_sample(HealthSample(now, 0.91, 1.0, 1, 1, 1))
        (sample,) = (await api.call("GET", "/health/history"))[1]["samples"]
        assert sample["survival_level"] == 1
        assert (await api.call("GET", "/health/history?from_at=2020-01-01T00:00:00Z"))[0] == 400
        detail = {"survival_level": 3, "survival_step": "skip_faces", "survival_reasons": ["lag"]}
        await hub.health.beat("janitor", "one", "degraded", "behind", now, detail)
        told = (await api.call("GET", "/health"))[1]["survival"]
        assert told == {"level": 3, "step": "skip_faces", "reasons": ["lag"]}
