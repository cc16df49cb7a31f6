"""docker-compose.yml as an owner starts it: cameras run through it, containers die and come back, nothing is broken."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest

from marengocam.core.clock import SystemClock
from marengocam.db.admission import PAUSE_MAX_S
from marengocam.demo.rtsp import RtspServer
from marengocam.demo.worlds import build_world
from tests.support.compose import Compose, service_of
from tests.support.docker_engine import Engine
from tests.support.ports import free_port
from tests.support.squares import render_walks

pytestmark = pytest.mark.timeout(900)
CAMERAS = ("a", "b", "c")
UP_LIMIT_S = 180.0
WAIT_LIMIT_S = 120.0
ADMISSION_LIMIT_S = PAUSE_MAX_S + 3.0
TAKEOVER_LIMIT_S = 30.0  # 12 s on a machine that does nothing else
OURS = ("ingest", "resolver", "automation", "face", "web", "janitor")
KILLED = ("web", "resolver", "automation", "face", "janitor", "pgbouncer", "db")
CLOCK = SystemClock()


class House:
    """The running project, seen through its API and Docker's."""

    def __init__(self, compose: Compose, session: aiohttp.ClientSession, port: int) -> None:
        self.compose, self._session = compose, session
        self._address = f"http://127.0.0.1:{port}"
        self._token = ""

    async def docker(self, *arguments: str) -> str:
        return await asyncio.to_thread(self.compose, *arguments)

    async def call(self, method: str, path: str, body: object = None) -> dict:
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._address}/api/v1{path}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            content = await answer.json()
            assert answer.status < 300, content
            return content

    async def let_in(self) -> None:
        said = await self.docker("exec", "--no-TTY", "web", "marengocam", "token", "create", "--name", "test")
        self._token = said.strip()

    async def containers(self) -> dict[str, list[dict]]:
        found: dict[str, list[dict]] = {}
        for container in await asyncio.to_thread(self.compose.containers):
            found.setdefault(service_of(container), []).append(container)
        return found

    async def holders(self) -> dict[str, str]:
        """Return which ingest process serves each camera, by the database's own word."""
        query = "SELECT name || ' ' || holder FROM lease WHERE expires_at > now() AND name LIKE 'camera:%'"
        order = ("psql", "-U", "postgres", "-h", "/var/run/postgresql", "-d", "marengocam", "-tAc", query)
        said = await self.docker("exec", "--no-TTY", "db", *order)
        return dict(line.removeprefix("camera:").split(" ", 1) for line in said.splitlines())

    async def chunks(self, camera: str) -> list[dict]:
        query = "from_at=2020-01-01T00:00:00Z&to_at=2100-01-01T00:00:00Z"
        return (await self.call("GET", f"/chunks?camera_id={camera}&{query}"))["chunks"]


async def until(condition, limit_s: float = WAIT_LIMIT_S) -> float:
    """Return after how many seconds the condition held; whatever raises meanwhile counts as not yet."""
    start_s, last = CLOCK.monotonic_s(), None
    while CLOCK.monotonic_s() - start_s < limit_s:
        try:
            if await condition():
                return CLOCK.monotonic_s() - start_s
        except (AssertionError, aiohttp.ClientError, OSError, LookupError, TimeoutError) as error:
            last = error
        await asyncio.sleep(0.3)
    raise AssertionError(f"not within {limit_s:.0f} s; last: {last}")


def all_healthy(containers: dict[str, list[dict]], names=(*OURS, "db", "pgbouncer")) -> bool:
    return all(one["State"].get("Health", {}).get("Status") == "healthy" for name in names for one in containers[name])


def crash(container: dict) -> None:
    """Kill what a container runs, as a fault would: `docker kill` counts as its owner's wish and restarts nothing."""
    os.kill(container["State"]["Pid"], signal.SIGKILL)


def longest_gap_s(chunks: list[dict], since: datetime) -> float:
    spans = sorted((datetime.fromisoformat(one["started_at"]), one["duration_s"]) for one in chunks)
    gaps = [(b[0] - a[0]).total_seconds() - a[1] for a, b in pairwise(spans) if b[0] > since]
    return max(gaps, default=0.0)


