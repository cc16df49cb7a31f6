"""The app as the Supervisor would run it: its network, address, API and backups, all real but for the Supervisor."""

import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tests.support.docker_engine import ROOT, Engine, let_pass, let_pass_no_more, remove_abandoned

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "addon" / "config.yaml").read_text())
APPARMOR = (ROOT / "addon" / "apparmor.txt").read_text()
SUPERVISOR, GATEWAY, SUBNET = "172.30.32.2", "172.30.32.1", "172.30.32.0/23"  # as on every installation
HOSTNAME = "local-marengocam"
TOKEN = "of-the-supervisor-" + "x" * 40
PROCESSES = ("postgres", "pgbouncer", "ingest", "resolver", "automation", "face", "janitor", "web", "announce", "watch")
WATCHED = tuple(name for name in PROCESSES if name != "watch")
AS_THE_SUPERVISOR_SEES_IT = PurePosixPath("/data/addons/data/local_marengocam")
WAIT_S = 150.0
OWN_DATABASE = """\
PATH=$PATH:/usr/lib/postgresql/17/bin
initdb --pgdata=/tmp/home --username=postgres --auth-local=peer --auth-host=scram-sha-256 >/dev/null
echo "CREATE ROLE owner LOGIN PASSWORD '{password}'" | postgres --single -D /tmp/home postgres
echo "CREATE DATABASE home OWNER owner" | postgres --single -D /tmp/home postgres
echo "CREATE EXTENSION vector" | postgres --single -D /tmp/home home
echo "host home owner all scram-sha-256" >> /tmp/home/pg_hba.conf
exec postgres -D /tmp/home -c listen_addresses='*' -c unix_socket_directories=/tmp
"""


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()} | {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=data, method=method, headers=given)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.read())


def wait_until(true: Callable[[], Any], what: str, limit_s: float = WAIT_S) -> Any:
    """Wait until it returns something true and return that; errors and what is no answer yet count as not yet."""
    until_s = time.monotonic() + limit_s
    while True:
        try:
            if found := true():
                return found
            last: object = found
        except (OSError, ValueError, LookupError, AssertionError) as error:
            last = error
        assert time.monotonic() < until_s, f"{what}: not within {limit_s:.0f} s ({last})"
        time.sleep(0.3)


@dataclass(frozen=True)
class App:
    """A running container of the app."""

    engine: Engine
    name: str
    data: Path

    @property
    def address(self) -> str:
        return self.engine(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", self.name
        ).strip()

    def inside(self, *command: str) -> str:
        return self.engine("exec", self.name, *command)

    def logs(self) -> str:
        done = self.engine.attempt("logs", self.name)
        return done.stdout + done.stderr

    def pid(self, process: str) -> int:
        """Return a process's number inside the container, 0 when it is down."""
        return max(0, int(self.inside("s6-svstat", "-o", "pid", f"/run/service/{process}")))

    def pids(self) -> dict[str, int]:
        script = f"for name in {' '.join(PROCESSES)}; do s6-svstat -o pid /run/service/$name; done"
        numbers = self.inside("sh", "-c", script).split()
        return {process: max(0, int(number)) for process, number in zip(PROCESSES, numbers, strict=True)}

    def signal(self, process: str, number: str) -> None:
        self.inside("sh", "-c", f"kill -{number} {self.pid(process)}")

    def doctor(self) -> str:
        """Return what its doctor says, whether all is well or not."""
        return self.engine.attempt("exec", self.name, "/usr/lib/marengocam/doctor").stdout

    def silent_s(self) -> dict[str, float]:
        """Return for how long the app's own watchdog has heard nothing of each process that it watches."""
        return ask(f"http://{self.address}:8475/health").json()["silent_s"]

    def all_well(self) -> bool:
        """Return what the app's own watchdog says: whether each process was heard of just now."""
        said = ask(f"http://{self.address}:8475/health").json()
        return set(said["silent_s"]) == set(WATCHED) and not said["starting"] and max(said["silent_s"].values()) < 6

    def wait_until_well(self) -> None:
        wait_until(self.all_well, f"every process of {self.name} answers")

    def token(self) -> str:
        return json.loads((self.data / "announce" / "token").read_text())["token"]

    def api(self, path: str, method: str = "GET", body: Any = None) -> Answer:
        return ask(f"http://{self.address}:8470/api/v1{path}", method, body, Authorization=f"Bearer {self.token()}")

    def stop(self) -> None:
        self.engine("stop", "--time", str(CONFIG["timeout"]), self.name)


