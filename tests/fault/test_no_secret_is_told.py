"""Secrets that are easy to recognise, in a real stack in which everything fails in turn: nobody is told one of them."""

import asyncio
import json
import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import aiohttp
import psutil
import pytest
from tests.support.bad_cameras import html, tcp_camera
from tests.support.http_camera import http_server, mjpeg_app
from tests.support.squares import render_walks

from marengocam.db.hub import open_hub
from marengocam.demo.backend import start_backend
from marengocam.demo.processes import stop_child
from marengocam.demo.rtsp import RtspServer
from marengocam.settings import load_settings
from marengocam.web.service import ROUTES

CAMERA, TYPED, ASKED, MQTT, DATABASE, BUS, ENGINE = (
    f"c4n4ry-{what}-p@ss" for what in ("camera", "typed", "asked", "mqtt", "database", "bus", "engine")
)
RUN_LIMIT_S = 240
SETTLE_LIMIT_S = 90


def forms(secret: str) -> set[bytes]:
    """Return what a secret looks like where it may turn up."""
    return {form.encode() for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1])}


@pytest.mark.timeout(RUN_LIMIT_S)
async def test_whatever_fails_no_secret_is_told(database_url, short_data_folder):
    data = short_data_folder
    data.chmod(0o755)
    clip = render_walks(data / "walks.mp4", 6.0, [1.0])
    address = database_url.reveal().replace("@/", f":{quote(DATABASE, safe='')}@/", 1)
    assert address != database_url.reveal()
    environment = {
        "MARENGOCAM_DATABASE_URL": address, "MARENGOCAM_MQTT_URL": f"mqtt://mq:{quote(MQTT, safe='')}@127.0.0.1:9",
        "MARENGOCAM_BUS_URL": f"redis://me:{quote(BUS, safe='')}@127.0.0.1:9",
        "MARENGOCAM_FACE_ENGINES": f"compreface+http://:{quote(ENGINE, safe='')}@127.0.0.1:9",
        "MARENGOCAM_DETECTOR": "hog", "MARENGOCAM_DOWNLOAD_MODELS": "false", "MARENGOCAM_LOG_LEVEL": "DEBUG",
        "MARENGOCAM_LOOPBACK_CAMERAS": "true",
    }  # fmt: skip
    told: dict[str, bytes] = {}
    async with (
        RtspServer({"a": clip}, credentials=("me", CAMERA)) as right,
        RtspServer({"a": clip}, credentials=("me", "another")) as wrong,
        http_server(mjpeg_app(5, f"me:{CAMERA}")) as mjpeg,
        tcp_camera(html) as page,
        aiohttp.ClientSession() as session,
    ):
        backend = await start_backend(data, environment, session)
        secrets = {CAMERA, TYPED, ASKED, MQTT, DATABASE, BUS, ENGINE, backend.token.reveal()}
        try:
            inside = f"rtsp://me:{quote(TYPED, safe='')}@"
            for name, url, login in (
                ("good", right.url("a"), {"username": "me", "password": CAMERA}),
                ("refused", wrong.url("a"), {"username": "me", "password": CAMERA}),
                ("inside", wrong.url("a").replace("rtsp://", inside), {}),
                ("mjpeg", f"{mjpeg}/video", {"username": "me", "password": CAMERA}),
                ("page", page, {"username": "me", "password": CAMERA}),
                ("away", inside + "127.0.0.1:9/x", {}),
                ("nowhere", inside + "camera.invalid/x", {}),
            ):
                body = {"name": name, "camera_id": name, "main_url": url, **login}
                told[f"add {name}"] = json.dumps(await backend.call("POST", "/cameras", body)).encode()
            await _ask_badly(backend, session, told, wrong.url("a").replace("rtsp://", inside))
            expected = {"good": "online", "refused": "password", "inside": "password", "away": "port"}
            await _until_told(backend, expected | {"page": "not a video", "nowhere": "reached"})
            await _answers(backend, session, told)
            _processes(backend, secrets, told)
            settings = load_settings(os.environ | backend.environment)
            async with open_hub(settings, "test") as hub:
                assert (await hub.cameras.get("refused")).password.reveal() == CAMERA
                await _kill_its_connections(hub)
                told |= await _tables(hub)
            told["doctor"] = await _command(backend, "doctor")
            told["check"] = await _command(backend, "check")
            told["camera list"] = await _command(backend, "camera", "list")
            typed = data / "token"  # left out below, as it holds a secret on purpose
            typed.write_text(ASKED)
            probe = ("camera", "probe", wrong.url("a"), "--username", "me", "--password-file", str(typed))
            told["camera probe"] = await _command(backend, *probe)
        finally:
            await stop_child(backend.child)
            await asyncio.sleep(1)  # its cameras hear of it, and close their side
        told["log"] = backend.child.log_file.read_bytes()
    for file in data.rglob("*"):
        if file.is_file() and file.name not in {"token", "ports.json"} and file.suffix != ".mp4":
            told[str(file)] = file.read_bytes()
    assert b"c4n4ry" not in re.sub(rb"c4n4ry-[a-z]+-p(@|%40)ss", b"", b"".join(told.values())), "all forms are known"
    leaks = [
        (place, secret)
        for place, text in told.items()
        for secret in secrets
        if any(form in text for form in forms(secret))
    ]
    assert leaks == []
    assert len(told["log"]) > 2000, "it was told something"


