"""Ways between cameras: an owner says what holds, by the API and on the command line."""

from tests.support.web_app import serving_api

FRONT = {"name": "Front", "main_url": "rtsp://10.0.0.9/main"}
YARD = {"name": "Yard", "main_url": "rtsp://10.0.0.8/main"}


async def test_a_way_is_told_shown_and_given_back_to_what_is_learned(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        for camera in (FRONT, YARD):
            await api.call("POST", "/cameras", camera)
        assert (await api.call("GET", "/camera-graph"))[1] == {"ways": []}
        status, told = await api.call("PATCH", "/camera-graph/front/yard", {"transit_s": 12, "overlaps": False})
        assert status == 200
        assert [(way["from_camera"], way["told_transit_s"], way["told_overlaps"]) for way in told["ways"]] == [
            ("front", 12.0, False),
            ("yard", None, False),
        ]
        told = (await api.call("PATCH", "/camera-graph/yard/front", {"overlaps": None}))[1]
        assert [(way["told_transit_s"], way["told_overlaps"]) for way in told["ways"]] == [(12.0, None)]
        assert (await api.call("PATCH", "/camera-graph/front/yard", {"transit_s": None}))[1] == {"ways": []}


async def test_what_cannot_be_is_refused(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        await api.call("POST", "/cameras", FRONT)
        for path, body, status in (
            ("front/front", {"overlaps": True}, 400),
            ("front/attic", {"overlaps": True}, 404),
            ("front/front", {"transit_s": 0}, 400),
            ("front/front", {"transit_s": 9000}, 400),
            ("front/front", {"walk": 9}, 400),
        ):
            answered, told = await api.call("PATCH", f"/camera-graph/{path}", body)
            assert answered == status, (path, body, told)
            assert told["error"]["message"]