@dataclass(frozen=True)
class Home:
    """The Supervisor's stand-in and its network."""

    engine: Engine
    image: str

    @contextmanager
    def app(self, folder: Path, name: str, options: dict[str, Any] | None = None, *mounts: str) -> Iterator[App]:
        """Run the app on a folder's `data` and `media`, with no more rights than apparmor.txt grants."""
        data, media = folder / "data", folder / "media"
        for path in (data, media):
            path.mkdir(parents=True, exist_ok=True)
        chosen = CONFIG["options"] | {"download_models": False} | (options or {})
        (data / "options.json").write_text(json.dumps(chosen))
        rights = [f"--cap-add={right.upper()}" for right in re.findall(r"^ +capability (\w+),", APPARMOR, re.MULTILINE)]
        volumes = [f"--volume={mount}" for mount in (f"{data}:/data", f"{media}:/media", *mounts)]
        self.engine(
            "run", "--detach", "--name", name, "--hostname", HOSTNAME, "--network", "hassio",
            "--network-alias", HOSTNAME, "--env", f"SUPERVISOR_TOKEN={TOKEN}", "--read-only", "--tmpfs=/run:exec",
            "--tmpfs=/tmp", "--security-opt=no-new-privileges", "--cap-drop=ALL", *rights, *volumes, self.image,
        )  # fmt: skip
        try:
            yield App(self.engine, name, data)
        finally:
            self.engine.attempt("rm", "--force", name)

    @contextmanager
    def database(self, name: str, password: str) -> Iterator[str]:
        """Run a PostgreSQL as an owner may have one, of the app's own programs, and yield its address."""
        self.engine(
            "run", "--detach", "--name", name, "--network", "hassio", "--network-alias", name, "--user", "postgres",
            "--entrypoint", "sh", self.image, "-euc", OWN_DATABASE.format(password=password),
        )  # fmt: skip
        try:
            yield f"postgresql://owner:{password}@{name}:5432/home"
        finally:
            self.engine.attempt("rm", "--force", name)

    def announced(self) -> list[dict[str, Any]]:
        """Return what the Supervisor was told."""
        return ask(f"http://{SUPERVISOR}/_seen").json()


@contextmanager
def home(engine: Engine, app_image: str, services_image: str) -> Iterator[Home]:
    """Run the stand-in at the Supervisor's address."""
    script = ROOT / "tests" / "support" / "supervisor_standin.py"
    remove_abandoned(GATEWAY)
    bridge = f"br-{engine('network', 'create', '--subnet', SUBNET, '--gateway', GATEWAY, 'hassio').strip()[:12]}"
    let_pass(bridge)
    try:
        engine(
            "run", "--detach", "--name", "supervisor", "--network", "hassio", "--ip", SUPERVISOR, "--user", "root",
            "--network-alias", "supervisor", "--env", f"STANDIN_TOKEN={TOKEN}", "--env", f"STANDIN_APP={HOSTNAME}",
            "--volume", f"{script}:/standin.py:ro", "--entrypoint", "/opt/marengocam/bin/python", services_image,
            "/standin.py",
        )  # fmt: skip
        wait_until(lambda: ask(f"http://{SUPERVISOR}/_seen").status == 200, "the Supervisor's stand-in")
        yield Home(engine, app_image)
    finally:
        engine.attempt("rm", "--force", "supervisor")
        engine.attempt("network", "rm", "hassio")
        let_pass_no_more(bridge)


def backup(data: Path, target: Path) -> None:
    """Copy what the Supervisor would put into a backup: all of /data but what config.yaml excludes."""
    for source in sorted(data.iterdir()):
        _copy(source, data, target)


def _copy(source: Path, data: Path, target: Path) -> None:
    relative = source.relative_to(data)
    if any((AS_THE_SUPERVISOR_SEES_IT / relative).match(pattern) for pattern in CONFIG["backup_exclude"]):
        return
    goal = target / relative  # root's, as after a restore
    if source.is_dir():
        goal.mkdir(mode=source.stat().st_mode, parents=True, exist_ok=True)
        for inner in sorted(source.iterdir()):
            _copy(inner, data, target)
    else:
        shutil.copy(source, goal)


def unnamed_lines(log: str) -> list[str]:
    """Return the lines of a log that do not say whose they are."""
    names = "|".join((*PROCESSES, "schema", "init"))
    named = re.compile(rf"^(({names}) \| |\d{{4}}-\d\d-\d\dT[\d:.]+Z ({names}) )")
    return [line for line in log.splitlines() if line and not named.match(line)]
