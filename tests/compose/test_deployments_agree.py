"""Compose, Swarm and Kubernetes say the same about the services, and each file is what its own tool accepts."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from marengocam.db.roles import SERVICES
from marengocam.runtime.service import endpoint_of
from marengocam.settings import OPTION_NAMES, load_settings
from tests.support.compose import compose_program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.33"
CALL_LIMIT_S = 60.0
LAYERS = {"compose": "docker-compose.yml", "gpu": "docker-compose.gpu.yml"}
# Of the official images' entrypoints, CUDA and ultralytics.
FOREIGN = {
    "TZ",
    "POSTGRES_PASSWORD_FILE",
    "PGDATA",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
    "YOLO_CONFIG_DIR",
}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    subprocess.run([DEPLOY / "compose" / "make-secrets", folder], check=True, capture_output=True, timeout=CALL_LIMIT_S)
    return folder


@pytest.fixture(scope="module")
def composed(secrets):
    """Return a function that tells the whole configuration, as compose understands it."""
    program = compose_program()

    def configuration(*files: str) -> dict:
        chosen = [part for file in files for part in ("--file", file)]
        environment = {"PATH": os.environ["PATH"], "MARENGOCAM_SECRETS": str(secrets)}
        command = [program, *chosen, "--profile", "*", "config", "--format", "json"]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=CALL_LIMIT_S, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["services"]

    return configuration


def kubernetes() -> list[dict]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / "marengocam.yaml").read_text()))


def kubernetes_services() -> dict[str, dict]:
    """Return command, environment and probe of each container."""
    found = {}
    for document in kubernetes():
        if document["kind"] in {"Deployment", "Job"}:
            (container,) = document["spec"]["template"]["spec"]["containers"]
            environment = {one["name"]: one["value"] for one in container.get("env", [])}
            found[container["name"]] = container | {
                "environment": environment,
                "replicas": document["spec"].get("replicas"),
            }
    return found


@pytest.fixture(scope="module")
def swarm() -> dict:
    if shutil.which("docker") is None:
        pytest.skip("docker's command is not installed")
    environment = {"PATH": os.environ["PATH"], "MARENGOCAM_NFS_HOST": "nas", "MARENGOCAM_NFS_PATH": "/cameras"}
    command = ["docker", "stack", "config", "--compose-file", "deploy/swarm/stack.yml"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=CALL_LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def test_every_kubernetes_object_is_one_by_the_apis_own_schema():
    documents = kubernetes()
    for document in documents:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    assert {one["kind"] for one in documents} >= {
        "Deployment",
        "StatefulSet",
        "Job",
        "Service",
        "PersistentVolumeClaim",
    }


def test_the_account_of_the_owner_is_made_alike_everywhere():
    (script,) = [one["data"]["10-owner.sh"] for one in kubernetes() if one["kind"] == "ConfigMap"]
    assert script == (DEPLOY / "compose" / "make-owner.sh").read_text()


def test_kubernetes_secrets_are_those_that_are_used():
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
    made = {one["name"] for one in kustomization["secretGenerator"]}
    used = set(re.findall(r"- secret: \{name: ([a-z-]+)", (DEPLOY / "kubernetes" / "marengocam.yaml").read_text()))
    assert made == used


def test_every_service_runs_with_its_own_account_behind_the_pooler(composed, swarm):
    compose = composed("docker-compose.yml")
    for service in SERVICES:
        for place, environment in (
            ("compose", compose[service]["environment"]),
            ("swarm", swarm[service]["environment"]),
            ("kubernetes", kubernetes_services()[service]["environment"]),
        ):
            role = f"postgresql://marengocam_{service}@"
            assert environment["MARENGOCAM_DATABASE_URL"] == f"{role}pgbouncer:6432/marengocam", place
            assert environment["MARENGOCAM_DATABASE_DIRECT_URL"] == f"{role}db:5432/marengocam", place
            assert environment["MARENGOCAM_DATABASE_PASSWORD_FILE"] == "/run/secrets/db_password", place


def test_the_media_folder_is_there_for_those_who_keep_or_delete_files_in_it_and_for_nobody_else(composed, swarm):
    """face keeps the pictures that are registered with it, and sends those of persons to other engines."""
    compose = composed("docker-compose.yml")
    for service in SERVICES:
        volumes = {one["target"] for one in compose[service].get("volumes", [])}
        mounted = {
            "compose": volumes,
            "swarm": {one["target"] for one in swarm[service].get("volumes", [])},
            "kubernetes": {one["mountPath"] for one in kubernetes_services()[service]["volumeMounts"]},
        }
        needed = service in {"ingest", "face", "janitor", "web"}
        for place, folders in mounted.items():
            assert ("/media/marengocam" in folders) == needed, (place, service)


def test_every_variable_is_a_setting(composed, swarm):
    """A misspelt one would be ignored in silence."""
    known = {f"MARENGOCAM_{name.upper()}{suffix}" for name in OPTION_NAMES for suffix in ("", "_FILE")} | FOREIGN
    kinds = [composed(*LAYERS.values()), swarm, kubernetes_services()]
    used = {name for services in kinds for one in services.values() for name in one.get("environment") or {}}
    assert used - known == set()


def test_health_is_asked_where_each_service_answers(composed, swarm, tmp_path):
    settings = load_settings({"MARENGOCAM_DATA_DIR": str(tmp_path)})
    compose = composed("docker-compose.yml")
    for service in SERVICES:
        port = f"/dev/tcp/127.0.0.1/{endpoint_of(service, settings).port};"
        assert port in compose[service]["healthcheck"]["test"][-1]
        assert port in swarm[service]["healthcheck"]["test"][-1]
        assert port in kubernetes_services()[service]["livenessProbe"]["exec"]["command"][-1]


def test_only_what_shares_its_work_runs_more_than_once(swarm):
    once = {"automation", "janitor"}
    for service in SERVICES:
        copies = {swarm[service]["deploy"].get("replicas", 1), kubernetes_services()[service]["replicas"]}
        assert len(copies) == 1
        assert service not in once or copies == {1}


def test_a_graphics_card_is_reserved_and_its_memory_shared(composed):
    ingest = composed(*LAYERS.values())["ingest"]
    (device,) = ingest["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    shares = {name: value for name, value in ingest["environment"].items() if "_VRAM_" in name}
    assert shares == {
        "MARENGOCAM_VRAM_SYSTEM_GB": "1",
        "MARENGOCAM_VRAM_FACE_GB": "3",
        "MARENGOCAM_VRAM_DETECTOR_GB": "3",
        "MARENGOCAM_VRAM_BUFFER_GB": "1",
    }
    assert ingest["environment"]["CUDA_VISIBLE_DEVICES"] == "0"
    assert ingest["read_only"] is True, "the first file's rules still hold"


def test_secrets_are_made_once_and_stay_as_they_are(secrets):
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}
    assert len({content for content in before.values() if content}) == 9
    assert secrets.stat().st_mode & 0o077 == 0
    subprocess.run(
        [DEPLOY / "compose" / "make-secrets", secrets], check=True, capture_output=True, timeout=CALL_LIMIT_S
    )
    assert {file.name: file.read_bytes() for file in secrets.iterdir()} == before
