"""The optional brokers of docker-compose.yml, locked up like everything else."""

import subprocess
import time

import pytest

from tests.support.compose import Compose, service_of

pytestmark = pytest.mark.timeout(600)
WAIT_LIMIT_S = 90.0
CALL_LIMIT_S = 60.0


def test_mosquitto_takes_known_accounts_only_and_redis_answers(compose: Compose, broker_images):
    password_file = compose.secrets / "mqtt_passwords"
    order = ["mosquitto_passwd", "-b", "-c", str(password_file), "marengocam", "of-the-tests"]
    subprocess.run(order, check=True, capture_output=True, timeout=CALL_LIMIT_S)
    password_file.chmod(0o644)
    compose("--profile", "mosquitto", "--profile", "redis", "up", "--detach", "--no-build", "mosquitto", "redis")
    until_healthy(compose, {"mosquitto", "redis"})
    for account, welcome in (
        (["-u", "marengocam", "-P", "of-the-tests"], True),
        (["-u", "marengocam", "-P", "x"], False),
        ([], False),
    ):
        said = compose.attempt(
            "--profile", "mosquitto", "exec", "--no-TTY", "mosquitto",
            "mosquitto_pub", "-h", "127.0.0.1", "-t", "marengocam/test", "-m", "hello", *account,
        )  # fmt: skip
        assert (said.returncode == 0) is welcome, said.stderr
    set_and_got = compose(
        "--profile", "redis", "exec", "--no-TTY", "redis", "redis-cli", "publish", "marengocam", "hello"
    )
    assert set_and_got.strip() == "0"


def until_healthy(compose: Compose, names: set[str]) -> None:
    until_s = time.monotonic() + WAIT_LIMIT_S
    while time.monotonic() < until_s:
        health = {service_of(one): one["State"].get("Health", {}).get("Status") for one in compose.containers()}
        if health == dict.fromkeys(names, "healthy"):
            return
        time.sleep(0.5)
    raise AssertionError(f"{health}\n{compose.attempt('--profile', '*', 'logs').stdout[-3000:]}")