@contextlib.asynccontextmanager
async def running_house(compose: Compose):
    port = free_port()
    compose.settings |= {
        "MARENGOCAM_WEB_PORT": str(port),
        "MARENGOCAM_DOWNLOAD_MODELS": "false",
        "MARENGOCAM_DETECTOR": "hog",
        "MARENGOCAM_CHUNK_S": "4",
    }
    limit = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=limit) as session:
        house = House(compose, session, port)
        await house.docker("up", "--detach", "--no-build", "--scale", "ingest=3")
        await asyncio.to_thread(compose.let_containers_meet)
        yield house


async def test_cameras_run_through_compose_and_containers_may_die(compose, docker_engine: Engine, tmp_path):
    measured: dict[str, object] = {}
    squares = render_walks(tmp_path / "walks.mp4", 12.0, [1.0, 6.0])
    people = (await asyncio.to_thread(build_world, None, None, tmp_path)).cameras[0].file
    clips = dict.fromkeys(CAMERAS, squares) | {"b": people}
    async with (
        RtspServer(clips, host="0.0.0.0") as cameras,  # containers have to reach it
        running_house(compose) as house,
    ):
        measured["healthy_after_s"] = await until(lambda: _healthy(house), UP_LIMIT_S)
        _is_locked_up(await house.containers(), compose)
        await house.let_in()
        await until(lambda: _let_in_by_the_database(house), ADMISSION_LIMIT_S)
        gateway = docker_engine(
            "network", "inspect", f"{compose.project}_outside", "--format", "{{(index .IPAM.Config 0).Gateway}}"
        ).strip()
        for name in CAMERAS:
            url = f"rtsp://{gateway}:{cameras.port}/{name}"
            await house.call("POST", "/cameras", {"name": name, "main_url": url})
        await until(lambda: _recorded(house, 2))
        await until(lambda: _shared(house))
        await until(lambda: _tracked(house))
        measured["memory"] = _memory(docker_engine, compose)

        await _crowd(house)
        measured["takeover_from_killed_s"] = await _take_over(house, crash, lambda _: None)
        measured["takeover_from_frozen_s"] = await _take_over(
            house,
            lambda victim: docker_engine("pause", victim["Id"]),
            lambda victim: docker_engine("unpause", victim["Id"]),
        )
        measured["restart_s"] = {name: await _kill_and_await(house, name) for name in KILLED}
        since = CLOCK.now()
        await until(lambda: _recorded(house, 2, since))
        await until(lambda: _healthy(house))

        await until(lambda: _all_known_to_the_doctor(compose))

        await house.docker("stop", "ingest")
        said = await house.docker("run", "--rm", "admin", "check", "--deep")
        assert said.count("holds") == 3, said
    measured["restart_s"] = {name: round(value, 1) for name, value in measured["restart_s"].items()}
    _tell(measured)


async def _healthy(house: House) -> bool:
    found = await house.containers()
    migrate = found["migrate"][0]["State"]
    return migrate["Status"] == "exited" and migrate["ExitCode"] == 0 and all_healthy(found)


async def _let_in_by_the_database(house: House) -> bool:
    """web asked for its account before `migrate` had made it, and asks again after a pause."""
    await house.call("GET", "/cameras")
    return True


async def _all_known_to_the_doctor(compose: Compose) -> bool:
    said = (await asyncio.to_thread(compose.attempt, "run", "--rm", "admin", "doctor")).stdout
    for name in OURS:
        assert re.search(rf"^(ok|warn) +{name} .*\(in [0-9a-f]{{12}}\)$", said, re.MULTILINE), said
    return True


async def _recorded(house: House, count: int, since: datetime | None = None) -> bool:
    for name in CAMERAS:
        chunks = await house.chunks(name)
        fresh = [one for one in chunks if since is None or datetime.fromisoformat(one["started_at"]) > since]
        if len(fresh) < count:
            return False
    return True


async def _tracked(house: House) -> bool:
    return any(one["label"] == "person" for one in (await house.call("GET", "/tracks?limit=10"))["tracks"])


async def _shared(house: House) -> bool:
    """Three processes serve three cameras: one each."""
    holders = await house.holders()
    return set(holders) == set(CAMERAS) and len(set(holders.values())) == len(CAMERAS)


