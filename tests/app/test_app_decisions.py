"""What the app decides: which cluster it serves, how long it waits for a silent process, which broker it is given."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import aiohttp
import pytest

from marengocam.app.announce import Announcer
from marengocam.app.clusters import Create, Restore, Upgrade, Use, plan, put_to_rest
from marengocam.app.layout import Layout
from marengocam.app.options import certificates_of, settings_of
from marengocam.app.supervisor_api import SupervisorApi, SupervisorError, mqtt_url
from marengocam.app.watch import GRACE_S, HANGING_AFTER_S, UNWELL_AFTER_S, Patience, report
from marengocam.core.errors import BadInputError, StoreError
from marengocam.core.secret import Secret
from marengocam.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("folders", "dump", "decided"),
    [
        ([], False, Create()),
        ([], True, Restore()),
        (["17"], False, Use("17")),
        (["17.live"], True, Use("17.live")),  # a dump that a broken backup left changes nothing
        (["16", "17.live"], False, Use("17.live")),
        (["16"], False, Upgrade("16", 16)),
        (["16.live"], True, Upgrade("16.live", 16)),
        (["15", "16.live"], False, Upgrade("16.live", 16)),
        (["16.old", "17.live.partial"], True, Restore()),
    ],
)
def test_which_cluster_is_served(folders, dump, decided):
    assert plan(folders, dump=dump, major=17) == decided


def test_a_newer_postgresql_s_cluster_is_left_alone():
    with pytest.raises(StoreError, match=r"PostgreSQL 18.*update the app"):
        plan(["17", "18.live"], dump=True, major=17)


def test_only_a_server_that_has_ended_well_is_at_rest(tmp_path: Path):
    layout = Layout(data=tmp_path)
    live = layout.clusters / "17.live"
    live.mkdir(parents=True)
    (live / "postmaster.pid").write_text("1")
    put_to_rest(layout)
    assert live.exists()
    (live / "postmaster.pid").unlink()
    put_to_rest(layout)
    assert [path.name for path in layout.clusters.iterdir()] == ["17"]


def test_a_silent_process_is_killed_once_and_then_given_time():
    known = Patience.at_start(0, grace_s=GRACE_S)
    assert not known.hangs(GRACE_S - 1)
    known.heard(10)
    assert not known.hangs(10 + HANGING_AFTER_S - 1)
    assert known.hangs(10 + HANGING_AFTER_S + 1)
    known.killed(30)
    assert not known.hangs(30 + GRACE_S - 1)
    assert known.silent_s(40) == 30  # what came of it is still not known


def test_a_hung_process_is_gone_within_20_seconds():
    assert HANGING_AFTER_S + 5 <= 20  # a round every 2 s, a probe of 3 s


def test_the_app_as_a_whole_is_unwell_when_restarts_of_what_matters_do_not_help():
    assert report({"web": 3, "face": 2})[0] == 200
    status, body = report({"web": 3, "face": UNWELL_AFTER_S + 1})
    assert (status, body["status"]) == (200, "degraded")
    status, body = report({"web": UNWELL_AFTER_S + 1})
    assert (status, body["status"]) == (503, "failing")


def test_options_become_settings():
    settings = settings_of({"faces": False, "retention_max_gb": 3, "mqtt_url": "", "gone_since": 1}, Layout())
    assert settings["face_url"] == "off"
    assert settings["retention_max_bytes"] == 3_000_000_000
    assert "mqtt_url" not in settings
    assert "gone_since" not in settings
    assert not {"archive_dir", "mqtt_ca_file"} & set(settings)


def test_every_option_that_is_given_becomes_a_setting_that_can_be_used(tmp_path: Path):
    given = {
        "archive_folder": "nas/archive", "archive_after_days": 3, "latitude": 0.0, "longitude": 13.4,
        "time_zone": "Europe/Berlin", "webhook_hosts": "nodered.lan", "mqtt_url": "mqtts://broker:8883",
        "mqtt_discovery": True, "mqtt_discovery_prefix": "found", "mqtt_ca_file": "own/ca.pem",
        "bus_url": "redis://:secret@redis:6379", "face_engines": "deepstack+http://:key@host:5000",
    }  # fmt: skip
    file = tmp_path / "options.json"
    file.write_text(json.dumps(settings_of(given, Layout())))
    settings = load_settings({"MARENGOCAM_OPTIONS_FILE": str(file)})
    assert settings.archive_dir == Path("/media/nas/archive")
    assert (settings.latitude, settings.longitude, settings.time_zone) == (0.0, 13.4, "Europe/Berlin")
    assert (settings.mqtt_discovery, settings.mqtt_discovery_prefix) == (True, "found")
    assert settings.mqtt_ca_file == Path("/run/marengocam/certificates/mqtt_ca_file.pem")
    assert certificates_of(given, Layout()) == {"mqtt_ca_file": (Path("/ssl/own/ca.pem"), settings.mqtt_ca_file)}
    assert [one.name for one in settings.foreign_engines] == ["deepstack at host:5000"]
    assert settings.bus_url.reveal() == "redis://:secret@redis:6379"


@pytest.mark.parametrize("name", ["/etc", "../data", "nas/../..", ".hidden", "nas/.x"])
@pytest.mark.parametrize("option", ["media_folder", "archive_folder", "mqtt_key_file"])
def test_recordings_and_certificates_stay_within_home_assistant_s_folders(option, name):
    with pytest.raises(BadInputError, match=option):
        settings_of({option: name}, Layout())


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ({}, ""),
        ({"host": "core-mosquitto", "port": 1883}, "mqtt://core-mosquitto:1883"),
        ({"host": "b", "port": 8883, "ssl": True, "username": "u", "password": "p@/:"}, "mqtts://u:p%40%2F%3A@b:8883"),
    ],
)
def test_the_broker_s_address_is_made_from_what_the_supervisor_says(service, url):
    assert mqtt_url(service).reveal() == url


async def test_before_the_schema_is_there_nothing_is_asked_of_the_database(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, media_dir=tmp_path, mqtt_url=Secret("mqtt://the-owners-own"))
    nobody = None  # neither hub nor Supervisor: asking them fails
    announcer = Announcer(nobody, nobody, settings, Layout(run=tmp_path))
    assert await announcer.once() is False, "it comes again soon"
    Layout(run=tmp_path).schema_ready.touch()
    with pytest.raises(AttributeError):
        await announcer.once()


class _Refusing(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"result": "error", "message": "Service not enabled"}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


async def test_no_broker_is_no_error_and_a_refusal_says_what_the_supervisor_said():
    server = HTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        async with aiohttp.ClientSession() as session:
            api = SupervisorApi(session, Secret("t"), f"http://127.0.0.1:{server.server_port}")
            assert not await api.mqtt_url()
            with pytest.raises(SupervisorError, match=r"Service not enabled"):
                await api.hostname()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
