"""Cameras found and asked through the API."""

from tests.support.onvif_device import OnvifDevice, serving
from tests.support.web_app import serving_api

MAIN = ("main", "H264", 1920, 1080, "rtsp://owner:s3cret@10.9.8.7:554/main")
SUB = ("sub", "H264", 640, 360, "rtsp://10.9.8.7:554/sub")


async def test_a_camera_tells_its_streams_and_no_secret_comes_back(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api, serving(OnvifDevice(profiles=[MAIN, SUB])) as address:
        asked = {"address": address, "username": "owner", "password": "s3cret"}
        status, told = await api.call("POST", "/discovery/lookup", asked)
        assert (status, told["model"]) == (200, "Eye 3")
        assert told["main_url"] == "rtsp://127.0.0.1:554/main"
        assert told["sub_url"] == "rtsp://127.0.0.1:554/sub"
        assert "s3cret" not in str(told)
        status, told = await api.call("POST", "/discovery/lookup", asked | {"password": "wr0ng"})
        assert (status, told["error"]["code"]) == (400, "bad_input")
        assert "user name and password" in told["error"]["message"]
        assert (await api.with_token(None).call("POST", "/discovery/lookup", asked))[0] == 401


async def test_a_search_of_the_network_answers_with_what_it_found(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api:
        status, told = await api.call("POST", "/discovery/search", {"seconds": 0.5})
        assert (status, isinstance(told.get("found"), list)) == (200, True), told
        assert (await api.call("POST", "/discovery/search", {"seconds": 900}))[0] == 400