CROWD = """
import asyncio, asyncpg, pathlib
password = pathlib.Path("/run/secrets/db_password").read_text()
async def come():
    address = "postgresql://marengocam_web@pgbouncer:6432/marengocam"
    return await asyncpg.connect(address, password=password, timeout=30, statement_cache_size=0)
async def main():
    come_in = await asyncio.gather(*(come() for _ in range(200)), return_exceptions=True)
    inside = [one for one in come_in if not isinstance(one, Exception)]
    print(len(inside), "inside", flush=True)
    await asyncio.sleep(8)
asyncio.run(main())
"""


async def _crowd(house: House) -> None:
    """Have one service's container take all the room for clients that it gets: the others still come in."""
    crowd = asyncio.create_task(house.docker("exec", "--no-TTY", "web", "/opt/marengocam/bin/python", "-c", CROWD))
    order = ("exec", "--no-TTY", "ingest", "marengocam", "camera", "list")
    while not crowd.done():
        assert "online" in await house.docker(*order)
    inside = int((await crowd).split()[0])
    assert 0 < inside <= 80
    await until(lambda: _shared(house))


async def _take_over(house: House, stop: Callable[[dict], object], let_go: Callable[[dict], object]) -> float:
    """Stop the container that serves camera a; return the seconds that its recording lacks.

    A killed process's neighbours on the machine see at once that it is gone. A frozen one, like one on another host, is
    given up when its lease ends; let go again it must not disturb who took over.
    """
    before = (await house.holders())["a"]
    host = before.partition("/")[0]
    victim = next(one for one in (await house.containers())["ingest"] if one["Config"]["Hostname"] == host)
    since = CLOCK.now()
    await asyncio.to_thread(stop, victim)
    stopped_at = CLOCK.now()  # stopping takes its time; what began meanwhile may be the victim's last chunk
    await until(lambda: _other_holder(house, before))
    await until(lambda: _recorded_again(house, stopped_at))
    await asyncio.to_thread(let_go, victim)
    gap_s = longest_gap_s(await house.chunks("a"), since)
    assert 0 < gap_s < TAKEOVER_LIMIT_S
    await until(lambda: _shared(house))
    return round(gap_s, 1)


async def _other_holder(house: House, before: str) -> bool:
    return (await house.holders()).get("a", before) != before


async def _recorded_again(house: House, since: datetime) -> bool:
    return any(datetime.fromisoformat(one["started_at"]) > since for one in await house.chunks("a"))


async def _kill_and_await(house: House, name: str) -> float:
    victim = (await house.containers())[name][0]
    crash(victim)
    return await until(lambda: _is_back(house, name, victim["RestartCount"]))


async def _is_back(house: House, name: str, restarts: int) -> bool:
    container = (await house.containers())[name][0]
    return bool(container["RestartCount"] > restarts and container["State"]["Running"])


def _is_locked_up(containers: dict[str, list[dict]], compose: Compose) -> None:
    """No container may do more than it must, and none tells its secrets to whoever inspects it."""
    passwords = [file.read_text() for file in compose.secrets.iterdir() if file.stat().st_size]
    for name, copies in containers.items():
        for one in copies:
            host = one["HostConfig"]
            assert host["ReadonlyRootfs"], name
            assert host["CapDrop"] == ["ALL"], name
            assert not host["CapAdd"], name
            assert not host["Privileged"], name
            assert "no-new-privileges:true" in host["SecurityOpt"], name
            assert one["Config"]["User"].split(":")[0] not in {"", "0", "root"}, name
            assert host["Memory"] > 0, name
            assert host["RestartPolicy"]["Name"] == ("on-failure" if name == "migrate" else "always"), name
            told = json.dumps(one)
            assert not any(password in told for password in passwords), name
    assert {len(copies) for name, copies in containers.items() if name == "ingest"} == {3}


def _memory(engine: Engine, compose: Compose) -> dict[str, str]:
    names = engine("ps", "--filter", f"label=com.docker.compose.project={compose.project}", "--format", "{{.Names}}")
    lines = engine("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *names.split()).splitlines()
    return {re.sub(rf"^{compose.project}-", "", line.split()[0]): line.split()[1] for line in lines}


def _tell(measured: dict[str, object]) -> None:
    text = json.dumps(measured, indent=2)
    sys.stderr.write(f"{text}\n")
    if artifacts := os.environ.get("MARENGOCAM_ARTIFACTS"):
        (Path(artifacts) / "compose.json").write_text(text)
