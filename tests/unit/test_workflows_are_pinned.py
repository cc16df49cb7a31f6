"""What runs with the right to release is pinned, and what is released is listed and audited."""

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / ".github" / "workflows"
MOVING = {"home-assistant/actions/hassfest@master", "hacs/action@main"}  # they check by the rules of the day, read-only
PINNED = re.compile(r"[\w.-]+(?:/[\w.-]+)+@[0-9a-f]{40} # v?\d+\.\d+\.\d+")


@pytest.mark.parametrize("workflow", sorted(FOLDER.glob("*.yml")), ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_commit(workflow):
    used = re.findall(r"uses: *([^\n]+)", workflow.read_text())
    loose = [one for one in used if not PINNED.fullmatch(one)]
    assert {one.split(" #")[0] for one in loose} <= (MOVING if workflow.name == "validate.yml" else set())


def test_a_release_carries_a_list_of_what_it_is_made_of_and_is_audited_first():
    release = (FOLDER / "release.yml").read_text()
    assert release.index("./script/sbom sbom --audit") < release.index("gh release create")
    assert "sbom/*.cdx.json" in release
    assert "permissions:\n  contents: read" in (FOLDER / "validate.yml").read_text()
