"""deploy/compose/gpu.Dockerfile: what ultralytics asks for is all there, but for the OpenCV with windows."""

import re
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPLACED = {"opencv-python"}  # by opencv-python-headless, which the services' image has


def name_of(requirement: str) -> str:
    return re.split(r"[\s;<>=!\[]", requirement.strip(), maxsplit=1)[0].lower()


def installed_in_the_image() -> set[str]:
    """Return the packages that the services' image has and those that this one adds."""
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "addon" / "requirements.txt").read_text(), re.MULTILINE)
    instructions = (ROOT / "deploy" / "compose" / "gpu.Dockerfile").read_text().replace("\\\n", " ")
    added = re.findall(r"pip --python \S+ install ([^&]*)", instructions)
    return {name.lower() for name in pinned} | {
        name_of(word.strip('"')) for words in added for word in words.split() if not word.startswith("--")
    }


def test_everything_that_ultralytics_needs_is_installed_although_its_own_list_is_passed_over():
    try:
        needs = requires("ultralytics") or []
    except PackageNotFoundError:
        pytest.skip("ultralytics is not installed here")
    wanted = {name_of(one) for one in needs if "extra ==" not in one}
    assert wanted - REPLACED <= installed_in_the_image()
