"""docker-compose.yml brought up for real on the tests' Docker engine, with images that are made on the spot."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import pytest

from marengocam.db.embedded.binaries import WHEEL
from tests.support.docker_engine import BASE, ROOT, Engine, let_pass, let_pass_no_more

DEPLOY = ROOT / "deploy" / "compose"
STANDINS = ROOT / "tests" / "compose" / "standins"
PLUGIN_FOLDER = ROOT / ".venv-compose"  # script/setup-compose puts the plugin there
CALL_LIMIT_S = 120.0
BUILD_LIMIT_S = 300.0
DATABASE_IMAGE = "pgvector/pgvector:pg17"
BROKER_IMAGES = ("eclipse-mosquitto:2", "redis:7")
POOLER_IMAGE = "marengocam-pgbouncer:test"


def compose_program() -> str:
    """Return Docker's compose, installed if need be; skips where it cannot be had."""
    done = subprocess.run(
        [ROOT / "script" / "setup-compose"], capture_output=True, text=True, timeout=BUILD_LIMIT_S, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"docker compose cannot be had here: {done.stderr[-600:]}")
    return done.stdout.strip()


@dataclass
class Compose:
    """One project of its own: name, secrets and settings."""

    engine: Engine
    program: str
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    project: str = field(default_factory=lambda: f"mct{uuid4().hex[:8]}")

    def __call__(self, *arguments: str, limit_s: float = CALL_LIMIT_S) -> str:
        """Run `docker compose ...` from the repository's root; raises AssertionError with what it said."""
        done = self.attempt(*arguments, limit_s=limit_s)
        assert done.returncode == 0, f"compose {' '.join(arguments)}:\n{(done.stdout + done.stderr)[-6000:]}"
        return done.stdout

    def attempt(self, *arguments: str, limit_s: float = CALL_LIMIT_S) -> "subprocess.CompletedProcess[str]":
        """Run it, whatever comes of it."""
        environment = self.engine.environment | {"MARENGOCAM_SECRETS": str(self.secrets)} | self.settings
        return subprocess.run(
            [self.program, "--project-name", self.project, *arguments], cwd=ROOT, env=environment,
            capture_output=True, text=True, timeout=limit_s, check=False,
        )  # fmt: skip

    def let_containers_meet(self) -> None:
        """Let this machine's firewall pass what stays within the project's networks."""
        for bridge in self._bridges():
            let_pass(bridge)

    def shut_networks(self) -> None:
        """Take the rules back."""
        for bridge in self._bridges():
            let_pass_no_more(bridge)

    def _bridges(self) -> list[str]:
        chosen = ("--quiet", "--filter", f"label=com.docker.compose.project={self.project}")
        return [f"br-{network[:12]}" for network in self.engine("network", "ls", *chosen).split()]

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def containers(self) -> list[dict]:
        """Return all containers of the project, inspected."""
        ids = self.engine(
            "ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}"
        ).split()
        return json.loads(self.engine("inspect", *ids)) if ids else []


def service_of(container: dict) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


@pytest.fixture(scope="session")
def compose_images(docker_engine: Engine, services_image: str) -> dict[str, str]:
    """Return the settings that make docker-compose.yml use images of this checkout and stand-ins."""
    docker_engine("build", "--quiet", "--network", "host", "--build-arg", f"BASE={BASE}",
                  "--file", str(DEPLOY / "pgbouncer.Dockerfile"), "--tag", POOLER_IMAGE, str(DEPLOY),
                  limit_s=BUILD_LIMIT_S)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder, "context")
        shutil.copytree(STANDINS, context)
        found = find_spec(WHEEL)
        assert found is not None
        wheel = Path(str(found.origin)).parent
        shutil.copytree(wheel / "pginstall18", context / "pgserver" / wheel.name / "pginstall18", symlinks=True)
        shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), context / "pgserver" / f"{wheel.name}.libs")
        docker_engine("build", "--quiet", "--build-arg", f"BASE={BASE}", "--file", str(context / "database.Dockerfile"),
                      "--tag", DATABASE_IMAGE, str(context), limit_s=BUILD_LIMIT_S)  # fmt: skip
    return {"MARENGOCAM_IMAGE": services_image, "MARENGOCAM_POOLER_IMAGE": POOLER_IMAGE}


@pytest.fixture(scope="session")
def broker_images(docker_engine: Engine) -> None:
    """Have stand-ins for the optional brokers."""
    tags = [part for image in BROKER_IMAGES for part in ("--tag", image)]
    docker_engine("build", "--quiet", "--network", "host", "--build-arg", f"BASE={BASE}",
                  "--file", str(STANDINS / "brokers.Dockerfile"), *tags, str(STANDINS),
                  limit_s=BUILD_LIMIT_S)  # fmt: skip


@pytest.fixture
def compose(docker_engine: Engine, compose_images: dict[str, str]) -> Iterator[Compose]:
    """Lend a project whose secrets are made and whose containers, networks and volumes are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mc-compose-", dir="/var/tmp"))
    project = Compose(docker_engine, compose_program(), folder, dict(compose_images))
    try:
        subprocess.run(
            [DEPLOY / "make-secrets", project.secrets], check=True, capture_output=True, timeout=CALL_LIMIT_S
        )
        yield project
    finally:
        if artifacts := os.environ.get("MARENGOCAM_ARTIFACTS"):
            logs = project.attempt("logs", "--no-color", "--timestamps")
            (Path(artifacts) / "compose.log").write_text(logs.stdout)
        project.shut_networks()
        project.attempt("--profile", "*", "down", "--volumes", "--timeout", "1")
        shutil.rmtree(folder, ignore_errors=True)
