"""Every dependency, the cards' included, has its reason in docs/ref/dependencies.md, and nothing else stands there."""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _names(requirements):
    return {re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower() for requirement in requirements}


def test_every_dependency_has_a_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = _names(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted |= _names(extra)
    cards = json.loads((ROOT / "frontend/package.json").read_text())
    wanted |= set(cards["dependencies"]) | set(cards["devDependencies"])
    page = (ROOT / "docs/ref/dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([a-z0-9_.-]+) \|", page, re.MULTILINE)) - {"package"}
    assert explained == wanted