async def _ask_badly(backend, session, told, url):
    """Ask what fails: probes and look-ups with passwords, wrong tokens, odd bodies, faces without an engine."""
    asked = [
        ("POST", "/cameras/probe", {"main_url": url}),
        ("POST", "/cameras/probe", {"main_url": url.split("@")[1], "username": "me", "password": ASKED}),
        ("POST", "/cameras/probe", {"main_url": "rtsp://127.0.0.1:9/x", "username": "me", "password": ASKED}),
        ("POST", "/cameras/refused/probe", None),
        ("POST", "/discovery/lookup", {"address": "127.0.0.1:9", "username": "me", "password": ASKED}),
        ("POST", "/discovery/lookup", {"address": f"http://me:{quote(ASKED, safe='')}@127.0.0.1:9/"}),
        ("POST", "/cameras", {"name": "Twice", "camera_id": "good", "main_url": url}),
        ("POST", "/cameras", {"name": "Odd", "main_url": url.replace("rtsp:", "ftp:")}),
        ("POST", "/cameras", {"name": "Odd", "main_url": url.replace(":9", ":notaport").replace("/a", ":x/a")}),
        ("POST", "/cameras", {"name": "Odd", "main_url": "rtsp://10.0.0.9/", "password": ASKED, "extra": ASKED}),
        ("PATCH", "/cameras/away", {"password": ASKED, "transport": "odd"}),
        ("POST", "/rules", {"name": "r", "event_type": "camera_offline", "mqtt_topic": "a/b"}),
    ]
    for number, (method, path, body) in enumerate(asked):
        headers = {"Authorization": f"Bearer {backend.token.reveal()}"}
        async with session.request(method, f"{backend.address}/api/v1{path}", json=body, headers=headers) as answer:
            told[f"ask {number} {path}"] = await answer.read() + repr(dict(answer.headers)).encode()
    for text in (backend.token.reveal() + "x", "mc_" + "c4n4ry"):
        async with session.get(
            f"{backend.address}/api/v1/cameras", headers={"Authorization": f"Bearer {text}"}
        ) as answer:
            assert answer.status == 401
            told[f"wrong token {len(text)}"] = await answer.read()


async def _until_told(backend, expected):
    said = {}
    for _ in range(SETTLE_LIMIT_S):
        cameras = {one["camera_id"]: one for one in (await backend.call("GET", "/cameras"))["cameras"]}
        said = {name: f"{cameras[name]['state']} {cameras[name]['reason']}" for name in expected}
        if all(word in said[name] for name, word in expected.items()):
            return
        await asyncio.sleep(1)
    raise AssertionError(said)


async def _answers(backend, session, told):
    """Gather what every route that reads says, and every process of itself."""
    headers = {"Authorization": f"Bearer {backend.token.reveal()}"}
    for route in ROUTES:
        if route.method == "GET" and route.status == 200:
            path = route.path.replace("{camera_id}", "refused")
            async with session.get(f"{backend.address}/api/v1{path}", headers=headers) as answer:
                told[f"GET {path}"] = await answer.read()
    ports = [value for name, value in backend.environment.items() if name.endswith("_PORT")]
    for port in ports:
        for path in ("health", "metrics"):
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/{path}") as answer:
                    told[f"{port} {path}"] = await answer.read()


def _processes(backend, secrets, told):
    """Gather every command line; an environment holds what its owner put there, nothing that was given later."""
    parent = psutil.Process(backend.child.process.pid)
    later = {secret for secret in secrets if secret not in {MQTT, DATABASE, BUS, ENGINE}}
    for process in [parent, *parent.children(recursive=True)]:
        try:
            told[f"cmdline {process.pid}"] = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            its_own = Path(f"/proc/{process.pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # one that has ended meanwhile
        assert not [secret for secret in later if any(form in its_own for form in forms(secret))], process


async def _kill_its_connections(hub):
    """Take the database away from every process for a moment: its errors name addresses."""
    async with hub.database.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await asyncio.sleep(3)


async def _tables(hub):
    """Return every row of every table as text."""
    async with hub.database.connection() as connection:
        names = [
            row["tablename"]
            for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        assert {"camera", "token"} <= set(names)
        return {
            f"table {name}": "\n".join(
                row[0] for row in await connection.fetch(f'SELECT t::text FROM "{name}" t')
            ).encode()
            for name in names
        }


async def _command(backend, *words):
    """Return what a command prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "marengocam.cli", *words, env=os.environ | backend.environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        return (await process.communicate())[0]
