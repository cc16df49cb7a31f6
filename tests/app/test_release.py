"""The release workflow: every image that an owner is told to pull is built, for every architecture the app promises."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
RELEASE: dict[str, Any] = yaml.safe_load((WORKFLOWS / "release.yml").read_text())
APP: dict[str, Any] = yaml.safe_load((ROOT / "addon" / "config.yaml").read_text())
PULLED_BY = ("addon/config.yaml", "docker-compose.yml", "docker-compose.gpu.yml", "deploy/swarm/stack.yml",
             "deploy/kubernetes/marengocam.yaml", "deploy/compose/gpu.Dockerfile")  # fmt: skip


def test_every_image_that_owners_pull_is_published_under_one_name_for_all_architectures():
    pulled = {
        name for file in PULLED_BY for name in re.findall(r"ghcr\.io/marengocam/([\w-]+)", (ROOT / file).read_text())
    }
    assert set(RELEASE["jobs"]["manifests"]["strategy"]["matrix"]["image"]) == pulled
    built = str(RELEASE["jobs"]["images"]["steps"]) + str(RELEASE["jobs"]["checked"]["steps"])
    assert all(name in built for name in pulled)
    assert sorted(json.loads(RELEASE["env"]["ARCHITECTURES"])) == sorted(APP["arch"])


def test_nothing_is_published_before_the_checks_and_the_release_comes_last():
    jobs = RELEASE["jobs"]
    assert "needs" not in jobs["checked"]
    assert any("sbom" in str(step) and "--audit" in str(step) for step in jobs["checked"]["steps"])
    assert jobs["images"]["needs"] == "checked"
    assert set(jobs["manifests"]["needs"]) == {"checked", "images"}
    assert set(jobs["release"]["needs"]) == {"checked", "manifests"}


def test_each_job_has_no_more_rights_than_it_needs():
    assert RELEASE["permissions"] == {"contents": "read"}
    writing = {
        name: sorted(k for k, v in job.get("permissions", {}).items() if v == "write")
        for name, job in RELEASE["jobs"].items()
    }
    assert writing == {
        "checked": [],
        "images": ["id-token", "packages"],
        "manifests": ["id-token", "packages"],
        "release": ["contents"],
    }
