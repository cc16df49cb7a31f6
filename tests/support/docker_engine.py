"""A real Docker engine for tests, and our images built on a base that is made on the spot.

`MARENGOCAM_DOCKER_HOST` names an engine that runs already (for development). Otherwise Debian's own is started in a
temporary folder, which needs root, and nothing of it is left behind. Where neither can be had, tests are skipped.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("docker", "dockerd", "containerd", "iptables", "mmdebstrap")  # script/test installs them
BASE = "marengocam-base:trixie"
START_LIMIT_S = 180.0
STOP_LIMIT_S = 60.0
CALL_LIMIT_S = 120.0
BUILD_LIMIT_S = 600.0
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# What this machine trusts is trusted in builds as well, so that packages come through a proxy that looks inside.
BASE_FILE = f"""\
FROM marengocam-base:bare
COPY {CERTIFICATES.name} {CERTIFICATES}
ENV PIP_CERT={CERTIFICATES}
"""


class DockerError(AssertionError):
    """A docker command failed; the text holds what it said."""


@dataclass(frozen=True)
class Engine:
    """Runs docker commands against one engine."""

    host: str

    def __call__(self, *arguments: str, limit_s: float = CALL_LIMIT_S, stdin: str | None = None) -> str:
        """Run `docker ...` and return what it printed; raises DockerError."""
        done = self.attempt(*arguments, limit_s=limit_s, stdin=stdin)
        if done.returncode != 0:
            said = (done.stdout + done.stderr)[-6000:]
            raise DockerError(f"docker {' '.join(arguments)} ended with {done.returncode}:\n{said}")
        return done.stdout

    def attempt(
        self, *arguments: str, limit_s: float = CALL_LIMIT_S, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `docker ...`, whatever comes of it."""
        return subprocess.run(
            ["docker", *arguments], env=self.environment, input=stdin, capture_output=True, text=True,
            timeout=limit_s, check=False,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """Return what docker, or docker compose, needs in its environment to reach this engine."""
        # The builder of old is the one that needs nothing more than Debian's packages.
        return os.environ | {"DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "0", "COMPOSE_DOCKER_CLI_BUILD": "0"}

    def build(self, target: str) -> str:
        """Build a target of addon/Dockerfile from this checkout and return the image's name."""
        image = f"marengocam-{target}:test"
        with _one_at_a_time():
            self._make_base()
            self("build", "--quiet", "--network", "host", "--file", str(ROOT / "addon" / "Dockerfile"),
                 "--build-arg", f"BASE={BASE}", "--target", target, "--tag", image, str(ROOT),
                 limit_s=BUILD_LIMIT_S)  # fmt: skip
        return image

    def _make_base(self) -> None:
        """Make debian:trixie-slim's like from packages: nothing can be pulled without a registry."""
        if self.attempt("image", "inspect", BASE).returncode == 0:
            return
        with tempfile.TemporaryDirectory() as folder:
            archive, context = Path(folder, "trixie.tar"), Path(folder, "context")
            source = f"deb [trusted=yes] {_mirror()} trixie main"  # the archive's newer key may be unknown here
            subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=apt", "--include=ca-certificates", "trixie", str(archive), source],
                check=True, timeout=BUILD_LIMIT_S, capture_output=True,
            )  # fmt: skip
            self("import", str(archive), "marengocam-base:bare", limit_s=BUILD_LIMIT_S)
            context.mkdir()
            shutil.copy(CERTIFICATES, context)
            (context / "Dockerfile").write_text(BASE_FILE)
            self("build", "--quiet", "--tag", BASE, str(context), limit_s=BUILD_LIMIT_S)


def _mirror() -> str:
    """Return the Debian mirror that this machine uses."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"],
        capture_output=True, text=True, check=True, timeout=CALL_LIMIT_S,
    ).stdout.split()  # fmt: skip
    plain = [uri for uri in listed if "security" not in uri]
    assert plain, "this machine's apt knows no Debian mirror: run apt-get update"
    return plain[0]


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    with Path(tempfile.gettempdir(), "marengocam-docker-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def why_not() -> str | None:
    """Return why no engine can be started here, or None."""
    if os.geteuid() != 0:
        return "starting Docker's engine needs root"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=path) is None]
    if missing or not CERTIFICATES.exists():
        return f"not installed: {', '.join(missing) or 'ca-certificates'} (script/test installs them as root)"
    return None


@contextlib.contextmanager
def own_engine() -> Iterator[Engine]:
    """Run an engine of our own; its folder, processes and networks are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mc-docker-", dir="/var/tmp"))
    host = f"unix://{folder}/docker.sock"
    log = folder / "log"
    arguments = [
        "dockerd", f"--host={host}", f"--data-root={folder}/data", f"--exec-root={folder}/exec",
        f"--pidfile={folder}/pid",
        # This machine's firewall and interfaces stay as they are; published ports go through Docker's own proxy.
        "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
    ]  # fmt: skip
    environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    with log.open("wb") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output, env=environment, start_new_session=True)
    engine = Engine(host)
    try:
        _wait_until_up(engine, process, log)
        yield engine
    finally:
        _end(engine, process)
        for mount in [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()][::-1]:
            if mount.startswith(str(folder)):
                subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True, timeout=CALL_LIMIT_S)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_up(engine: Engine, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until_s = time.monotonic() + START_LIMIT_S
    while engine.attempt("info").returncode != 0:
        if process.poll() is not None:
            pytest.skip(f"Docker's engine does not start here: {log.read_text(errors='replace')[-600:]}")
        assert time.monotonic() < until_s, f"Docker's engine does not answer: {log.read_text(errors='replace')[-600:]}"
        time.sleep(0.3)


def _end(engine: Engine, process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is not None:
        return
    if containers := engine.attempt("ps", "--all", "--quiet").stdout.split():
        engine.attempt("rm", "--force", "--volumes", *containers)
    engine.attempt("network", "prune", "--force")
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_LIMIT_S)


def remove_abandoned(gateway: str) -> None:
    """Take away the bridge of an engine that was killed: packets to its network would go there still, and nowhere."""
    for name, addresses in psutil.net_if_addrs().items():
        ports = Path("/sys/class/net", name, "brif")
        if gateway in {one.address for one in addresses} and ports.is_dir() and not any(ports.iterdir()):
            order = ["ip", "link", "delete", name]
            environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
            subprocess.run(order, env=environment, capture_output=True, timeout=CALL_LIMIT_S, check=True)


def let_pass(bridge: str) -> None:
    """Let this machine's firewall pass what stays within a network.

    The tests' engine leaves the firewall alone; another one that ran here may have left it closed.
    """
    if not _firewall("--check", bridge):
        _firewall("--insert", bridge)


def let_pass_no_more(bridge: str) -> None:
    """Take the rule back."""
    while _firewall("--delete", bridge):
        pass


def _firewall(action: str, bridge: str) -> bool:
    order = ["iptables", "--wait", action, "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT"]
    environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    done = subprocess.run(order, env=environment, capture_output=True, timeout=CALL_LIMIT_S, check=False)
    return done.returncode == 0


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """Lend a Docker engine; skips where none can be had."""
    if host := os.environ.get("MARENGOCAM_DOCKER_HOST"):
        yield Engine(host)
        return
    if reason := why_not():
        pytest.skip(reason)
    with own_engine() as engine:
        yield engine


@pytest.fixture(scope="session")
def services_image(docker_engine: Engine) -> str:
    """Return the image that docker-compose.yml runs, built from this checkout."""
    return docker_engine.build("services")


@pytest.fixture(scope="session")
def app_image(docker_engine: Engine) -> str:
    """Return the Home Assistant app's image, built from this checkout."""
    return docker_engine.build("app")
